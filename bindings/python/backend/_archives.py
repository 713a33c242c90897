# SPDX-License-Identifier: BSD-3-Clause
"""A wheel and a source distribution from files in memory: the same bytes for the same files."""
import base64
import gzip
import hashlib
import io
import pathlib
import tarfile
import zipfile

_FILE, _LIBRARY = 0o100644, 0o100755
_THEN = (1980, 1, 1, 0, 0, 0)


def _mode(name: str) -> int:
    return _LIBRARY if ".so" in name else _FILE


def _record(files: dict, own: str) -> bytes:
    lines = []
    for name, contents in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(contents).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(contents)}\n")
    return "".join([*lines, f"{own},,\n"]).encode()


def wheel(path: pathlib.Path, files: dict, record: str) -> str:
    """Write a wheel; return its name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in {**files, record: _record(files, record)}.items():
            entry = zipfile.ZipInfo(name, _THEN)
            entry.external_attr = _mode(name) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, contents)
    return path.name


def sdist(path: pathlib.Path, files: dict) -> str:
    """Write a source distribution, whose files are in a folder of its name; return the name."""
    folder = path.name[:-len(".tar.gz")]
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed, \
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, contents in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode = len(contents), 0o644
            archive.addfile(entry, io.BytesIO(contents))
    return path.name
