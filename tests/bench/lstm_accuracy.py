# SPDX-License-Identifier: BSD-3-Clause
"""Compares the LSTM's forecasts, on runs that it has not seen, with the best window in hindsight, windows that grow
with the run, the same mixture without recurrent layers, the other methods and the paper's form. Then it measures
forecasts after shifts of the data and at other batch sizes, quantiles, and fits within the run. It runs on one thread,
and exits with 1 if a target is missed."""
import numpy as np

import moepredict
from arima_runs import TUNED_ON, load
from lstm_runs import (EVERY, FIRST, HORIZONS, LSTM, MIXTURE, SEEDS, Run, Table, along, errors_of, made, print_head,
                       print_row, trained)
from lstm_shifts import print_shifts

AGES = 0.15, 0.2
LONGEST_FIT = 120
TARGETS = -0.08, 0, -0.05, 0  # against the best window, by column: the horizons', each of all and of stable layers
RIVALS_AT_MOST = 1.01
PROBABILITIES, INTERVALS = (0.025, 0.1, 0.9, 0.975), ((1, 2), (0, 3))
AGE_BINS = {"< 1,000": (0, 1000), "1,000 to 3,000": (1000, 3000), "later": (3000, np.inf), "all": (0, np.inf)}
HISTORIES = 2048, 4096


class Targets:
    """The targets that were missed."""

    def __init__(self):
        self.missed = []

    def check(self, name, reached):
        print(f"- {name}: {'reached' if reached else 'MISSED'}", flush=True)
        if not reached:
            self.missed.append(name)


def nets_for(run, others, config):
    """One network for each seed; the longest time that training took."""
    nets, seconds = zip(*(trained(run, others, seed=seed, **config) for seed in SEEDS))
    return nets, max(seconds)


# ---- a run that it has not seen -----------------------------------------------------------------------------------

def add_rivals(table, run):
    for part in AGES:
        table.add(f"window of {part} x age", run.errors(run.window(part * run.origins)))
    with made(run, **MIXTURE) as untrained:
        table.add("untrained mixture", errors_of([untrained], run))


def add_methods(table, run, others):
    with made(run, "sw_avg") as sw_avg, made(run, "arima") as arima:
        table.add("SW_Avg, window 200", errors_of([sw_avg], run))
        table.add("ARIMA, refitted every 1,000 steps", errors_of([arima], run, refit=True))
    if others:
        joint, seconds = trained(run, others, lstm_scope="joint")
        table.add(f"joint form, trained on the other run ({seconds:.1f} s)", errors_of([joint], run))
    with made(run, lstm_scope="joint", history=len(run.counts)) as joint:
        table.add("joint form, fitted every 1,000 steps, from 1,300 on", errors_of([joint], run, refit=True))
    table.add("floor", run.floor(), compared=False)


def print_unseen(title, run, others, shipped, joint=True):
    """The table of a run; the LSTMs, the mixtures, the table's relative errors, the longest training."""
    table = Table(title, run)
    add_rivals(table, run)
    mixtures, of_mixtures = nets_for(run, others, MIXTURE)
    lstms, seconds = nets_for(run, others, LSTM)
    table.add(f"mixture without recurrent layers, three seeds ({of_mixtures:.1f} s)", errors_of(mixtures, run))
    table.add(f"**LSTM, three seeds** ({seconds:.1f} s)", errors_of(lstms, run))
    with made(run) as pretrained:
        table.add(f"LSTM, shipped weights{shipped}", errors_of([pretrained], run))
    add_methods(table, run, others if joint else [])
    lstm, mixture = (next(values for name, values in table.relative.items() if name.startswith(start))
                     for start in ("**", "mixture"))
    return lstms, mixtures, {"lstm": lstm, "mixture": mixture,
                             "windows": [table.relative[f"window of {part} x age"] for part in AGES]}, seconds


def check_unseen(targets, title, relative, seconds):
    targets.check(f"{title}: trained within {LONGEST_FIT} s", seconds <= LONGEST_FIT)
    names = [f"next {horizon:,}, {part}" for horizon in HORIZONS for part in ("all", "stable")]
    for name, found, target in zip(names, relative["lstm"], TARGETS):
        targets.check(f"{title}, {name}: {100 * found:+.1f} %, at most {100 * target:+.0f} %", found <= target)
    for name, rivals in [("the mixture", [relative["mixture"]]), ("windows by age", relative["windows"])]:
        worst = max((1 + ours) / (1 + theirs) for rival in rivals for ours, theirs in zip(relative["lstm"], rival))
        targets.check(f"{title}, beside {name}: {100 * (worst - 1):+.1f} % at worst, at most +1 %",
                      worst <= RIVALS_AT_MOST)


# ---- other batch sizes --------------------------------------------------------------------------------------------

def at_batch_sizes(run):
    return {"thinned to 1,024": Run(moepredict.resample(run.counts, 1024, thin=True)),
            "resampled at 524,288": Run(moepredict.resample(run.counts, 524288))}


def print_batches(title, sampled, lstms, mixtures):
    for name, run in sampled.items():
        table = Table(f"{title}, {name} assignments; networks of the other run at 8,192", run)
        table.add("window of 0.2 x age", run.errors(run.window(0.2 * run.origins)))
        table.add("mixture without recurrent layers, three seeds", errors_of(mixtures, run))
        table.add("LSTM, three seeds", errors_of(lstms, run))
        table.add("floor", run.floor(), compared=False)


# ---- quantiles ----------------------------------------------------------------------------------------------------

def coverage(predictor, run, refit=False):
    """[horizons and single steps, origins, 4]: parts within 80 % and 95 %, part above the last quantile, and the width
    of the 80 % interval."""
    found = np.full((len(HORIZONS) + 1, len(run.origins), 4), np.nan)
    for number, copy in along(predictor, run, refit):
        origin = run.origins[number]
        forecasts = [copy.predict(horizon, quantile=PROBABILITIES) for horizon in HORIZONS]
        forecasts.append(copy.predict(HORIZONS[0], 1, quantile=PROBABILITIES))
        actuals = [*run.actual[:, number], run.shares[origin:origin + HORIZONS[0]]]
        for kind, (quantiles, actual) in enumerate(zip(forecasts, actuals)):
            if np.isfinite(actual).all():
                inside = [((quantiles[low] <= actual) & (actual <= quantiles[high])).mean() for low, high in INTERVALS]
                width = (quantiles[2] - quantiles[1]).mean() * run.counts.shape[2]
                found[kind, number] = *inside, (actual > quantiles[-1]).mean(), width
    return found


QUANTILES = """
## 4. Quantiles

Part of the loads within the intervals of 80 and 95 %, and above the quantile of 97.5 % (the 80 % interval's mean width
in units of the mean load), by the run's age; networks of the other run.
"""


def print_coverage_head():
    print_head([f"mean of {horizon:,}" for horizon in HORIZONS] + ["single steps"])


def print_coverage(name, found, origins, bins):
    for age in bins:
        first, end = AGE_BINS[age]
        of_age = found[:, (origins >= first) & (origins < end)]
        means = np.nanmean(of_age, axis=1)
        print_row(f"{name}, {age}", ["{:.1f} / {:.1f} / {:.1f} % ({:.3f})".format(*(100 * mean[:3]), mean[3])
                                     for mean in means])


# ---- fit within the run -------------------------------------------------------------------------------------------

def print_within(title, run, others):
    table, seen = Table(f"{title}: fit every 1,000 steps, or not", run), {}
    for history in HISTORIES:
        net, _ = trained(run, others, history=history)
        if history == HISTORIES[0]:
            table.add("no fit", errors_of([net], run))
            seen["no fit"] = coverage(net, run)
        table.add(f"fit, history {history:,}", errors_of([net], run, refit=True))
        seen[f"fit, history {history:,}"] = coverage(net, run, refit=True)
    print()
    print_coverage_head()
    for name, found in seen.items():
        print_coverage(name, found, run.origins, ["all"])


# ---- all of it ----------------------------------------------------------------------------------------------------

def print_small16(targets):
    runs = [Run(load(name)) for name in TUNED_ON]
    nets, found = [], []
    print("\n## 1. A run that it has not seen")
    for i, (run, name) in enumerate(zip(runs, TUNED_ON)):
        *both, relative, seconds = print_unseen(f"{name}, networks trained on {TUNED_ON[1 - i]}", run, [runs[1 - i]],
                                                " (in sample: they have seen this run)")
        nets.append(both)
        found.append((f"on {name}", relative, seconds))
    print()
    for each in found:
        check_unseen(targets, *each)
    targets.missed += print_shifts(runs, [lstms[0] for lstms, _ in nets], [mixtures[0] for _, mixtures in nets])
    sampled = [at_batch_sizes(run) for run in runs]
    print("\n## 3. Other batch sizes")
    for name, of_run, both in zip(TUNED_ON, sampled, nets):
        print_batches(name, of_run, *both)
    print(QUANTILES)
    print_coverage_head()
    for name, run, of_run, (lstms, _) in zip(TUNED_ON, runs, sampled, nets):
        print_coverage(name, coverage(lstms[0], run), run.origins, AGE_BINS)
        for batch, resampled in of_run.items():
            print_coverage(f"{name} {batch}", coverage(lstms[0], resampled), run.origins, ["all"])
    print("\n## 5. Fit within the run, beginning with the weights of the other run")
    for i, name in enumerate(TUNED_ON):
        print_within(name, runs[i], [runs[1 - i]])
    return runs


def print_mid32(learned_from):
    print("\n## 6. mid32-seed5, on which nothing is tuned")
    run = Run(load("mid32-seed5"))
    print_unseen("mid32-seed5, networks trained on both small16 runs", run, learned_from, "", joint=False)
    print()
    print_coverage_head()
    with made(run) as pretrained:
        print_coverage("shipped weights", coverage(pretrained, run), run.origins, AGE_BINS)
    print_within("mid32-seed5", run, learned_from)


HEAD = f"""the error of the horizon's mean, of forecasts every {EVERY} steps from {FIRST} on; in brackets against the
best window in hindsight, a plain mean of w steps, of each column by itself. Stable: the detector's state of the layer
when the forecast is made. The network's form was chosen with both small16 runs in view; its weights below were trained
on the run named alone."""


def main():
    print(f"libmoepredict {moepredict.__version__}: {HEAD}")
    targets = Targets()
    print_mid32(print_small16(targets))
    print("\ntargets missed: " + ("; ".join(targets.missed) or "none"))
    return bool(targets.missed)


raise SystemExit(main())
