# SPDX-License-Identifier: BSD-3-Clause
"""Writes files atomically: new ones are complete before they replace old ones."""
from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from types import SimpleNamespace
from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

Content = Union[bytes, NDArray[Any]]  # an array is written as a .npy file


def check_folder(folder: Any) -> None:
    """Raise an error, before any work is done, unless files can be written to the folder."""
    if not os.path.isdir(folder):
        raise OSError(errno.ENOTDIR if os.path.exists(folder) else errno.ENOENT,
                      "not a folder" if os.path.exists(folder) else "no such folder", os.fspath(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "the folder cannot be written to", os.fspath(folder))


def _write(file: Any, content: Content) -> None:
    if isinstance(content, np.ndarray):
        # NumPy would write past the Python file, and not report a full disk.
        np.save(SimpleNamespace(write=file.write), content, allow_pickle=False)
    else:
        file.write(content)
    file.flush()


def _status(path: Any) -> Optional[os.stat_result]:
    """The status of a file; None: the file does not exist."""
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _is_written_itself(path: Any, old: Optional[os.stat_result]) -> bool:
    """True for a file that no new one can replace: a device, a pipe, or a file without a name. Links of /proc, as
    /dev/stdout, may lead to such a file, whatever name they show."""
    if old is None:
        return False
    named = _status(os.path.realpath(path)) if stat.S_ISREG(old.st_mode) else None
    return named is None or not os.path.samestat(named, old)


def _write_beside(path: Any, content: Content, beside: List[Tuple[str, str]]) -> None:
    """Write a temporary file and append (its name, path) to `beside`, which comes first. The permissions are those of
    the old file, or what the umask leaves."""
    old = _status(path)
    if _is_written_itself(path, old):
        with open(path, "wb") as file:
            _write(file, content)
        return
    path = os.path.realpath(path)
    # The file's name may have the greatest possible length, so the temporary name does not contain it.
    name = os.path.join(os.path.dirname(path), f".moepredict-{secrets.token_hex(8)}")
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    beside.append((name, path))
    with open(descriptor, "wb") as file:
        if old is not None:
            os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
        _write(file, content)
        os.fsync(descriptor)


def write_files(contents: Dict[Any, Content]) -> None:
    """Write files, by their paths. A reader finds the old file or the new one, never a part. If any of them cannot be
    written, all old ones stay. A symbolic link remains one."""
    beside: List[Tuple[str, str]] = []
    try:
        for path, content in contents.items():
            try:
                _write_beside(path, content, beside)
            except OSError as error:  # name the file itself, not the temporary one
                error.filename = os.fspath(path)
                raise
        while beside:
            os.replace(*beside[0])
            del beside[0]
    finally:
        for name, _ in beside:
            with contextlib.suppress(OSError):
                os.unlink(name)
