# SPDX-License-Identifier: BSD-3-Clause
"""Builds the shared library by meson: the system's, or one that pip has fetched for the build."""
import os
import pathlib
import shutil
import subprocess
import sys

_LEAST = (1, 0)
OPTIONS = ["-Dbuildtype=release", "-Dstrip=true", "-Dpython=disabled"] + [
    f"-D{name}=disabled" for name in ("tests", "examples", "benchmarks", "openblas", "gsl")]

_PARTS = ("include", "lib")                    # the folders of the library's sources
_KINDS = ("*.c", "*.h", "*.in", "*.map", "meson.build")  # no files that editors or patches leave there
_DESCRIBED = ("examples", "tests", "bindings")  # the top meson.build reads the meson.build of these folders too


def _environments():
    """The present environment, and one without pip's settings for Python, which hide the modules of a system's
    meson."""
    yield dict(os.environ)
    yield {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONNOUSERSITE")}


def _meson():
    """The environment in which meson runs and is recent enough; None if there is none."""
    for environment in _environments():
        try:
            answer = subprocess.run(["meson", "--version"], env=environment, stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, universal_newlines=True, check=True).stdout
            if tuple(map(int, answer.split(".")[:2])) >= _LEAST:
                return environment
        except (OSError, ValueError, subprocess.CalledProcessError):
            pass
    return None


def _ninja() -> bool:
    return any(shutil.which(name) for name in ("ninja", "ninja-build", "samu"))


def missing() -> list:
    """The requirements that pip has to fetch for the build."""
    return ([] if _meson() else [f"meson >= {'.'.join(map(str, _LEAST))}"]) + ([] if _ninja() else ["ninja"])


def _run(environment, *command):
    done = subprocess.run(list(map(str, command)), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        sys.stderr.flush()
        raise SystemExit(f"libmoepredict could not be built: {command[0]} {command[1]} failed, see above. It needs a "
                         "C11 compiler, meson and ninja")


def library(sources: pathlib.Path, scratch: pathlib.Path) -> pathlib.Path:
    """Build the library in `scratch`; return its file."""
    lacking = missing()
    if lacking:
        raise SystemExit(f"libmoepredict cannot be built without {' and '.join(lacking)}: install them (apt-get "
                         "install meson ninja-build, or pip install meson ninja), or leave out --no-build-isolation")
    environment, build = _meson(), scratch / "build"
    _run(environment, "meson", "setup", build, sources, "--prefix=/", "--libdir=lib", *OPTIONS)
    _run(environment, "meson", "compile", "-C", build)
    environment["DESTDIR"] = str(scratch / "installed")
    _run(environment, "meson", "install", "-C", build, "--no-rebuild", "--tags", "runtime")
    return next(path for path in (scratch / "installed" / "lib").glob("libmoepredict.so.*") if not path.is_symlink())


def inputs(sources: pathlib.Path) -> list:
    """The files that the library is built from."""
    found = [sources / "meson.build", sources / "meson_options.txt", sources / "LICENSE"]
    for patterns, folders in ((_KINDS, _PARTS), (("meson.build",), _DESCRIBED)):
        for folder in folders:
            for pattern in patterns:
                found += (sources / folder).rglob(pattern)
    return sorted(path for path in found if path.is_file())
