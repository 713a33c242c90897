#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Is the library's ABI still the one of the baseline, additions aside? Functions and structs; the numbers of enums are
# held by test_abi.c.
# usage: check.sh LIBRARY, with debug information
set -eu
folder=$(dirname "$0")
if ! readelf --sections "$1" | grep -q '\.debug_info'; then
    echo "$1 has no debug information: abidiff would see nothing"
    exit 1
fi
now=$(mktemp)
trap 'rm -f "$now"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
abidw --no-corpus-path --no-comp-dir-path --out-file "$now" "$1"

# A symbol whose function abidw has not found would never be compared.
for abi in "$folder/moepredict.abi" "$now"; do
    for symbol in $(sed -n "s/.*<elf-symbol name='\(moep_[a-z_]*\)'.*/\1/p" "$abi"); do
        grep -q "elf-symbol-id='$symbol@" "$abi" || { echo "$abi does not describe $symbol"; exit 1; }
    done
done
abidiff --no-added-syms --suppressions "$folder/opaque.ini" "$folder/moepredict.abi" "$now"
