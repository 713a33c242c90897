#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Measures push and predict: installs what is missing, builds, and prints the tables.
set -eu
CDPATH= cd -- "$(dirname "$0")/../.."
. .ci/setup.sh
need gcc libc6-dev meson ninja-build
build build/bench -Dtests=disabled -Dexamples=disabled -Dbenchmarks=enabled
exec build/bench/tests/bench/push_predict
