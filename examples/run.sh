#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The first command to try, on a fresh Debian 12 machine: installs missing packages, builds, backtests a real training run,
# and writes a report on it. With arguments it runs replay with them:
#   sh examples/run.sh --horizon 2000 examples/data/mid32-seed5.npy
set -eu
root=$(CDPATH= cd -- "$(dirname "$0")/.." && pwd)
. "$root/.ci/setup.sh"
need gcc libc6-dev meson ninja-build
(cd "$root" && build build/examples -Dtests=disabled)
replay=$root/build/examples/examples/replay
[ $# -eq 0 ] || exec "$replay" "$@"

trace=$root/examples/data/mid32-seed5.npy # the shipped weights have not learned from it
"$replay" "$trace"
echo
need python3 python3-numpy python3-matplotlib
echo "Writing a report on that run, which takes a minute"
PYTHONPATH="$root/bindings/python" MOEPREDICT_LIBRARY="$root/build/examples/lib/libmoepredict.so.0" \
    /usr/bin/python3 -m moepredict report "$trace" --out "$root/build/report"
