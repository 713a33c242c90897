# SPDX-License-Identifier: BSD-3-Clause
"""The choice of the library that is loaded, and reasons to refuse one. Each import is a process of its own."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import moepredict
from moepredict import _library

PACKAGE = pathlib.Path(moepredict.__file__).resolve().parent
LOADED = _library.library._name


def run(code, library, *folders):
    """Runs code with nothing but these folders beside Python's own; library None: MOEPREDICT_LIBRARY is not set."""
    environment = {name: value for name, value in os.environ.items() if name != "MOEPREDICT_LIBRARY"}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, folders or [PACKAGE.parent]))
    if library is not None:
        environment["MOEPREDICT_LIBRARY"] = str(library)
    with tempfile.TemporaryDirectory() as elsewhere:
        return subprocess.run([sys.executable, "-c", code], env=environment, cwd=elsewhere, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()

    def refusal(self, library, *folders):
        """The last line, which is ImportError's, or all output."""
        done = run("import moepredict", library, *folders)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("\nImportError: ", done.stderr)
        return done.stderr.split("\nImportError: ")[-1]


class Search(InFolder):
    def places(self, package):
        with mock.patch.dict(os.environ), mock.patch.object(_library, "__file__", str(package / "_library.py")):
            os.environ.pop("MOEPREDICT_LIBRARY", None)
            return list(_library._places())

    def test_named_and_missing(self):
        nowhere = self.folder / "nowhere.so"
        self.assertIn(str(nowhere), self.refusal(nowhere))

    def test_the_name_wins_over_every_other_place(self):
        package = shutil.copytree(PACKAGE, self.folder / "moepredict")
        shutil.copy(LOADED, package / _library._NAME)
        code = "import moepredict; print(moepredict._library.library._name)"
        self.assertEqual(run(code, LOADED, self.folder).stdout.strip(), LOADED)
        self.assertEqual(run(code, None, self.folder).stdout.strip(), str(package / _library._NAME))

    def test_every_place_tried_is_named(self):
        package = shutil.copytree(PACKAGE, self.folder / "moepredict", ignore=shutil.ignore_patterns("*.so*"))
        if run("import moepredict", None, self.folder).returncode == 0:
            self.skipTest("this system has a libmoepredict installed")
        said = self.refusal(None, self.folder)
        self.assertIn("MOEPREDICT_LIBRARY", said)
        self.assertIn(f"  {package / _library._NAME}: ", said)
        self.assertIn(f"\n  {_library._NAME}: ", said)

    def test_builds_of_a_checkout_the_newest_first_and_none_with_sanitizers(self):
        root = self.folder / "threads"  # the checkout's own name does not matter
        package = root / "bindings" / "python" / "moepredict"
        names = ["build/tests", "build", "build-release", "build/tests-sanitize", "build/tests-threads"]
        builds = [root / name / "lib" / _library._NAME for name in names]
        for age, path in enumerate([root / "include" / "moepredict.h", *builds]):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            os.utime(path, (age, age))
        expected = [package / _library._NAME, builds[2], builds[1], builds[0], _library._NAME]
        self.assertEqual(self.places(package), list(map(str, expected)))

    def test_a_package_at_the_root_of_a_disk(self):
        package = pathlib.Path(self.folder.anchor, "moepredict")
        self.assertEqual(self.places(package)[0], str(package / _library._NAME))


@unittest.skipUnless(shutil.which("cc"), "no C compiler")
class Refusals(InFolder):
    def library(self, version, text, functions=()):
        source = self.folder / "stub.c"
        lines = [f"unsigned moep_version_number(void) {{ return {version}; }}",
                 f"const char *moep_version(void) {{ return \"{text}\"; }}"] if text else []
        lines += [f"void {name}(void) {{ }}" for name in functions if not name.startswith("moep_version")]
        source.write_text("\n".join([*lines, "int something_else;", ""]))
        made = self.folder / "stub.so"
        subprocess.run(["cc", "-w", "-shared", "-fPIC", "-o", made, source], check=True)
        return made

    def test_another_major_version_is_refused_with_both_named(self):
        made = self.library("1 << 16", "1.0.0", _library.PROTOTYPES)
        said = self.refusal(made)
        for word in (str(made), "1.0.0", f"{_library.MAJOR}.x"):
            self.assertIn(word, said)

    def test_an_older_library_is_refused_with_the_function_it_lacks(self):
        for lacking in ("moep_backtest", "moep_predictor_push_at"):
            made = self.library(1, "0.0.1", [name for name in _library.PROTOTYPES if name != lacking])
            said = self.refusal(made)
            with self.subTest(lacking):
                for word in (str(made), "0.0.1", f" {lacking}:"):
                    self.assertIn(word, said)

    def test_another_library_is_refused(self):
        made = self.library(0, "")
        self.assertIn(f"{made} is not libmoepredict", self.refusal(made))


class Import(InFolder):
    def test_neither_torch_nor_matplotlib_is_imported(self):
        for name in ("torch", "matplotlib"):
            (self.folder / f"{name}.py").touch()
        code = "import sys, moepredict; print(sorted({'torch', 'matplotlib'} & set(sys.modules)))"
        done = run(code, LOADED, PACKAGE.parent, self.folder)
        self.assertEqual((done.stdout, done.stderr), ("[]\n", ""))

    def test_all_is_there(self):
        for name in moepredict.__all__:
            self.assertTrue(hasattr(moepredict, name), name)
