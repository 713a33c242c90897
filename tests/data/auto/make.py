#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Golden numbers of AUTO by NumPy (../../auto_reference.py), for tests/test_auto_golden.c.

    make.py > golden.txt

A line is "since STEP numbers...", the steps since the last jump of every layer; "weights STEP numbers...", of every
layer's candidates in the order of auto_reference.NAMES; or "forecast STEP HORIZON STRIDE numbers...", of every row's
layers and experts. STEP is the number of steps before the origin. The counts come from the formula below, which the
test has in C. Layer 0 stays, the loads of layer 1 move towards each other, those of layer 2 jump at step 1,230.
"""
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
import auto_reference  # noqa: E402

STEPS, LAYERS, EXPERTS, JUMP = 2700, 3, 8, 1230
ORIGINS = (30, 50, 75, 99, 100, 130, 149, 150, 199, 375, 600, 999, 1000, 1240, 1250, 1275, 1300, 1337, 1700, 2050, 2525,
           2700)
WHOLE, ROWS = (1000, 1000), ((130, 50), (2600, 1300))  # horizon and stride, at every and at every fourth origin


def counts():
    loads = np.empty((STEPS, LAYERS, EXPERTS), int)
    state = 1
    for step in range(STEPS):
        for expert in range(EXPERTS):
            loads[step, :, expert] = (200 + 100 * expert, 500 + expert * 100000 // (1000 + step),
                                      200 + 100 * (expert if step < JUMP else EXPERTS - 1 - expert))
    for i in range(loads.size):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        loads.flat[i] += (state >> 33) % 200
    return loads


def show(*words, numbers):
    print(*words, *(f"{number:.9g}" for number in np.ravel(numbers)))


def main():
    network = auto_reference.Network(auto_reference.shipped(HERE.parents[2] / "lib/methods/lstm/pretrained_weights.c"))
    auto = auto_reference.Auto(counts(), network)
    for number, origin in enumerate(ORIGINS):
        at = np.array([origin])
        show("since", origin, numbers=auto.since_at(at))
        show("weights", origin, numbers=auto.weights(at))
        for horizon, stride in (WHOLE, *(ROWS if number % 4 == 0 else ())):
            rows = [auto.row(at, first, min(first + stride, horizon)) for first in range(0, horizon, stride)]
            show("forecast", origin, horizon, stride, numbers=rows)


main()
