# SPDX-License-Identifier: BSD-3-Clause
"""How often the actual load lies within the intervals of 80 and 95 % of every method that has them. The loads are those
of the next step, and the means of the next 20 and of the next 1,000 steps, in stable layers, on runs without a known
shift. Exits with 1 where a target is missed.
usage: interval_coverage.py [FOLDER with the traces]"""
import pathlib
import sys

import numpy as np

import moepredict
from arima_runs import DATA, SELECTED, states_at

TRACES = ("small16-seed1", "small16-seed2", "mid32-seed5", "wsd8-s14", "biasfree32-s13", "fine128-s17",
          "upcycled16-s18")
METHODS = {
    "AUTO": ("auto", {}),
    "ARIMA (2, 1, 2), the default": ("arima", {}),
    "ARIMA (2, 1, 0), AR only": ("arima", {"arima_q": 0}),
    "ARIMA (0, 1, 0), a walk": ("arima", {"arima_p": 0, "arima_q": 0}),
    "ARIMA (2, 0, 2), d = 0": ("arima", {"arima_d": 0}),
    "ARIMA (5, 1, 5), the paper's": ("arima", {"arima_p": 5, "arima_q": 5}),
    "ARIMA, order selected": ("arima", SELECTED),
    "LSTM, shipped weights": ("lstm", {}),
}
FIRST, NEAR_EVERY, EVERY = 3000, 20, 100
HORIZONS = {1: NEAR_EVERY, 20: NEAR_EVERY, 1000: EVERY}  # and the steps between the origins of their forecasts
INTERVALS = {80: (0.1, 0.9), 95: (0.025, 0.975)}
PROBABILITIES = [probability for ends in INTERVALS.values() for probability in ends]
NEAR = {80: (77, 83), 95: (92, 98)}  # the least and the largest coverage that meets the target, in %
TARGETS = {1: NEAR, 20: NEAR, 1000: {80: (76, 92), 95: (91, 99)}}


class Run:
    """The actual loads after each origin, {horizon: [origins, layers, experts]}, and the layers that were stable
    there."""

    def __init__(self, path):
        self.counts = np.load(path)
        shares = self.counts / self.counts.sum(axis=2, keepdims=True)
        sums = np.concatenate([np.zeros((1, *shares.shape[1:])), np.cumsum(shares, axis=0)])
        self.origins = np.arange(FIRST, len(shares) - max(HORIZONS) + 1, NEAR_EVERY)
        states = states_at(self.counts, self.origins)
        self.actual, self.stable = {}, {}
        for horizon, every in HORIZONS.items():
            at = self.origins[::every // NEAR_EVERY]
            self.actual[horizon] = (sums[at + horizon] - sums[at]) / horizon
            self.stable[horizon] = states[::every // NEAR_EVERY] == moepredict.State.STABLE


def intervals(run, method, config):
    """{horizon: [origins, probabilities, layers, experts]}, of one predictor along the run. It is fitted every EVERY
    steps, except AUTO, which has nothing to fit, and the LSTM, which has its shipped weights."""
    quantiles, pushed = {horizon: [] for horizon in HORIZONS}, 0
    _, layers, experts = run.counts.shape
    with moepredict.Predictor(method, layers=layers, experts=experts, **config) as predictor:
        for origin in run.origins:
            predictor.push(run.counts[pushed:origin])
            pushed = origin
            if method != "lstm" and (origin - FIRST) % EVERY == 0:
                predictor.fit()
            for horizon in [horizon for horizon, every in HORIZONS.items() if (origin - FIRST) % every == 0]:
                quantiles[horizon].append(predictor.predict(horizon, quantile=PROBABILITIES))
    return {horizon: np.array(at_origins) for horizon, at_origins in quantiles.items()}


def coverage(run, quantiles, horizon, interval):
    """The interval's coverage of the stable layers' loads, in %, and its mean width, in units of the mean load."""
    lower, upper = (quantiles[horizon][:, PROBABILITIES.index(end)] for end in INTERVALS[interval])
    actual, stable = run.actual[horizon], run.stable[horizon]
    within = (lower <= actual) & (actual <= upper)
    return 100 * within[stable].mean(), (upper - lower)[stable].mean() * run.counts.shape[2]


def cell(covered, width, least_and_most):
    least, most = least_and_most
    mark = " " if least <= covered <= most else "*"
    return f"{covered:5.1f}{mark} ({width:.3f})"


def print_method(runs, name, method, config):
    """Print a method's coverage; return {horizon: {interval: [of every run]}}."""
    print(f"\n{name}\n{'':16}" + "".join(f"{f'{horizon:,} ahead, {interval} %':>19}" for horizon in HORIZONS
                                         for interval in INTERVALS))
    covers = {horizon: {interval: [] for interval in INTERVALS} for horizon in HORIZONS}
    for trace, run in runs.items():
        quantiles, cells = intervals(run, method, config), []
        for horizon in HORIZONS:
            for interval in INTERVALS:
                covered, width = coverage(run, quantiles, horizon, interval)
                covers[horizon][interval].append(covered)
                cells.append(cell(covered, width, TARGETS[horizon][interval]))
        print(f"{trace:16}" + "".join(f"{text:>19}" for text in cells), flush=True)
    return covers


def print_summary(covers):
    """Print the table of README.md beside this file: the least and the largest coverage of all runs."""
    print("\n| covered by intervals of 80 / 95 % | next step | mean of the next 20 | mean of the next 1,000 |\n"
          "| --- | --- | --- | --- |")
    for name, of_method in covers.items():
        cells = (" / ".join(f"{min(of_runs):.0f}–{max(of_runs):.0f}" for of_runs in by.values()) + " %"
                 for by in of_method.values())
        print(f"| {name} | " + " | ".join(cells) + " |")


def misses(covers):
    return sum(not least <= covered <= most for of_method in covers.values() for horizon, by in of_method.items()
               for interval, of_runs in by.items() for least, most in [TARGETS[horizon][interval]]
               for covered in of_runs)


def main(folder=DATA):
    runs = {trace: Run(pathlib.Path(folder) / f"{trace}.npy") for trace in TRACES}
    print(f"coverage in stable layers from step {FIRST:,} on, in %, and the intervals' mean width in mean loads\n"
          f"fitted every {EVERY} steps; forecasts of 1 and 20 steps every {NEAR_EVERY}, of 1,000 every {EVERY}\n"
          f"*: outside {NEAR[80]} and {NEAR[95]}; of the mean of 1,000 steps {TARGETS[1000][80]} and "
          f"{TARGETS[1000][95]}")
    for trace, run in runs.items():
        stable = run.stable[1000]
        print(f"{trace}: {stable.sum()} of {stable.size} layers at {len(stable)} origins are stable")
    covers = {name: print_method(runs, name, *method) for name, method in METHODS.items()}
    print_summary(covers)
    print(f"\ntargets missed: {misses(covers)}")
    return misses(covers) > 0


raise SystemExit(main(*sys.argv[1:2]))
