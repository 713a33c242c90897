#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Benchmarks: installs missing packages, builds in build/bench, and prints the tables of one benchmark.
# usage: sh tests/bench/run.sh [NAME [ARGUMENT ...]]    NAME is push_predict if it is not given
#   push_predict        a push beside one memcpy, and a forecast by SW_Avg
#   auto_accuracy       AUTO's errors and intervals on recorded, spliced and simulated runs
#   auto_scale          a push, a forecast and the state of AUTO
#   state               save, load and clone of a predictor
#   python_push         what Python adds to a push
#   plan_replay         plans replayed on recorded runs: what they are worth, and how true their predictions are
#   plan_quality        plans of large layouts: time, balance, moves
#   rebalance           EPLB's maps beside eplb.py, named in EPLB: time and agreement
#   detector_push       a push of a detector
#   detector_read       readings and checkpoints of a detector
#   detector_quality    states against the realised loads, beside other rules
#   interval_coverage   how often the load lies within the intervals of AUTO, ARIMA and the LSTM
#   paper               the paper's table beside ours
#   arima_bench         ARIMA's kernels
#   arima_peers         ARIMA beside R, gretl and statsmodels
#   arima_scale         ARIMA of 14,848 series
#   arima_accuracy      ARIMA's errors by order, bucket and history
#   lstm_peers          the LSTM's network beside PyTorch's and oneDNN's
#   lstm_scale          the LSTM of 14,848 series
#   lstm_accuracy       the LSTM's errors on unseen runs
#   lstm_weights        the shipped weights, as C
set -eu
CDPATH= cd -- "$(dirname "$0")/../.."
. .ci/setup.sh
name=${1:-push_predict}
[ $# -eq 0 ] || shift
if ! grep -q "^#   $name " tests/bench/run.sh; then
    sed -n 's/^# \(usage\)/\1/p; s/^#   /  /p' tests/bench/run.sh >&2
    exit 2
fi
need gcc libc6-dev meson ninja-build pkg-config libgsl-dev
build build/bench -Dgsl=enabled -Dtests=disabled -Dexamples=disabled -Dbenchmarks=enabled
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
