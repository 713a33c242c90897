# SPDX-License-Identifier: BSD-3-Clause
"""pip installs the package, library and all, into a fresh virtual environment, without a network."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import moepredict

PACKAGE = pathlib.Path(__file__).resolve().parents[1]


class Wheel(unittest.TestCase):
    def test_it_installs_and_works_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            shutil.copytree(PACKAGE.parents[1] / "include", folder / "source" / "include")
            copy = folder / "source" / "bindings" / "python"
            shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__", "tests"))
            environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
            environment["MOEPREDICT_LIBRARY"] = moepredict._library.library._name

            def run(*command, **env):
                result = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=folder, timeout=300,
                                        env={**environment, **env})
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                return result.stdout

            run(sys.executable, "-m", "venv", "--system-site-packages", folder / "venv")
            python = folder / "venv" / "bin" / "python3"
            run(python, "-m", "pip", "install", "--no-index", "--no-build-isolation", "--no-deps", copy)
            del environment["MOEPREDICT_LIBRARY"]
            shutil.rmtree(folder / "source")
            told = run(python, "-c", "import moepredict; print(moepredict.__file__, moepredict._library.library._name); "
                                     "print(moepredict.Predictor(layers=1, experts=2))")
            for place in told.split()[:2]:
                self.assertTrue(place.startswith(str(folder / "venv")), told)
            self.assertIn("sw_avg, 1 x 2", told)
