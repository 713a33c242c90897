#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Writes a new ABI baseline: at each release, and before 1.0 where a change of the ABI is meant.
set -eu
CDPATH= cd -- "$(dirname "$0")/../.."
. .ci/setup.sh
need gcc libc6-dev meson ninja-build abigail-tools
build build/abi -Dtests=disabled -Dexamples=disabled -Dbenchmarks=disabled -Ddebug=true
abidw --no-corpus-path --no-comp-dir-path --out-file tests/abi/moepredict.abi \
    "$(find build/abi/lib -type f -name 'libmoepredict.so.*')"
