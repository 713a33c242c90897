# SPDX-License-Identifier: BSD-3-Clause
"""The README shows what its commands print, to the letter.

usage: test_readme.py REPLAY SOURCE_ROOT
"""
import os
import pathlib
import subprocess
import sys

REPLAY, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
TRACE = ROOT / "examples" / "data" / "small16-seed1.npy"
README = (ROOT / "README.md").read_text()


def printed(*command):
    return subprocess.run(list(map(str, command)), env={**os.environ, "REPLAY": REPLAY}, capture_output=True, text=True,
                          check=True, timeout=600).stdout


assert printed(REPLAY, TRACE) in README
for script, numbers in (("windows.sh", 50), ("methods.sh", 70)):
    table = printed("sh", ROOT / "examples" / script)
    assert table.count(".") > numbers and table.strip() in README, table
for window in (200, 1000):
    table = printed(REPLAY, "--first", 5000, "--window", window, TRACE)
    of_mean = next(line.split()[5] for line in table.splitlines() if line.split()[:1] == ["all"])
    assert f"{of_mean} % with window {window}" in README, of_mean
