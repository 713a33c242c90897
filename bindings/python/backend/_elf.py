# SPDX-License-Identifier: BSD-3-Clause
"""Finds out on which Linux a shared library runs, from the versions of glibc that its ELF file requires (PEP 600)."""
import re
import struct
import sysconfig

_SECTIONS = {"strings": 3, "dynamic": 6, "needs": 0x6FFFFFFE}  # SHT_STRTAB, SHT_DYNAMIC, SHT_GNU_verneed
_DT_NEEDED = 1
# Libraries of glibc, which every Linux with it has. The name of ld-linux depends on the architecture.
_GLIBC = re.compile(r"(libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|librt\.so\.1|ld-linux[\w-]*\.so\.\d|"
                    r"ld64\.so\.\d)$")


# e_machine of the machines for which wheels are made
_MACHINES = {"i686": 3, "ppc64le": 21, "s390x": 22, "armv7l": 40, "x86_64": 62, "aarch64": 183, "riscv64": 243}


def _check_machine(elf: bytes, machine: str) -> None:
    order, _ = _form(elf)
    number, = struct.unpack_from(order + "H", elf, 18)
    if _MACHINES.get(machine, number) != number:
        raise SystemExit(f"the library is for another machine than this Python, {machine}")


def _form(elf: bytes) -> tuple:
    """The byte order of an ELF file's numbers, and whether they have 64 bits."""
    if elf[:4] != b"\x7fELF":
        raise SystemExit("the library is no ELF file: the package is for Linux")
    return "<" if elf[5] == 1 else ">", elf[4] == 2


def _sections(elf: bytes) -> list:
    """(type, offset, size, link, information) of each section."""
    order, wide = _form(elf)
    at, = struct.unpack_from(order + ("Q" if wide else "I"), elf, 0x28 if wide else 0x20)
    size, number = struct.unpack_from(order + "HH", elf, 0x3A if wide else 0x2E)
    layout = order + ("IIQQQQII" if wide else "IIIIIIII")
    rows = [struct.unpack_from(layout, elf, at + i * size) for i in range(number)]
    return [(row[1], row[4], row[5], row[6], row[7]) for row in rows]


def _text(elf: bytes, at: int) -> str:
    return elf[at:elf.index(b"\0", at)].decode()


def needs(elf: bytes) -> tuple:
    """The names of the libraries that an ELF file requires, and the versions of their symbols, as "GLIBC_2.34"."""
    order, wide = _form(elf)
    sections, libraries, versions = _sections(elf), set(), set()
    for kind, offset, size, link, number in sections:
        strings = sections[link][1] if link < len(sections) else 0
        if kind == _SECTIONS["dynamic"]:
            entries = struct.iter_unpack(order + ("QQ" if wide else "II"), elf[offset:offset + size])
            libraries |= {_text(elf, strings + value) for tag, value in entries if tag == _DT_NEEDED}
        if kind == _SECTIONS["needs"]:
            for _ in range(number):
                _, count, _, of_first, to_next = struct.unpack_from(order + "HHIII", elf, offset)
                at = offset + of_first
                for _ in range(count):
                    _, _, _, name, step = struct.unpack_from(order + "IHHII", elf, at)
                    versions.add(_text(elf, strings + name))
                    at += step
                offset += to_next
    return libraries, versions


def _release(version: str):
    """34 for "GLIBC_2.34"; None for a version that is not a release."""
    if version == "GLIBC_ABI_DT_RELR":
        return 36
    numbered = re.match(r"GLIBC_2\.(\d+)(\.\d+)?$", version)
    return int(numbered[1]) if numbered else None


def platform(elf: bytes) -> str:
    """The wheel's tag: manylinux with the oldest sufficient glibc, or this very Linux if other libraries are
    required."""
    here = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    machine = here.split("_", 1)[1]
    try:
        _check_machine(elf, machine)
        libraries, versions = needs(elf)
    except (struct.error, IndexError, ValueError):
        raise SystemExit("the library is damaged: its ELF file ends too early") from None
    releases = [_release(version) for version in versions]
    if not releases or None in releases or not all(_GLIBC.match(name) for name in libraries):
        return here
    oldest = 5 if machine in ("x86_64", "i686") else 17  # no older manylinux is known
    return f"manylinux_2_{max(oldest, *releases)}_{machine}"
