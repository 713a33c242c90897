# SPDX-License-Identifier: BSD-3-Clause
"""Commands of the package, run in a folder of their own."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import moepredict

COUNTS = np.random.default_rng(0).multinomial(512, np.ones(4) / 4, size=(500, 2)).astype(np.int32)
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(pathlib.Path(moepredict.__file__).parents[1])}


class InAFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.trace = self.folder / "trace.npy"
        np.save(self.trace, COUNTS)

    def run_it(self, *arguments, code=0, **settings):
        settings = {"env": ENVIRONMENT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
        run = subprocess.run([sys.executable, "-W", "error::RuntimeWarning", "-m", "moepredict", *arguments],
                             timeout=300, **settings)
        self.assertEqual(run.returncode, code, run)
        return run

    def contents(self):
        return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
