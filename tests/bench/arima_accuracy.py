# SPDX-License-Identifier: BSD-3-Clause
"""Compares the errors of ARIMA and SW_Avg on bundled traces, as Markdown. ARIMA is refitted at every origin, every 100
steps. Then prints the grid from which its default was chosen: orders, buckets and histories on the two small16 runs."""
import itertools

import numpy as np

import moepredict
from arima_runs import DEFAULT, PAPER, SELECTED, TRACES, TUNED_ON, load, states_at, title

HORIZONS, FIRST, EVERY, THREADS = (1000, 2000), 300, 100, 2
COMPARED = [(f"SW_Avg, window {window:,}", "sw_avg", {"sw_avg_window": window}) for window in (200, 500, 1000)]
COMPARED += [(title(config), "arima", config) for config in (DEFAULT, PAPER, SELECTED, {**SELECTED, "arima_bucket": 1})]
GRID_ORDERS = {"(5, 1, 5)": (5, 1, 5), "(2, 1, 2)": (2, 1, 2), "(1, 1, 1)": (1, 1, 1), "selected": ("select",) * 3}
GRID_BUCKETS, GRID_HISTORIES, GRID_REFIT = (1, 2, 5, 10, 20), (1000, 2000, 4000), 5


def run(counts, method, config, horizon, refit_every=1):
    with moepredict.Predictor(method, layers=counts.shape[1], experts=counts.shape[2], threads=THREADS,
                              **config) as predictor:
        return moepredict.backtest(predictor, counts, horizon=horizon, first=FIRST, every=EVERY,
                                   refit_every=refit_every)


def percent(values):
    return f"{100 * np.nanmean(values):.2f} %" if np.isfinite(values).any() else "-"


def cells(result, stable):
    """All layers and origins, then those whose layer was stable."""
    return [f"{percent(result.error_of_mean)} / {percent(result.error_of_mean[stable])}",
            f"{percent(result.error)} / {percent(result.error[stable])}"]


def print_row(first, others):
    print(f"| {first} | " + " | ".join(others) + " |", flush=True)


def print_horizon(horizon, traces):
    print(f"\nnext {horizon:,} steps: all forecasts / those made while the layer was stable\n")
    print_row("", itertools.chain(*([f"{name}: error of mean", "error"] for name in traces)))
    print("| --- |" + " ---: | ---: |" * len(traces))
    stable = {}
    for name, counts in traces.items():
        origins = np.arange(FIRST, len(counts) - horizon + 1, EVERY)
        stable[name] = states_at(counts, origins) == moepredict.State.STABLE
    floors = {}
    for heading, method, config in COMPARED:
        row = []
        for name, counts in traces.items():
            result = run(counts, method, config, horizon)
            row += cells(result, stable[name])
            floors[name] = [f"{percent(result.floor_of_mean)} / {percent(result.floor_of_mean[stable[name]])}",
                            f"{percent(result.floor)} / {percent(result.floor[stable[name]])}"]
        print_row(heading, row)
    print_row("floor", itertools.chain(*floors.values()))


# ---- the default --------------------------------------------------------------------------------------------------

def print_grid():
    """The mean over runs and horizons of the error of the mean."""
    runs = [load(name) for name in TUNED_ON]
    print(f"\nerror of mean, mean of {' and '.join(TUNED_ON)}, next 1,000 and 2,000 steps, refitted every "
          f"{GRID_REFIT * EVERY} steps\n")
    print_row("order, bucket", [f"history {history:,}" for history in GRID_HISTORIES])
    print("| --- |" + " ---: |" * len(GRID_HISTORIES))
    found = {}
    for (name, order), bucket in itertools.product(GRID_ORDERS.items(), GRID_BUCKETS):
        row = []
        for history in GRID_HISTORIES:
            config = dict(zip(("arima_p", "arima_d", "arima_q"), order), arima_bucket=bucket, history=history)
            errors = [np.nanmean(run(counts, "arima", config, horizon, GRID_REFIT).error_of_mean)
                      for counts in runs for horizon in HORIZONS]
            found[f"{name}, bucket {bucket}, history {history:,}"] = np.mean(errors)
            row.append(percent(errors))
        print_row(f"{name}, {bucket}", row)
    print("\nbest: " + "; ".join(f"{key}: {100 * found[key]:.2f} %" for key in sorted(found, key=found.get)[:5]))


def main():
    traces = {name: load(name) for name in TRACES}
    for horizon in HORIZONS:
        print_horizon(horizon, traces)
    print_grid()


main()
