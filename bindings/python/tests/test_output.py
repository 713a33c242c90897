# SPDX-License-Identifier: BSD-3-Clause
"""The output of the commands: strict JSON, reasons, and complete output or an error."""
import json
import math
import os
import signal
import unittest

import numpy as np

from commands import COUNTS, InAFolder
from moepredict import _output


class Json(InAFolder):
    def json_of(self, *arguments):
        def refuse(name):
            self.fail(f"{name} is no JSON")

        return json.loads(self.run_it(*arguments, "--json").stdout, parse_constant=refuse)

    def test_every_command_prints_strict_json_whatever_the_trace(self):
        empty = COUNTS.astype(float)
        empty[-1] = 0
        traces = {"no token at last": empty, "none": empty * 0, "large": np.full((300, 2, 4), 4e307),
                  "larger": np.full((300, 2, 4), 1e308), "small": COUNTS * 1e-323, "one": np.ones((1, 1, 1))}
        facts = {}
        for name, counts in traces.items():
            with self.subTest(name):
                np.save(self.trace, counts)
                facts[name] = self.json_of("info", self.trace)
                if len(counts) > 1:
                    rows = self.json_of("backtest", self.trace, "--horizon", "50", "--first", "99")
                    self.assertEqual(rows[-1]["error"] is None, name == "none")
        self.assertIsNone(facts["no token at last"]["imbalance_now_mean"])
        self.assertEqual(facts["no token at last"]["assignments_mean"], 512 * 499 / 500)
        self.assertAlmostEqual(facts["large"]["assignments_mean"] / 1.6e308, 1)
        self.assertIsNone(facts["larger"]["assignments_most"])
        np.save(self.trace, np.zeros((2100, 1, 2)))
        run = self.run_it("report", self.trace, "--out", self.folder / "out", "--json")
        self.assertEqual({(row["error"], row["reason"]) for row in json.loads(run.stdout)},
                         {(None, "no step that was to be forecast has a token")})

    def test_nan_and_infinity_are_null(self):
        self.assertEqual(json.loads(_output.as_json({"a": [math.nan, (-math.inf, np.float64("inf"))], "b": 1.5,
                                                     "c": "NaN"})),
                         {"a": [None, [None, None]], "b": 1.5, "c": "NaN"})


class Output(InAFolder):
    COMMANDS = [["--help"], ["backtest", "--help"], ["info"], ["info", "trace.npy"], ["info", "trace.npy", "--json"],
                ["backtest", "trace.npy", "--horizon", "100"], ["report", "trace.npy", "--out", "o"],
                ["plan", "trace.npy", "--first", "300"], ["simulate", "--steps", "9", "--out", "made.npy"]]

    def test_a_reader_that_stops_ends_every_command_quietly(self):
        for arguments in self.COMMANDS:
            reader, writer = os.pipe()
            os.close(reader)
            with self.subTest(arguments):
                run = self.run_it(*arguments, code=-signal.SIGPIPE, stdout=writer, cwd=self.folder)
                self.assertEqual(run.stderr, b"")
            os.close(writer)

    def test_a_full_disk_fails_every_command_in_one_line(self):
        for arguments in self.COMMANDS:
            with self.subTest(arguments), open("/dev/full", "wb") as full:
                run = self.run_it(*arguments, code=1, stdout=full, cwd=self.folder)
                self.assertEqual(run.stderr, b"moepredict: cannot write the output: No space left on device\n")

    def test_a_closed_output_is_reported_and_a_closed_error_output_is_ignored(self):
        run = self.run_it("info", code=1, preexec_fn=lambda: os.close(1))
        self.assertIn(b"closed", run.stderr)
        for arguments in (["backtest", self.trace, "--horizon", "100"], ["info", self.trace]):
            self.assertTrue(self.run_it(*arguments, preexec_fn=lambda: os.close(2)).stdout)
        self.assertEqual(self.run_it("info", "none.npy", code=2, preexec_fn=lambda: os.close(2)).stdout, b"")

    def test_rows_of_dashes_have_a_reason(self):
        for words, arguments in ((b"no fit was better than uniform loads; a fit takes 600",
                                  ["--method", "lstm", "--lstm-scope", "joint", "--horizon", "100"]),
                                 (b"too few steps: 50 steps pushed",
                                  ["--method", "lstm", "--first", "50", "--every", "999",
                                                                      "--horizon", "100"])):
            run = self.run_it("backtest", self.trace, *arguments)
            self.assertEqual(run.stderr.count(b"\n"), 1)
            self.assertIn(words, run.stderr)
            self.assertEqual(run.stdout.split()[-2], b"-")
        noise = np.random.default_rng(1).multinomial(512, np.ones(4) / 4, size=(1000, 1)).astype(np.int32)
        np.save(self.trace, noise)
        run = self.run_it("backtest", self.trace, "--method", "lstm", "--lstm-scope", "joint", "--lstm-hidden", "1",
                          "--horizon", "100", "--train", self.trace)
        self.assertIn(b"nor was what it learned from --train", run.stderr)
        self.assertEqual(self.run_it("backtest", self.trace, "--horizon", "100").stderr, b"")


if __name__ == "__main__":
    unittest.main()
