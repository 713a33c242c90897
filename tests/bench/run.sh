#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Measures push and predict, or what is named: installs what is missing, builds, and prints the tables.
# usage: sh tests/bench/run.sh [push_predict | state]
set -eu
CDPATH= cd -- "$(dirname "$0")/../.."
. .ci/setup.sh
need gcc libc6-dev meson ninja-build
build build/bench -Dtests=disabled -Dexamples=disabled -Dbenchmarks=enabled
exec "build/bench/tests/bench/${1:-push_predict}"
