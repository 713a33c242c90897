# SPDX-License-Identifier: BSD-3-Clause
"""Helpers of the LSTM's benchmark: a recorded run to forecast, networks trained for it, and tables of errors relative
to the best window in hindsight."""
import itertools
import time

import numpy as np

import moepredict
from arima_runs import states_at

HORIZONS, FIRST, EVERY, REFIT = (1000, 2000), 300, 100, 10  # REFIT: origins between fits
WINDOWS = 1, 10, 30, 100, 200, 300, 500, 1000
SEEDS = 0, 1, 2
LSTM, MIXTURE = {}, {"lstm_layers": 0}
NOT_FITTED = -6


class Run:
    """The loads after each origin, [horizons, origins, layers, experts] (NaN where the run ends before), and the layers
    that were stable then, [origins, layers]."""

    def __init__(self, counts, first_step=0):
        self.counts, self.first_step = counts, first_step
        self.origins = np.arange(FIRST, len(counts) - HORIZONS[0] + 1, EVERY)
        self.shares = counts / counts.sum(axis=2, keepdims=True)
        self.sums = np.concatenate([np.zeros((1, *counts.shape[1:])), np.cumsum(self.shares, axis=0)])
        self.actual = np.full((len(HORIZONS), len(self.origins), *counts.shape[1:]), np.nan)
        for actual, horizon in zip(self.actual, HORIZONS):
            there = self.origins + horizon <= len(counts)
            actual[there] = self.mean(self.origins[there], horizon)
        self.stable = states_at(counts, self.origins) == moepredict.State.STABLE
        self.of_windows = {window: self.errors(self.window(window)) for window in WINDOWS}

    def mean(self, first, steps):
        return (self.sums[first + steps] - self.sums[first]) / np.reshape(steps, (-1, 1, 1))

    def window(self, steps):
        """[origins, layers, experts]: the plain mean of the last `steps`, a number or one for each origin."""
        steps = np.clip(np.full(len(self.origins), steps, int), 1, self.origins)
        return self.mean(self.origins - steps, steps)

    def errors(self, forecasts):
        """[horizons, origins, layers]: the error of the horizon's mean. Several seeds add an axis in front."""
        return (np.abs(forecasts - self.actual) / np.maximum(self.actual, 0.1 / self.counts.shape[2])).mean(axis=-1)

    def best_window(self, horizon, where):
        """In hindsight: its steps, and the errors [origins, layers]."""
        errors = {window: of_all[horizon] for window, of_all in self.of_windows.items()}
        best = min(WINDOWS, key=lambda window: errors[window][where & np.isfinite(errors[window])].mean())
        return best, errors[best]

    def best_by_origin(self, horizon, where):
        """The mean error if at each origin the window were known that is best there."""
        errors = np.array([of_all[horizon] for of_all in self.of_windows.values()])
        known = where & np.isfinite(errors[0])
        return np.where(known, errors, 0).sum(axis=2).min(axis=0).sum() / known.sum()

    def floor(self):
        """[horizons, origins, layers]: the error that sampling noise alone leaves."""
        floors = np.full(self.actual.shape[:3], np.nan)
        for floor, horizon in zip(floors, HORIZONS):
            result = moepredict.backtest("sw_avg", self.counts, horizon=horizon, first=FIRST, every=EVERY)
            floor[:len(result.origins)] = result.floor_of_mean
        return floors


# ---- forecasts ----------------------------------------------------------------------------------------------------

def made(run, method="lstm", **config):
    return moepredict.Predictor(method, layers=run.counts.shape[1], experts=run.counts.shape[2], threads=1, **config)


def trained(run, others, **config):
    """A predictor for the run that has learned from others, and the seconds it took."""
    predictor, began = made(run, **config), time.process_time()
    predictor.fit_traces([other.counts for other in others])
    return predictor, time.process_time() - began


def along(predictor, run, refit=False):
    """Pushes the run to a copy of the predictor, which is yielded with the number of each origin."""
    pushed = 0
    with predictor.clone() as copy:
        for number, origin in enumerate(run.origins):
            copy.push(run.counts[pushed:origin], step=run.first_step + pushed)
            pushed = origin
            if refit and number % REFIT == 0:
                copy.fit()
            yield number, copy


def forecasts(predictor, run, refit=False):
    """[horizons, origins, layers, experts]; NaN before the first fit of a method that needs one."""
    means = np.full(run.actual.shape, np.nan)
    for number, copy in along(predictor, run, refit):
        try:
            for mean, horizon in zip(means, HORIZONS):
                mean[number] = copy.predict(horizon)
        except moepredict.Error as error:
            if error.status != NOT_FITTED:
                raise
    return means


def errors_of(predictors, run, refit=False):
    return run.errors(np.array([forecasts(predictor, run, refit) for predictor in predictors]))


# ---- tables -------------------------------------------------------------------------------------------------------

def columns(run):
    """(index of the horizon, which [origins, layers])"""
    return list(itertools.product(range(len(HORIZONS)), (np.ones_like(run.stable), run.stable)))


def print_row(first, others):
    print(f"| {first} | " + " | ".join(others) + " |", flush=True)


def print_head(titles):
    print_row("", titles)
    print("| --- |" + " ---: |" * len(titles), flush=True)


class Table:
    """Errors of the horizon's mean, and their relative differences from the error of the best window in hindsight,
    which is chosen for each column by itself."""

    def __init__(self, title, run):
        self.run, self.relative = run, {}
        print(f"\n**{title}**\n")
        print_head([f"next {horizon:,}{part}" for horizon in HORIZONS for part in ("", ", stable")])
        self._print_best()

    def _print_best(self):
        cells, by_origin = [], []
        for horizon, where in columns(self.run):
            window, errors = self.run.best_window(horizon, where)
            known = where & np.isfinite(errors)
            mean, least = errors[known].mean(), self.run.best_by_origin(horizon, where)
            cells.append(f"{100 * mean:.3f} % (w = {window:,})")
            by_origin.append(f"{100 * least:.3f} % ({100 * (least / mean - 1):+.1f} %)")
        print_row("best window in hindsight", cells)
        print_row("best window of each origin", by_origin)

    def add(self, name, errors, compared=True):
        """errors [horizons, origins, layers], or of several seeds: their mean and half their range."""
        errors = errors.reshape(-1, *self.run.actual.shape[:3])
        cells, self.relative[name] = [], []
        for horizon, where in columns(self.run):
            known = where & np.isfinite(errors[0, horizon])
            means = errors[:, horizon, known].mean(axis=1)
            relative = means.mean() / self.run.best_window(horizon, where)[1][known].mean() - 1
            half = f" ± {50 * (means.max() - means.min()):.3f}" if len(means) > 1 else ""
            cells.append(f"{100 * means.mean():.3f}{half} %" + (f" ({100 * relative:+.1f} %)" if compared else ""))
            self.relative[name].append(relative)
        print_row(name, cells)
