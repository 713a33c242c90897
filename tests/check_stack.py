# SPDX-License-Identifier: BSD-3-Clause
"""No function of the library takes more of the stack than the smallest stack bears, at any vector width, whatever the
processor here has. Reads what the compiler has written beside the objects (-fstack-usage).

Only of optimized builds (2, 3, s) without sanitizers or LTO, by compilers that have the option: without optimization
functions take several times as much, sanitizers lay fences around what is on the stack, and with LTO the objects hold
no code yet.

usage: check_stack.py BUILD_FOLDER_OF_LIB
"""
import pathlib
import sys

# Of 64 KiB that a call may have. The deepest chains hold one such function, one of 10 KiB and a dozen smaller ones:
# test_stack.c measures them. The largest is an ARIMA evaluation with AVX-512: 18 KB as gcc 12 has it, 27 KB as clang 14.
MOST = 28 << 10

# How the compiler knows a size: all of it, or, where it aligns a frame at run time, its bound. "dynamic" alone means
# that it knows of none.
BOUNDED = {"static", "dynamic,bounded"}

functions = {}
for path in pathlib.Path(sys.argv[1]).rglob("*.su"):
    if not path.with_suffix(".o").exists():
        continue  # of a file that is no more
    for line in path.read_text(encoding="utf-8").splitlines():
        place, size, kind = line.split("\t")
        functions[path.parent.name, place] = int(size), kind
faults = [f"{size} bytes of stack, more than {MOST}: {place} in {folder}"
          for (folder, place), (size, _) in functions.items() if size > MOST]
faults += [f"stack without a bound ({kind}): {place} in {folder}"
           for (folder, place), (_, kind) in functions.items() if kind not in BOUNDED]
if len(functions) < 500:
    faults.append("the compiler has reported too few functions")
largest = max((size for size, _ in functions.values()), default=0)
print(*faults, f"{len(functions)} functions, the largest takes {largest}", sep="\n")
sys.exit(bool(faults))
