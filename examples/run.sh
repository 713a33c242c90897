#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The main job, on a fresh Debian 12 machine: installs what is missing, builds, and replays a real training run.
# Arguments go to replay: sh examples/run.sh --window 300 --horizon 2000 examples/data/mid32-seed5.npy
set -eu
root=$(CDPATH= cd -- "$(dirname "$0")/.." && pwd)
. "$root/.ci/setup.sh"
need gcc libc6-dev meson ninja-build
(cd "$root" && build build/examples -Dtests=disabled -Dbenchmarks=disabled)
[ $# -gt 0 ] || set -- "$root/examples/data/small16-seed1.npy"
exec "$root/build/examples/examples/replay" "$@"
