# SPDX-License-Identifier: BSD-3-Clause
"""The examples in Python run, and print what their texts say."""
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import moepredict
from commands import ENVIRONMENT
from reference import ROOT


def output_of(example, *arguments):
    command = [sys.executable, "-W", "error::RuntimeWarning", str(ROOT / "examples" / example), *arguments]
    return subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True, timeout=240).stdout


class Examples(unittest.TestCase):
    def test_the_training_loop_places_experts_better_than_for_equal_loads_and_sees_the_jump(self):
        for method in ([], ["arima"]):
            with self.subTest(method):
                out = output_of("training_loop.py", *method)
                first, placed = map(float, re.search(r"([\d.]+) under the first map, ([\d.]+) as placed", out).groups())
                self.assertGreater(first - 1, 2 * (placed - 1))
                plans = {int(step): (int(stable), int(planned)) for step, stable, planned in
                         re.findall(r"^step (\d+): (\d) of 4 layers STABLE; (\d) planned", out, flags=re.M)}
                for step, (stable, planned) in plans.items():
                    self.assertEqual(planned, 4 if step % 1000 == 0 else 4 - stable)
                self.assertEqual([plans[step] for step in (4000, 4250, 5000)], [(4, 4), (0, 4), (4, 4)])
                before, after = map(float, re.search(r"^step 4250.*peak ([\d.]+) -> ([\d.]+)$", out, re.M).groups())
                self.assertGreater(before, after + 0.04)

    def test_forecasts_of_the_recorded_run_are_best_where_it_is_stable(self):
        pictures = importlib.util.find_spec("matplotlib") is not None
        with tempfile.TemporaryDirectory() as folder:
            out = output_of("recorded_run.py", *([folder] if pictures else []))
            written = sorted(path.name for path in pathlib.Path(folder).iterdir())
        self.assertEqual(written, ["errors.png", "loads.png"] if pictures else [])
        table = re.findall(r"^(\w+(?: \w+)*?) +([\d.]+)% +([\d.]+)% +([\d.]+)%$", out, flags=re.M)
        self.assertEqual([method for method, *_ in table], [
            "auto", "sw_avg", "arima", "lstm", "best window in hindsight", "sampling noise alone"])
        for method, stable, transient, change_ahead in table[:-1]:
            with self.subTest(method):
                self.assertLess(2 * float(stable), min(float(transient), float(change_ahead)))
        left = re.search(r"not STABLE any more: +([\d ]+)$", out, flags=re.M)[1].split()
        self.assertEqual(len(left), 4)
        self.assertLessEqual(max(map(int, left)), 100)


if __name__ == "__main__":
    unittest.main()
