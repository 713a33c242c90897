# SPDX-License-Identifier: BSD-3-Clause
"""Packs the shared library that has been built into the wheel: MOEPREDICT_LIBRARY names it, or it is the newest of the
checkout's build folders.

    pip install --no-build-isolation ./bindings/python
"""
import os
import pathlib
import re

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.dist import Distribution
from wheel.bdist_wheel import bdist_wheel

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = "libmoepredict.so.0"


def header_version() -> str:
    text = (ROOT / "include" / "moepredict.h").read_text(encoding="utf-8")
    return ".".join(re.search(rf"MOEP_VERSION_{part} (\d+)", text)[1] for part in ("MAJOR", "MINOR", "PATCH"))


def built_library() -> pathlib.Path:
    named = os.environ.get("MOEPREDICT_LIBRARY")
    if named:
        return pathlib.Path(named)
    found = [path for path in [*ROOT.glob(f"build*/lib/{NAME}"), *ROOT.glob(f"build/*/lib/{NAME}")]
             if "sanitize" not in str(path) and "threads" not in str(path)]
    if not found:
        raise SystemExit("no libmoepredict has been built: sh examples/run.sh, or name it in MOEPREDICT_LIBRARY")
    return max(found, key=os.path.getmtime)


class BuildWithLibrary(build_py):
    def run(self):
        super().run()
        self.copy_file(str(built_library().resolve()), str(pathlib.Path(self.build_lib) / "moepredict" / NAME))


class ForOnePlatform(Distribution):
    def has_ext_modules(self):
        return True


class ForAnyPython(bdist_wheel):
    """The package calls the library through ctypes: it is bound to the platform, not to a Python."""

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


setup(
    name="moepredict",
    version=header_version(),
    description="how loaded each expert of a mixture-of-experts training run will be",
    license="BSD-3-Clause",
    packages=["moepredict"],
    package_data={"moepredict": ["py.typed"]},
    python_requires=">=3.8",
    install_requires=["numpy"],
    extras_require={"report": ["matplotlib"]},
    cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": ForAnyPython},
    distclass=ForOnePlatform,
)
