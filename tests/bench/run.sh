#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Measures: installs what is missing, builds, and prints the tables.
# usage: sh tests/bench/run.sh [NAME [ARGUMENT ...]], one of push_predict, state, python_push, detector_push, detector_read,
# detector_quality (states against the truth, beside other detectors), paper (its table beside ours), arima_bench (its
# kernels), arima_peers (beside R, gretl, statsmodels), arima_scale (14,848 series), arima_accuracy,
# interval_coverage (of every method that has intervals),
# lstm_peers (its network beside PyTorch's and oneDNN's), lstm_scale, lstm_accuracy, lstm_weights (prints them)
set -eu
CDPATH= cd -- "$(dirname "$0")/../.."
. .ci/setup.sh
need gcc libc6-dev meson ninja-build pkg-config libgsl-dev
build build/bench -Dgsl=enabled -Dtests=disabled -Dexamples=disabled -Dbenchmarks=enabled
name=${1:-push_predict}
[ $# -eq 0 ] || shift
[ ! -f "tests/bench/$name.sh" ] || exec sh "tests/bench/$name.sh" "$@"
[ "$name" != arima_peers ] || need r-base-core gretl python3-statsmodels
if [ -f "tests/bench/$name.py" ]; then
    need python3 python3-numpy
    export PYTHONPATH=bindings/python MOEPREDICT_LIBRARY="$PWD/build/bench/lib/libmoepredict.so.0"
    exec /usr/bin/python3 "tests/bench/$name.py" "$@"
fi
case $name in
lstm_weights) set -- examples/data/small16-seed1.npy examples/data/small16-seed2.npy ;;
*) set -- ;;
esac
exec "build/bench/tests/bench/$name" "$@"
