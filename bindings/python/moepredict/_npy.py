# SPDX-License-Identifier: BSD-3-Clause
"""Traces from .npy files, mapped into memory. Files may come from anywhere: a file that is damaged or no trace raises
an error of one line that names it. The format:
https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html"""
from __future__ import annotations

import contextlib
import math
import os
import re
import stat
from typing import Any, BinaryIO, Dict, Iterator, Literal, Tuple

import numpy as np
from numpy.typing import NDArray

from ._text import shown

_MAGIC, _ZIP = b"\x93NUMPY", b"PK\x03\x04"
_LONGEST_HEADER = 65535
_ADVICE = "save the counts with numpy.save"
_VALUE = r"'[^'\\]*'|\"[^\"\\]*\"|True|False|\([-+\d\s,L]*\)|\[[^\\]*\]"
_ITEM = re.compile(rf"\s*(?:'(\w+)'|\"(\w+)\")\s*:\s*({_VALUE})\s*(,|$)", re.ASCII)
_DTYPE = re.compile(r"[<>|=]?[biufc]\d{1,2}", re.ASCII)
_SHAPE = re.compile(r"\(\s*(?:\d{1,20}L?\s*,\s*)*(?:\d{1,20}L?\s*)?\)", re.ASCII)  # Python 2 writes 3L


class BadTrace(ValueError):
    """A file does not hold a trace."""


class UnreadableTrace(OSError, BadTrace):
    """The system does not let us read a file."""

    def __str__(self) -> str:
        return f"{shown(self.filename)}: {self.strerror}"


class MissingTrace(FileNotFoundError, UnreadableTrace):
    """There is no such file."""


@contextlib.contextmanager
def named(name: Any) -> Iterator[None]:
    """Any error within becomes a BadTrace that names the file."""
    try:
        yield
    except OSError as error:
        kind = MissingTrace if isinstance(error, FileNotFoundError) else UnreadableTrace
        raise kind(error.errno, error.strerror or str(error), os.fspath(name)) from None
    except (ValueError, TypeError) as error:
        raise BadTrace(f"{shown(name)}: {error}") from None


def _exactly(file: BinaryIO, size: int) -> bytes:
    read = file.read(size)
    if len(read) < size:
        raise ValueError("the file ends within its header")
    return read


def _read_header(file: BinaryIO) -> str:
    start = file.read(len(_MAGIC))
    if start.startswith(_ZIP):
        raise ValueError(f"this is an archive of arrays, .npz: {_ADVICE}")
    if start != _MAGIC:
        raise ValueError(f"this is {'no .npy file' if start else 'an empty file'}: {_ADVICE}")
    major = _exactly(file, 2)[0]
    if not 1 <= major <= 3:
        raise ValueError("this version of the .npy format is unknown")
    length = int.from_bytes(_exactly(file, 2 if major == 1 else 4), "little")
    if length > _LONGEST_HEADER:
        raise ValueError("the header is longer than that of any trace")
    return _exactly(file, length).decode("latin-1")


def _items(header: str) -> Dict[str, str]:
    """The header as the texts of its values. It is a Python dictionary, which is parsed and never evaluated."""
    header = header.strip()
    inner, at, items = header[1:-1], 0, {}
    while at < len(inner.rstrip()):
        item = _ITEM.match(inner, at)
        if item is None or (item[1] or item[2]) in items:
            break
        items[item[1] or item[2]], at = item[3], item.end()
    if (header[:1], header[-1:]) != ("{", "}") or at < len(inner.rstrip()) or items.keys() != {
            "descr", "fortran_order", "shape"}:
        raise ValueError("its header is damaged")
    return items


def _parsed(header: str) -> Tuple[np.dtype[Any], Tuple[int, ...], Literal["C", "F"]]:
    """The dtype, shape and order of the array."""
    items = _items(header)
    descr = items["descr"][1:-1]
    if not _DTYPE.fullmatch(descr):
        what = "Python objects" if descr.endswith("O") else f"dtype {shown(items['descr'])}"
        raise ValueError(f"it holds {what}, not numbers")
    if not _SHAPE.fullmatch(items["shape"]) or items["fortran_order"] not in ("True", "False"):
        raise ValueError("its header is damaged: shape " + shown(items["shape"]))
    shape = tuple(int(length) for length in re.findall(r"\d+", items["shape"]))
    try:
        return np.dtype(descr), shape, "F" if items["fortran_order"] == "True" else "C"
    except TypeError:
        raise ValueError(f"dtype {descr} is unknown") from None


def mapped(name: Any) -> NDArray[Any]:
    """The array of a .npy file, mapped read-only: numbers of any dtype and shape, but no axis of length 0."""
    if not stat.S_ISREG(os.stat(name).st_mode):
        raise ValueError("this is " + ("a folder" if os.path.isdir(name) else "no regular file") + ", not a .npy file")
    with open(name, "rb") as file:
        dtype, shape, order = _parsed(_read_header(file))
        offset, size = file.tell(), os.fstat(file.fileno()).st_size
        if 0 in shape:
            raise ValueError(f"the trace has shape {shape}: no axis may be 0")
        needed = math.prod(shape) * dtype.itemsize
        if size - offset < needed:
            raise ValueError(f"the file ends within its counts: {size - offset:,} bytes of {needed:,}")
        counts: NDArray[Any] = np.memmap(file, dtype, "r", offset, shape, order)
        return counts
