# SPDX-License-Identifier: BSD-3-Clause
"""Writing files: beside the old ones first, which are replaced when all of the new ones are whole."""
from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from types import SimpleNamespace
from typing import Any, Dict, List, Tuple, Union

import numpy as np

Content = Union[bytes, np.ndarray]  # an array is written as a .npy file


def check_folder(folder: Any) -> None:
    """Before work begins whose results are to be written there: it is a folder that takes files."""
    if not os.path.isdir(folder):
        raise OSError(errno.ENOTDIR if os.path.exists(folder) else errno.ENOENT,
                      "not a folder" if os.path.exists(folder) else "no such folder", os.fspath(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(folder))


def _write(file: Any, content: Content) -> None:
    if isinstance(content, np.ndarray):
        # Not to the file itself, past which NumPy writes: it would not say that the disk is full.
        np.save(SimpleNamespace(write=file.write), content, allow_pickle=False)
    else:
        file.write(content)
    file.flush()


def _mode(path: str) -> int:
    """Of a file that is there; 0: there is none."""
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return 0


def _write_beside(path: str, content: Content, beside: List[Tuple[str, str]]) -> None:
    """Notes the file's name before it is written. Its permissions are the old one's, or what the umask leaves."""
    mode = _mode(path)
    if mode and not stat.S_ISREG(mode):  # a device or a pipe has no beside
        with open(path, "wb") as file:
            _write(file, content)
        return
    # Not named after the file, whose name may be as long as a name can be.
    name = os.path.join(os.path.dirname(path), f".moepredict-{secrets.token_hex(8)}")
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    beside.append((name, path))
    with open(descriptor, "wb") as file:
        if mode:
            os.fchmod(descriptor, stat.S_IMODE(mode))
        _write(file, content)
        os.fsync(descriptor)


def write_files(contents: Dict[Any, Content]) -> None:
    """Files by their paths. Whoever reads one finds the old or the new one, never a part; while any of them cannot be
    written, all the old ones stay. A symbolic link stays one."""
    beside: List[Tuple[str, str]] = []
    try:
        for path, content in contents.items():
            try:
                _write_beside(os.path.realpath(path), content, beside)
            except OSError as error:  # about the file that was asked for, not the one beside it
                error.filename = os.fspath(path)
                raise
        while beside:
            os.replace(*beside[0])
            del beside[0]
    finally:
        for name, _ in beside:
            with contextlib.suppress(OSError):
                os.unlink(name)
