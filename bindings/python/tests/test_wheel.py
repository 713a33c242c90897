# SPDX-License-Identifier: BSD-3-Clause
"""pip makes a source distribution into a wheel, library and all, without a network, and installs it where no compiler
is.

The library is built once. Everything else that pip installs uses it."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import unittest
import zipfile
from unittest import mock

PACKAGE = pathlib.Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parents[1]
sys.path.append(str(PACKAGE / "backend"))
import _build  # noqa: E402
import _elf  # noqa: E402
import moepredict_build as backend  # noqa: E402

CODE = """import numpy, moepredict
print(moepredict.__file__, moepredict._library.library._name, moepredict.__version__)
with moepredict.Predictor("lstm", layers=1, experts=2) as predictor:
    predictor.push(numpy.full((100, 1, 2), 7))
    print(predictor, predictor.predict(50)[0, 0])"""


def run(*command, cwd, code=0, **environment):
    """Run a command; return what it prints."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MOEPREDICT_LIBRARY")}
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd,
                          env={**clean, **environment})
    assert done.returncode == code, done.stdout
    return done.stdout


def pip(folder, command, *arguments):
    """Run pip offline; the requirements of the backend must be installed already."""
    offline = ["--no-index", "--no-deps"] if command != "uninstall" else []
    return run(folder / "venv" / "bin" / "python3", "-m", "pip", "--disable-pip-version-check", command, *offline,
               *arguments, cwd=folder)


class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        made = tempfile.TemporaryDirectory()
        cls.addClassCleanup(made.cleanup)
        cls.folder = pathlib.Path(made.name).resolve()
        run(sys.executable, "-m", "venv", "--system-site-packages", cls.folder / "venv", cwd=cls.folder)
        cls.sdist = cls.folder / backend.build_sdist(cls.folder)
        pip(cls.folder, "wheel", "--wheel-dir", cls.folder, cls.sdist)
        cls.wheel, = cls.folder.glob("*.whl")

    def installed(self, *arguments):
        """The output of the package where there is neither a checkout nor a compiler."""
        pip(self.folder, "install", "--force-reinstall", *arguments)
        self.addCleanup(pip, self.folder, "uninstall", "--yes", "moepredict")
        return run(self.folder / "venv" / "bin" / "python3", "-c", CODE, cwd=self.folder,
                   PATH=str(self.folder / "venv" / "bin"))

    def assert_works_alone(self, output):
        for place in output.split()[:2]:
            self.assertTrue(place.startswith(str(self.folder / "venv")), output)
        self.assertIn(f" {backend.version()}\n<moepredict.Predictor lstm, 1 x 2, 100 steps> 0.5", output)

    def test_the_wheel_of_a_source_distribution_works_alone(self):
        self.assert_works_alone(self.installed(self.wheel))

    def test_its_tag_is_the_oldest_glibc_that_has_all_that_its_library_asks_for(self):
        with zipfile.ZipFile(self.wheel) as archive:
            library = archive.extract(f"moepredict/{backend.LIBRARY}", self.folder)
            tag, = re.findall(r"^Tag: (.*)$", archive.read(f"{backend._about()}/WHEEL").decode(), flags=re.M)
            self.assertIsNone(archive.testzip())
        required = re.findall(r"\(?GLIBC_2\.(\d+)[.\d]*\)?", run("objdump", "-T", library, cwd=self.folder))
        machine = sysconfig.get_platform().split("-", 1)[1].replace("-", "_")
        self.assertEqual(tag, f"py3-none-manylinux_2_{max(map(int, required))}_{machine}")
        self.assertEqual(self.wheel.name, f"moepredict-{backend.version()}-{tag}.whl")

    def test_its_library_is_stripped_and_exports_what_the_header_declares(self):
        with zipfile.ZipFile(self.wheel) as archive:
            library = archive.extract(f"moepredict/{backend.LIBRARY}", self.folder)
        self.assertIn("no symbols", run("objdump", "-t", library, cwd=self.folder))
        exported = set(re.findall(r" g .*\.text\s.* (\w+)$", run("objdump", "-T", library, cwd=self.folder),
                                  flags=re.M))
        header = (ROOT / "include" / "moepredict.h").read_text()
        self.assertEqual(exported, set(re.findall(r"^MOEP_API .*?(moep_\w+)\(", header, flags=re.M)))

    def test_a_folder_and_a_repository_install_alike(self):
        library = self.folder / "libmoepredict.so"
        with zipfile.ZipFile(self.wheel) as archive:
            library.write_bytes(archive.read(f"moepredict/{backend.LIBRARY}"))
        checkout = self.folder / "checkout"
        for path in [*_build.inputs(ROOT), *PACKAGE.glob("*.toml"), *PACKAGE.glob("backend/*.py"), *backend._modules()]:
            copy = checkout / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        places = [checkout / "bindings" / "python"]
        if shutil.which("git"):
            for words in (["init", "--quiet"], ["add", "."],
                          ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "t"]):
                run("git", *words, cwd=checkout, HOME=str(self.folder))
            places.append(f"git+file://{checkout}#subdirectory=bindings/python")
        for place in places:
            with self.subTest(str(place)):
                self.assert_works_alone(self.installed("--config-settings", f"library={library}", place))


class Builds(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.folder = pathlib.Path(made.name)

    def programs(self, **scripts):
        for name, script in scripts.items():
            (self.folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (self.folder / name).chmod(0o755)
        return mock.patch.dict(os.environ, PATH=str(self.folder))

    def test_missing_tools_are_requirements(self):
        with self.programs():
            self.assertEqual(backend.get_requires_for_build_wheel(), ["meson >= 1.0", "ninja"])
            self.assertEqual(backend.get_requires_for_build_wheel({"library": "any"}), [])
            with self.assertRaisesRegex(SystemExit, "without meson >= 1.0 and ninja: install them"):
                _build.library(ROOT, self.folder)
        with self.programs(meson="echo 0.61.2", ninja=""):
            self.assertEqual(backend.get_requires_for_build_wheel(), ["meson >= 1.0"])
        with self.programs(meson="echo 1.0.1"):
            self.assertEqual(backend.get_requires_for_build_wheel(), [])

    def test_a_meson_whose_modules_pip_hides_is_used_all_the_same(self):
        with self.programs(meson='[ -z "$PYTHONPATH" ] && echo 1.3.0', ninja=""), \
                mock.patch.dict(os.environ, PYTHONPATH="/x"):
            self.assertNotIn("PYTHONPATH", _build._meson())

    def test_a_build_that_fails_says_why(self):
        with self.programs(meson='[ "$1" = --version ] && echo 1.0.1 || { echo no compiler; exit 1; }', ninja=""), \
                mock.patch.object(_build.sys, "stderr") as stderr:
            with self.assertRaisesRegex(SystemExit, "meson setup failed"):
                _build.library(ROOT, self.folder)
        stderr.write.assert_called_with("no compiler\n")

    def test_missing_sources_are_reported(self):
        with mock.patch.object(backend, "PACKAGE", self.folder / "some" / "python"):
            with self.assertRaisesRegex(SystemExit, "not in .*source nor in .*: install from a checkout or"):
                backend.sources()
        with mock.patch.object(backend, "PACKAGE", pathlib.Path("/unpacked")):  # of which there is one place alone
            with self.assertRaisesRegex(SystemExit, "not in /unpacked/source: install from"):
                backend.sources()

    def test_a_library_that_is_named_wrongly_is_refused(self):
        (self.folder / "text.so").write_text("no library")
        for name, words in (("build/libmoepredict.so", "absolute path"), (str(self.folder / "none"), "no such file"),
                            (str(self.folder / "text.so"), "no ELF file")):
            with self.assertRaisesRegex(SystemExit, words):
                backend.build_wheel(self.folder, {"library": name})

    def test_other_files_among_the_sources_are_left_out(self):
        for name in ("meson.build", "lib/a.c", "lib/sub/b.h", "lib/c.map", "lib/d.in", "lib/meson.build",
                     "lib/a.c.orig", "lib/a.o", "lib/.a.c.swp", "include/e.h", "tests/meson.build", "tests/f.c"):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).touch()
        self.assertEqual({path.relative_to(self.folder).as_posix() for path in _build.inputs(self.folder)},
                         {"meson.build", "lib/a.c", "lib/sub/b.h", "lib/c.map", "lib/d.in", "lib/meson.build",
                          "include/e.h", "tests/meson.build"})

    def test_an_editable_install_points_to_the_package(self):
        with zipfile.ZipFile(self.folder / backend.build_editable(self.folder)) as archive:
            self.assertEqual(archive.read("moepredict.pth").decode(), f"{PACKAGE}\n")

    def test_an_editable_install_without_a_library_is_refused(self):
        (self.folder / "include").mkdir()
        shutil.copy(ROOT / "include" / "moepredict.h", self.folder / "include")
        shutil.copy(ROOT / "LICENSE", self.folder)
        for built in ("sanitize", "release"):
            library = self.folder / "build" / built / "lib" / backend.LIBRARY
            library.parent.mkdir(parents=True)
            with mock.patch.object(backend, "PACKAGE", self.folder / "bindings" / "python"), \
                    mock.patch.dict(os.environ, MOEPREDICT_LIBRARY=""), mock.patch("ctypes.CDLL", side_effect=OSError):
                with self.assertRaisesRegex(SystemExit, "no library yet .* in the checkout"):
                    backend.build_editable(self.folder)
                library.touch()
                if built == "release":
                    self.assertTrue(backend.build_editable(self.folder))


ELF = b"\x7fELF\x02\x01".ljust(18, b"\0") + b"\x3e\0"  # a file's first bytes, of x86-64


class Tags(unittest.TestCase):
    def tag(self, versions, libraries=("libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"), platform="linux-x86_64"):
        with mock.patch.object(_elf, "needs", return_value=(set(libraries), set(versions))), \
                mock.patch.object(sysconfig, "get_platform", return_value=platform):
            return _elf.platform(ELF[:18] + bytes([_elf._MACHINES.get(platform.split("-")[1], 1), 0]))

    def test_the_newest_required_version_decides(self):
        self.assertEqual(self.tag({"GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_2.14"}), "manylinux_2_34_x86_64")
        self.assertEqual(self.tag({"GLIBC_2.2.5", "GLIBC_ABI_DT_RELR"}), "manylinux_2_36_x86_64")
        self.assertEqual(self.tag({"GLIBC_2.2.5"}), "manylinux_2_5_x86_64")
        self.assertEqual(self.tag({"GLIBC_2.2.5"}, platform="linux-aarch64"), "manylinux_2_17_aarch64")

    def test_a_library_that_needs_more_than_glibc_is_for_this_machine_alone(self):
        for versions, libraries in (({"GLIBC_2.34"}, ["libc.so.6", "libopenblas.so.0"]),
                                    ({"GLIBC_PRIVATE"}, ["libc.so.6"]), ({"GLIBC_2.34", "GCC_3.0"}, ["libc.so.6"]),
                                    (set(), ["libc.musl-x86_64.so.1"])):
            self.assertEqual(self.tag(versions, libraries), "linux_x86_64")

    def test_a_file_that_is_no_elf_file_is_refused(self):
        with self.assertRaisesRegex(SystemExit, "no ELF file"):
            _elf.platform(b"MZ")

    def test_a_library_that_is_cut_or_for_another_machine_is_refused(self):
        with mock.patch.object(sysconfig, "get_platform", return_value="linux-x86_64"):
            for elf, words in ((ELF[:5], "damaged"), (ELF, "damaged"), (ELF[:18] + b"\xb7\0", "another machine")):
                with self.assertRaisesRegex(SystemExit, words):
                    _elf.platform(elf)
        self.assertEqual(self.tag({"GLIBC_2.34"}, platform="linux-unheard_of"), "manylinux_2_34_unheard_of")
