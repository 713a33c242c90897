#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Is the library's ABI still the one of the baseline, but for additions?
# usage: check.sh LIBRARY, with debug information
set -eu
folder=$(dirname "$0")
if ! readelf --sections "$1" | grep -q '\.debug_info'; then
    echo "$1 has no debug information: abidiff would see nothing"
    exit 1
fi
exec abidiff --no-added-syms --suppressions "$folder/opaque.ini" "$folder/moepredict.abi" "$1"
