# SPDX-License-Identifier: BSD-3-Clause
"""How soon the detector leaves STABLE where a recorded run's loads are made to shift: on real noise, of which it has
learned that drifts come back."""
import numpy as np

from auto_runs import TUNED_ON, trace
from rivals import BLOCK, Run
from states import DETECTORS, OURS, exits

BEFORE_END, PATIENCE, REPEATS = 2000, 1500, 3
EVENTS = {"shift of 15 %": (0.15, 0, None), "shift of 30 %": (0.30, 0, 60), "ramp of 60 % in 1,000": (0.60, 1000, 250)}


def injected(counts, onset, size, ramp, seed):
    """From the onset on, each expert's share moves by a random part of the mean load, `size` root mean square."""
    _, layers, experts = counts.shape
    moved = np.random.default_rng(seed).normal(size=(layers, experts))
    moved -= moved.mean(axis=1, keepdims=True)
    moved *= size / np.sqrt((moved**2).mean(axis=1, keepdims=True))
    part = np.clip((np.arange(len(counts)) - onset) / max(ramp, 1), 0, 1)[:, None, None]
    mean = counts.sum(axis=2, keepdims=True) / experts
    return np.maximum(counts + part * moved * mean, 0)


def delays(stable, onset):
    """Of the layers that were stable, steps from the onset to the end of the block at which each left; inf: never."""
    first, last = onset // BLOCK, (onset + PATIENCE) // BLOCK
    left = exits(stable)[first:last]
    after = np.where(left.any(axis=0), BLOCK * (first + left.argmax(axis=0) + 1) - onset, np.inf)
    return after[stable[first - 1]]


def all_delays(size, ramp):
    """{detector: of every layer of every run}"""
    found = {detector: [] for detector in OURS}
    for name in TUNED_ON:
        counts = trace(name)
        for seed in range(REPEATS):
            onset = len(counts) - BEFORE_END + 37 * seed
            run = Run(injected(counts, onset, size, ramp, seed))
            for detector in OURS:
                found[detector].append(delays(DETECTORS[detector](run).stable, onset))
    return {detector: np.concatenate(values) for detector, values in found.items()}


def main():
    """Print a row for each event; return the targets {what: what misses it}."""
    print(f"\nthe seven runs tuned on, shifted {BEFORE_END:,} steps before their end: steps until left, median / 90 %")
    missed = []
    for title, (size, ramp, most) in EVENTS.items():
        found = all_delays(size, ramp)
        texts = [f"{detector} {np.median(values):.0f} / {np.quantile(values, 0.9):.0f}"
                 for detector, values in found.items()]
        print(f"{title:24}" + "; ".join(texts) + (f"; median at most {most}" if most else ""), flush=True)
        if most and np.median(found["moepredict"]) > most:
            missed.append(title)
    return {"recorded runs that are made to shift, left in time": missed}
