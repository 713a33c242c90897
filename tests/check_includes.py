# SPDX-License-Identifier: BSD-3-Clause
"""Includes within lib/ go downwards, and never in a circle.

A file sees its own folder and the folders that stand before it in FOLDERS. Folders that stand on one line are
neighbours, which do not see each other. Every include of ours is written from lib/ on, so that it can be read as a
place in this order.

usage: check_includes.py LIB
"""

import pathlib
import re
import sys

FOLDERS = [
    ["support"],
    ["api"],
    ["checkpoint"],
    ["series"],
    ["methods"],
    ["methods/arima/kernel", "methods/lstm/features"],
    ["methods/lstm/network"],
    ["methods/lstm/training"],
    ["methods/arima", "methods/lstm", "methods/auto"],
    ["detector", "predictor", "placement"],
    ["evaluation"],
]
FLOOR = {folder: floor for floor, folders in enumerate(FOLDERS) for folder in folders}
PUBLIC = "moepredict.h"


def folder_of(name):
    return name.rpartition("/")[0]


def method_of(folder):
    """arima, lstm or auto; methods know each other by the table in methods/method.h alone."""
    parts = folder.split("/")
    return parts[1] if parts[0] == "methods" and len(parts) > 1 else None


def fault_of(name, included, files):
    """What is wrong with that include, in words; None if nothing is."""
    here, there = folder_of(name), folder_of(included)
    if included not in files:
        return f"{name} includes {included}: no such file, counted from lib/"
    for folder in (here, there):
        if folder not in FLOOR:
            return f"{name} includes {included}: the folder {folder or 'lib'} has no place in the order"
    if here != there and FLOOR[there] >= FLOOR[here]:
        return f"{name} includes {included}: {there} is not below {here}"
    if None not in (method_of(here), method_of(there)) and method_of(here) != method_of(there):
        return f"{name} includes {included}: one method looks into another"
    return None


def circle(includes):
    """The files of a circle, from one of them back to it; [] if there is none."""
    done, path = set(), []

    def walk(name):
        if name in path:
            return path[path.index(name):] + [name]
        if name in done:
            return []
        path.append(name)
        found = next(filter(None, map(walk, includes[name])), [])
        path.pop()
        done.add(name)
        return found

    return next(filter(None, map(walk, includes)), [])


def main(lib):
    paths = {str(path.relative_to(lib)): path for path in sorted(lib.rglob("*.[ch]"))}
    includes = {
        name: [at for at in re.findall(r'^#include "(.+)"', path.read_text(), re.M) if at != PUBLIC]
        for name, path in paths.items()
    }
    faults = [fault_of(name, at, paths) for name, of_file in includes.items() for at in of_file]
    faults = [fault for fault in faults if fault]
    if not faults and (names := circle(includes)):
        faults.append("a circle: " + " -> ".join(names))
    print("\n".join(faults) or f"{len(paths)} files, {sum(map(len, includes.values()))} includes, all downwards")
    return 1 if faults or not paths else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
