# SPDX-License-Identifier: BSD-3-Clause
"""Every public function begins with MP_BORDER (lib/support/environment.h), except those that neither compute with
floating-point numbers nor call the caller back.

usage: check_border.py HEADER LIB
"""
import pathlib
import re
import sys

WITHOUT = {"moep_version_number", "moep_version", "moep_status_string", "moep_last_error", "moep_dtype_size",
           "moep_method_name", "moep_forecast_rows", "moep_auto_candidates", "moep_auto_candidate_name"}
LEAST = 35  # of functions that need a border

header, lib = map(pathlib.Path, sys.argv[1:])
text = re.sub(r"/\*.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.S)
declared = set(re.findall(r"MOEP_API[^;]*?\b(moep_\w+)\(", text))
bodies = {}
for path in lib.rglob("*.c"):
    code = path.read_text(encoding="utf-8")
    bodies.update(re.findall(r"^\w[^;{}#]*?\b(moep_\w+)\([^;{}]*\)\n\{\n *(.*)", code, flags=re.M))
faults = [f"declared, not found: {name}" for name in sorted(declared - set(bodies))]
faults += [f"does not begin with MP_BORDER: {name}" for name in sorted(declared & set(bodies))
           if name not in WITHOUT and bodies[name] != "MP_BORDER"]
faults += [f"exempt, but not declared: {name}" for name in sorted(WITHOUT - declared)]
bordered = declared - WITHOUT
if len(bordered) < LEAST:
    faults.append(f"fewer functions with a border than {LEAST}: is the header still read right?")
print(*faults, f"{len(bordered)} functions with a border", sep="\n")
sys.exit(bool(faults))
