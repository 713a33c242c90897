# SPDX-License-Identifier: BSD-3-Clause
"""The hooks that pip calls (PEP 517, PEP 660): a source distribution, a wheel with the library, an editable install.

The C sources lie two folders above a checkout's bindings/python, where no ready-made backend looks for them, and in the
folder `source` of a source distribution. Nothing but meson and ninja is needed, and those may be the system's.
"""
import ctypes
import os
import pathlib
import re
import tempfile

import _archives
import _build
import _elf

PACKAGE = pathlib.Path(__file__).resolve().parents[1]
MAJOR = 0
LIBRARY = f"libmoepredict.so.{MAJOR}"  # as moepredict/_library.py looks for it


def sources() -> pathlib.Path:
    """The folder of meson.build."""
    places = [PACKAGE / "source", *list(PACKAGE.parents)[1:2]]  # a folder directly below the root has only one parent
    for place in places:
        if (place / "include" / "moepredict.h").exists():
            return place
    raise SystemExit(f"the C sources of libmoepredict are not in {' nor in '.join(map(str, places))}: install from a "
                     "checkout or a source distribution, with pip 21.3 or later")


def version() -> str:
    text = (sources() / "include" / "moepredict.h").read_text(encoding="utf-8")
    return ".".join(re.search(rf"MOEP_VERSION_{part} (\d+)", text)[1] for part in ("MAJOR", "MINOR", "PATCH"))


def metadata() -> str:
    return f"""\
Metadata-Version: 2.1
Name: moepredict
Version: {version()}
Summary: how loaded each expert of a mixture-of-experts training run will be
License: BSD-3-Clause
License-File: LICENSE
Requires-Python: >=3.8
Requires-Dist: numpy >= 1.22
Provides-Extra: report
Requires-Dist: matplotlib >= 3.5; extra == 'report'
"""


def _modules() -> list:
    package = PACKAGE / "moepredict"
    return sorted(path for path in package.rglob("*") if path.suffix == ".py" or path.name == "py.typed")


def _about() -> str:
    return f"moepredict-{version()}.dist-info"


def _wheel(folder, tag, files) -> str:
    """files: {name in the wheel: contents}."""
    about = _about()
    description = f"Wheel-Version: 1.0\nGenerator: moepredict\nRoot-Is-Purelib: false\nTag: {tag}\n"
    files = {**files, f"{about}/METADATA": metadata().encode(), f"{about}/WHEEL": description.encode(),
             f"{about}/LICENSE": (sources() / "LICENSE").read_bytes()}
    return _archives.wheel(pathlib.Path(folder) / f"moepredict-{version()}-{tag}.whl", files, f"{about}/RECORD")


def _named_library(name: str) -> pathlib.Path:
    """The library that config_settings name as library=FILE."""
    if not os.path.isabs(name):
        raise SystemExit(f"library={name}: expected an absolute path, because pip builds in a folder of its own")
    if not os.path.isfile(name):
        raise SystemExit(f"library={name}: there is no such file")
    return pathlib.Path(name)


def _finds_library() -> bool:
    """True if an editable package would find a library, by the rules of moepredict/_library.py."""
    checkout = sources()
    found = [] if checkout == PACKAGE / "source" else [
        *checkout.glob(f"build*/lib/{LIBRARY}"), *checkout.glob(f"build/*/lib/{LIBRARY}")]
    if os.environ.get("MOEPREDICT_LIBRARY") or any(
            not re.search("sanitize|threads", str(path.relative_to(checkout))) for path in found):
        return True
    try:
        return bool(ctypes.CDLL(LIBRARY))
    except OSError:
        return False


# ---- the hooks ----

def get_requires_for_build_wheel(config_settings=None):
    return [] if "library" in (config_settings or {}) else _build.missing()


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = pathlib.Path(metadata_directory) / _about()
    folder.mkdir()
    (folder / "METADATA").write_text(metadata(), encoding="utf-8")
    (folder / "LICENSE").write_bytes((sources() / "LICENSE").read_bytes())
    return folder.name


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """config_settings: library=FILE packs a library that is built already."""
    files = {path.relative_to(PACKAGE).as_posix(): path.read_bytes() for path in _modules()}
    with tempfile.TemporaryDirectory() as folder:
        named = (config_settings or {}).get("library")
        contents = (_named_library(named) if named else _build.library(sources(), pathlib.Path(folder))).read_bytes()
    files[f"moepredict/{LIBRARY}"] = contents
    return _wheel(wheel_directory, f"py3-none-{_elf.platform(contents)}", files)


def build_sdist(sdist_directory, config_settings=None):
    name = f"moepredict-{version()}"
    files = {"PKG-INFO": metadata().encode(), "LICENSE": (sources() / "LICENSE").read_bytes()}
    for path in (PACKAGE / "pyproject.toml", *sorted((PACKAGE / "backend").glob("*.py")), *_modules()):
        files[path.relative_to(PACKAGE).as_posix()] = path.read_bytes()
    for path in _build.inputs(sources()):
        files[f"source/{path.relative_to(sources()).as_posix()}"] = path.read_bytes()
    return _archives.sdist(pathlib.Path(sdist_directory) / f"{name}.tar.gz", files)


def get_requires_for_build_editable(config_settings=None):
    return []


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """Install the package in place. It loads the newest library of the checkout's build folders. A .pth names a whole
    folder, so `backend` and `tests` beside the package can be imported too."""
    if not _finds_library():
        raise SystemExit("there is no library yet for an editable install: build one in the checkout (meson setup "
                         "build && ninja -C build), or install without --editable")
    return _wheel(wheel_directory, "py3-none-any", {"moepredict.pth": os.fsencode(PACKAGE) + b"\n"})
