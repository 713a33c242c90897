#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The test suite, on a fresh Debian 12 machine: installs what is missing, builds, and runs every test.
# usage: sh tests/run.sh [--clang] [--sanitize | --threads | --valgrind | --coverage] [--browser] [NAME...]
#   NAME         runs these tests only, under their names in tests/meson.build: lstm_fit "python report"
#   --clang      all but the Python tests, built by clang instead of gcc
#   --sanitize   under AddressSanitizer and UndefinedBehaviorSanitizer
#   --threads    the C programs, under ThreadSanitizer
#   --valgrind   the C programs, but those that take it hours, under valgrind: no leak, no error
#   --coverage   prints which part of lib/ the C tests run: lines and branches of every file
#   --browser    also renders a report in Chromium
set -eu
CDPATH= cd -- "$(dirname "$0")/.."
. .ci/setup.sh
packages="gcc g++ gfortran libc6-dev binutils meson ninja-build pkg-config cmake libcmocka-dev libgsl-dev libopenblas-dev
    abigail-tools python3 python3-numpy python3-matplotlib python3-venv python3-pip git"
folder=build/tests
options="-Dtests=enabled -Dexamples=enabled -Dbenchmarks=enabled -Dgsl=enabled -Dopenblas=enabled -Dwerror=true -Ddebug=true"
c_programs="--suite unit --suite public --suite examples"
suites=
under=
CC=gcc
CXX=g++
for option; do
    shift
    case $option in
    --clang)
        packages="$packages clang libclang-rt-dev"
        folder=$folder-clang
        suites="$c_programs --suite threads --suite double --suite kernels --suite training --suite files"
        CC=clang
        CXX=clang++
        ;;
    --sanitize)
        folder=$folder-sanitize
        options="$options -Doptimization=2 -Db_sanitize=address,undefined -Db_lundef=false"
        ;;
    --threads)
        folder=$folder-threads
        options="$options -Doptimization=2 -Db_sanitize=thread -Db_lundef=false"
        suites="$c_programs --suite threads"
        ;;
    --valgrind)
        packages="$packages valgrind"
        suites=$c_programs
        under="valgrind --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=all --error-exitcode=1
            --suppressions='$PWD/tests/valgrind.supp'"
        ;;
    --coverage)
        packages="$packages gcovr"
        folder=$folder-coverage
        options="$options -Dwerror=false -Db_coverage=true" # counters hide from gcc that all is initialised
        suites="$c_programs --suite threads --suite kernels --suite training"
        ;;
    --browser)
        packages="$packages chromium"
        export MOEPREDICT_BROWSER=chromium
        ;;
    [!-]*) set -- "$@" "$option" ;;
    *)
        sed -n 's/^# \(usage\)/\1/p; s/^#   \([-N]\)/  \1/p' "$0" >&2
        exit 2
        ;;
    esac
done
export CC CXX
need $packages
build $folder $options

# What is left of the arguments are names, which come in place of suites.
[ $# -eq 0 ] || suites=
[ -z "$under" ] || set -- --timeout-multiplier 20 --wrap "$under" "$@"
status=0
meson test -C $folder --print-errorlogs $suites "$@" || status=$?
case $folder in
*-coverage) gcovr --root . --filter lib/ --exclude '.*weights.*' --branches --sort-uncovered $folder && gcovr --root . --filter lib/ $folder ;;
esac

# The last line is one that any log reader understands; it counts test programs, as meson does.
log=$(ls -t $folder/meson-logs/testlog*.txt | head -n 1)
awk '
    /^Ok: /                             { passed = $2 }
    /^(Fail|Timeout|Unexpected Pass): / { failed += $NF }
    END { printf "%d passed, %d failed\n", passed, failed }
' "$log"
exit $status
