# SPDX-License-Identifier: BSD-3-Clause
"""Writing files: beside the old ones first, which are replaced when all of the new ones are whole."""
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
    """Before work begins whose results are to be written there: it is a folder that takes files."""
    if not os.path.isdir(folder):
        raise OSError(errno.ENOTDIR if os.path.exists(folder) else errno.ENOENT,
                      "not a folder" if os.path.exists(folder) else "no such folder", os.fspath(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "the folder takes no new file", os.fspath(folder))


def _write(file: Any, content: Content) -> None:
    if isinstance(content, np.ndarray):
        # Not to the file itself, past which NumPy writes: it would not say that the disk is full.
        np.save(SimpleNamespace(write=file.write), content, allow_pickle=False)
    else:
        file.write(content)
    file.flush()


def _status(path: Any) -> Optional[os.stat_result]:
    """Of a file that is there."""
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _is_written_itself(path: Any, old: Optional[os.stat_result]) -> bool:
    """A device or a pipe has no beside; nor has a file to which no name leads: links of /proc, as /dev/stdout is one, lead to
    files that are deleted or elsewhere, whatever they say."""
    if old is None:
        return False
    named = _status(os.path.realpath(path)) if stat.S_ISREG(old.st_mode) else None
    return named is None or not os.path.samestat(named, old)


def _write_beside(path: Any, content: Content, beside: List[Tuple[str, str]]) -> None:
    """Notes the file's name before it is written. Its permissions are the old one's, or what the umask leaves."""
    old = _status(path)
    if _is_written_itself(path, old):
        with open(path, "wb") as file:
            _write(file, content)
        return
    path = os.path.realpath(path)
    # Not named after the file, whose name may be as long as a name can be.
    name = os.path.join(os.path.dirname(path), f".moepredict-{secrets.token_hex(8)}")
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    beside.append((name, path))
    with open(descriptor, "wb") as file:
        if old is not None:
            os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
        _write(file, content)
        os.fsync(descriptor)


def write_files(contents: Dict[Any, Content]) -> None:
    """Files by their paths. Whoever reads one finds the old or the new one, never a part; while any of them cannot be
    written, all the old ones stay. A symbolic link stays one."""
    beside: List[Tuple[str, str]] = []
    try:
        for path, content in contents.items():
            try:
                _write_beside(path, content, beside)
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
