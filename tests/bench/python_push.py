# SPDX-License-Identifier: BSD-3-Clause
"""The time that Predictor.push adds in Python to the C call. The C call with prepared arguments and Predictor.push
alternate on the same counts; the result is the median of the differences. The C call goes through ctypes, whose own
cost is that of a 1 x 1 push."""
import statistics
import time

import numpy as np

import moepredict
from moepredict._counts import address_and_dtype
from moepredict._library import library

PASSES, STEPS, LIMIT = 41, 64, 15


def measure(layers, experts):
    """The microseconds of the C call, and those that Predictor.push adds to it."""
    counts = list(np.random.default_rng(1).integers(1, 4096, (STEPS, layers, experts)))
    direct, added = [], []
    with moepredict.Predictor("sw_avg", layers=layers, experts=experts, sw_avg_window=100) as predictor:
        handle = predictor._checked_handle()
        ready = [address_and_dtype(step) for step in counts]
        push = library.moep_predictor_push
        for _ in range(PASSES):
            start = time.perf_counter()
            for address, dtype in ready:
                push(handle, 1, address, dtype)
            between = time.perf_counter()
            for step in counts:
                predictor.push(step)
            end = time.perf_counter()
            direct.append((between - start) / STEPS * 1e6)
            added.append(((end - between) - (between - start)) / STEPS * 1e6)
    return statistics.median(direct), statistics.median(added)


print("layers x experts  C call through ctypes, us  Predictor.push adds, us")
worst = 0
for shape in ((1, 1), (6, 16), (58, 256), (60, 384)):
    call, over = measure(*shape)
    worst = max(worst, over)
    print(f"{shape[0]:4} x {shape[1]:<4} {call:29.2f} {over:24.2f}")
raise SystemExit(worst > LIMIT)
