# SPDX-License-Identifier: BSD-3-Clause
"""What the shared library exports is what the header declares, what it imports is harmless, every global of the static
library has our prefix, and only its memory.c reaches for malloc.

usage: check_symbols.py HEADER SHARED_LIBRARY STATIC_LIBRARY
"""
import re
import subprocess
import sys

# What a library that lives in a host for weeks may call: memory, text into a buffer of its own, threads that it waits
# for, its floating-point environment, OpenBLAS's product. Nothing that prints, aborts, exits, opens files, or touches
# signals or locale.
IMPORTS = {"malloc", "free", "memcpy", "memmove", "memset", "memcmp", "memchr", "vsnprintf", "sqrt", "pow", "fmax", "fmin", "exp",
           "log", "fmaf", "copysign", "fegetenv", "fesetenv", "getpid", "pthread_attr_init",
           "pthread_attr_setstacksize", "pthread_attr_destroy", "pthread_create", "pthread_join", "pthread_sigmask",
           "sigfillset", "cblas_sgemm"}
TOOLCHAIN = re.compile(r"__cxa_finalize|bcmp|__gmon_start__|_ITM_\w+|__tls_get_addr|__stack_chk_fail|__(memcpy|memmove|memset|vsnprintf)_chk|"
                       r"__cpu_model|__cpu_indicator_init|__(asan|ubsan|tsan|sanitizer)_\w+|_GLOBAL_OFFSET_TABLE_")
SANITIZER = re.compile(r"__(asan|ubsan|tsan|odr_asan)")


def symbols(path, *flags):
    """Names of global symbols, without versions."""
    lines = subprocess.run(["nm", "--extern-only", *flags, path], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    fields = [line.split() for line in lines if line and not line.endswith(":")]
    return {f[-1].split("@")[0] for f in fields if len(f) >= 2 and f[-2] != "A"}


header, shared, static = sys.argv[1:]
text = re.sub(r"/\*.*?\*/", "", open(header, encoding="utf-8").read(), flags=re.S)
declared = set(re.findall(r"MOEP_API[^;]*?\b(moep_\w+)\(", text))
exported = symbols(shared, "--dynamic", "--defined-only")
imported = symbols(shared, "--dynamic", "--undefined-only")
defined = {name for name in symbols(static, "--defined-only") if not SANITIZER.match(name)}
reach_for_memory = set()
for line in subprocess.run(["nm", "--print-file-name", "--undefined-only", static], check=True, capture_output=True,
                           text=True).stdout.splitlines():
    if line.split()[-1] in ("malloc", "calloc", "realloc", "free", "aligned_alloc"):
        reach_for_memory.add(line.split(":")[1])
sanitized = any(SANITIZER.match(name) for name in imported)

faults = [f"declared, not exported: {name}" for name in sorted(declared - exported)]
faults += [f"exported, not declared: {name}" for name in sorted(exported - declared)]
faults += [f"imported, not allowed: {name}" for name in sorted(imported - IMPORTS) if not TOOLCHAIN.fullmatch(name)]
faults += [f"global without our prefix: {name}" for name in sorted(defined) if not name.startswith(("moep_", "mp_"))]
faults += [f"takes memory past the caller's allocator: {member}" for member in sorted(reach_for_memory)
           if not member.endswith("memory.c.o")]
if not reach_for_memory or not declared or not defined or (not imported and not sanitized):
    faults.append("nm or the header lists nothing")
print(*faults, f"{len(declared)} functions declared, {len(exported)} exported, {len(imported)} imported", sep="\n")
sys.exit(bool(faults))
