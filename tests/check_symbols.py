# SPDX-License-Identifier: BSD-3-Clause
"""What the shared library exports is what the header declares, and every global of the static one has our prefix.

usage: check_symbols.py HEADER SHARED_LIBRARY STATIC_LIBRARY
"""
import re
import subprocess
import sys

header, shared, static = sys.argv[1:]


def symbols(path, *flags):
    """Names of the defined global symbols, without versions."""
    lines = subprocess.run(["nm", "--defined-only", "--extern-only", *flags, path], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    fields = [line.split() for line in lines]
    return {f[-1].split("@")[0] for f in fields if len(f) == 3 and f[1] != "A"}


text = re.sub(r"/\*.*?\*/", "", open(header, encoding="utf-8").read(), flags=re.S)
declared = set(re.findall(r"MOEP_API[^;]*?\b(moep_\w+)\(", text))
exported = symbols(shared, "--dynamic")
ours = {name for name in symbols(static) if not name.startswith(("__asan", "__odr_asan", "__ubsan"))}
faults = [f"declared, not exported: {name}" for name in sorted(declared - exported)]
faults += [f"exported, not declared: {name}" for name in sorted(exported - declared)]
faults += [f"global without our prefix: {name}" for name in sorted(ours) if not name.startswith(("moep_", "mp_"))]
if not declared:
    faults.append("found no declaration in the header")
print(*faults, f"{len(declared)} functions declared, {len(exported)} exported", sep="\n")
sys.exit(bool(faults))
