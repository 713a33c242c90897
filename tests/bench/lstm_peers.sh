#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Compares the LSTM with PyTorch's and oneDNN's, each on one thread. OpenBLAS runs with its own choices, and with those
# of the caller's environment.
set -eu
CDPATH= cd -- "$(dirname "$0")/../.."
. .ci/setup.sh
need gcc g++ libc6-dev meson ninja-build libopenblas-dev libdnnl-dev python3-torch
build build/bench-lstm -Dtests=disabled -Dexamples=disabled -Dbenchmarks=enabled -Dopenblas=enabled
g++ -O2 tests/bench/lstm_onednn.cpp -ldnnl -o build/bench-lstm/lstm_onednn
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
outputs=build/bench-lstm/outputs

peers() {
    "$@" build/bench-lstm/tests/bench/lstm --outputs "$outputs"
    echo "-- malloc that keeps its memory"
    "$@" env MALLOC_TRIM_THRESHOLD_=100000000000 MALLOC_MMAP_THRESHOLD_=4000000000 MALLOC_TOP_PAD_=300000000 \
        /usr/bin/python3 tests/bench/lstm_torch.py "$outputs"
    echo "-- malloc as it is"
    "$@" /usr/bin/python3 tests/bench/lstm_torch.py
    "$@" build/bench-lstm/lstm_onednn
}

echo "=== OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE unset"
peers env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE
if [ -n "${OPENBLAS_CORETYPE:-}${OPENBLAS_L2_SIZE:-}" ]; then
    echo "=== OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-} OPENBLAS_L2_SIZE=${OPENBLAS_L2_SIZE:-}"
    peers env
fi
