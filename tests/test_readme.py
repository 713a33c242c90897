# SPDX-License-Identifier: BSD-3-Clause
"""The README shows the output of its commands, to the letter.

usage: test_readme.py REPLAY SOURCE_ROOT [--update]    --update: puts into the README what they print now
"""
import os
import pathlib
import re
import subprocess
import sys

REPLAY, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
TRACE = ROOT / "examples" / "data" / "small16-seed1.npy"
README = ROOT / "README.md"
SCRIPTS = {"windows.sh": 50, "methods.sh": 70, "kinds.sh": 120}  # the numbers that they print at least


def printed(*command):
    return subprocess.run(list(map(str, command)), env={**os.environ, "REPLAY": REPLAY}, capture_output=True, text=True,
                          check=True, timeout=600).stdout


def updated(text, block):
    """The text with the block in place of the one that begins with the same line."""
    first = re.escape(block.splitlines()[0])
    text, found = re.subn(rf"^{first}\n(?:(?!```).+\n)*", lambda old: block + "\n", text, flags=re.MULTILINE)
    assert found == 1, f"{found} blocks of the README begin with {first}"
    return text


def blocks(output):
    return output.strip("\n").split("\n\n")


of_replay, tables = printed(REPLAY, TRACE), []
for script, numbers in SCRIPTS.items():
    table = printed("sh", ROOT / "examples" / script)
    assert len(re.findall(r"\d\.\d", table)) > numbers, table
    tables += blocks(table)
readme = README.read_text()
if "--update" in sys.argv:
    for block in blocks(of_replay) + tables:
        readme = updated(readme, block)
    README.write_text(readme)
for output in (of_replay, *tables):
    assert output in readme, f"the README does not show this; --update puts it in:\n{output}"
for window in (200, 1000):
    of_mean = next(line.split()[5] for line in printed(REPLAY, "--first", 5000, "--window", window, TRACE).splitlines()
                   if line.split()[:1] == ["all"])
    assert f"{of_mean} % with window {window}" in readme, of_mean
