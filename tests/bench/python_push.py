# SPDX-License-Identifier: BSD-3-Clause
"""What Predictor.push costs in Python over the C call: one step a call, less the cost per step of a call of many."""
import statistics
import time

import numpy as np

import moepredict

PASSES, STEPS = 21, 600


def median(function, calls):
    """Microseconds a call, the median over passes."""
    passes = []
    for _ in range(PASSES):
        start = time.perf_counter()
        for argument in calls:
            function(argument)
        passes.append((time.perf_counter() - start) / len(calls) * 1e6)
    return statistics.median(passes)


print("layers x experts    C call, us  from Python, us  overhead, us")
for layers, experts in ((6, 16), (58, 256), (60, 384)):
    counts = np.random.default_rng(1).integers(0, 4096, (STEPS, layers, experts))
    with moepredict.Predictor("sw_avg", layers=layers, experts=experts, sw_avg_window=100) as predictor:
        inside = median(predictor.push, [counts]) / STEPS
        outside = median(predictor.push, list(counts))
    print(f"{layers:4} x {experts:<4} {inside:17.2f} {outside:16.2f} {outside - inside:13.2f}")
