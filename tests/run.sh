#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The test suite, on a fresh Debian 12 machine: installs what is missing, builds, and runs every test.
# usage: sh tests/run.sh [--clang] [--sanitize]
#   --clang      built by clang instead of gcc
#   --sanitize   under AddressSanitizer and UndefinedBehaviorSanitizer
set -eu
CDPATH= cd -- "$(dirname "$0")/.."
. .ci/setup.sh
packages="gcc g++ libc6-dev binutils meson ninja-build pkg-config libcmocka-dev python3 python3-numpy"
folder=build/tests
options="-Dtests=enabled -Dexamples=enabled -Dbenchmarks=enabled -Dwerror=true"
CC=gcc
CXX=g++
for option; do
    case $option in
    --clang)
        packages="$packages clang libclang-rt-dev"
        folder=$folder-clang
        CC=clang
        CXX=clang++
        ;;
    --sanitize)
        folder=$folder-sanitize
        options="$options -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false"
        ;;
    *)
        echo "usage: sh tests/run.sh [--clang] [--sanitize]" >&2
        exit 2
        ;;
    esac
done
export CC CXX
need $packages
build $folder $options

# The last line is one that any log reader understands; it counts test programs, as meson does.
status=0
meson test -C $folder --print-errorlogs || status=$?
awk '
    /^Ok: /                             { passed = $2 }
    /^(Fail|Timeout|Unexpected Pass): / { failed += $NF }
    END { printf "%d passed, %d failed\n", passed, failed }
' $folder/meson-logs/testlog.txt
exit $status
