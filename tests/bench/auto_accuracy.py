# SPDX-License-Identifier: BSD-3-Clause
"""AUTO's forecasts and intervals on recorded, spliced and simulated runs, beside the best window in hindsight, the LSTM
and SW_Avg. Exits with 1 if a target is missed."""
import argparse

import numpy as np

import moepredict
from auto_runs import FINAL, GROUPS, HORIZONS, OUTSIDE, SIMULATED, SPLICED, TUNED_ON, WITHOUT_SHIFT, Method, Run

REAL = TUNED_ON + FINAL
JUDGED = REAL + tuple(SPLICED) + tuple(SIMULATED)  # for intervals
METHODS = {"AUTO": Method("auto"), "LSTM": Method("lstm"), "SW_Avg": Method("sw_avg", learns=False)}
PROBABILITIES, INTERVALS = (0.025, 0.1, 0.9, 0.975), {80: (1, 2), 95: (0, 3)}
ALL, TRANSIENT, STABLE = PARTS = "all", "transient", "stable"
COLUMNS = [(name, part) for name in ("AUTO", "LSTM") for part in PARTS] + [("SW_Avg", ALL)]


class Result:
    """What was measured on a run."""

    def __init__(self, run):
        self.run, self.relative, self.coverage, self.width = run, {}, {}, {}
        for name, method in METHODS.items():
            means, quantiles = method.forecasts(run, PROBABILITIES if name == "AUTO" else ())
            errors = run.errors(means)
            for horizon in HORIZONS:
                self._compare(name, horizon, errors[horizon])
            if name == "AUTO":
                self.layers = {horizon: self._worst_layer(horizon, errors[horizon]) for horizon in HORIZONS}
                self.single_steps = run.single_steps(means) if run.name in WITHOUT_SHIFT else np.nan
                self._cover(quantiles)

    def _parts(self, horizon):
        """{part: which of [origins, layers]}, of the parts that the run has."""
        stable = self.run.stable[:self.run.known[horizon]]
        parts = {ALL: np.ones_like(stable), TRANSIENT: ~stable, STABLE: stable}
        return {part: which for part, which in parts.items() if which.any()}

    def _compare(self, name, horizon, errors):
        """Against the best window of the run and the horizon."""
        best = self.run.of_windows[self.run.best[horizon]][horizon]
        for part, which in self._parts(horizon).items():
            self.relative[name, horizon, part] = errors[which].mean() / best[which].mean() - 1

    def _worst_layer(self, horizon, errors):
        """Against the mean of the last 100 steps."""
        return (errors.mean(axis=0) / self.run.of_windows[100][horizon].mean(axis=0)).max() - 1

    def _cover(self, quantiles):
        for horizon in HORIZONS:
            actual = self.run.actual[horizon]
            for interval, ends in INTERVALS.items():
                lower, upper = (quantiles[horizon][:, end] for end in ends)
                within = (lower <= actual) & (actual <= upper)
                for part, which in self._parts(horizon).items():
                    self.coverage[interval, horizon, part] = within[which].mean()
                    self.width[interval, horizon, part] = (upper - lower)[which].mean() * actual.shape[2]

    def window(self, horizon):
        best = self.run.best[horizon]
        return f"{100 * self.run.of_windows[best][horizon].mean():.2f} % (w = {best:,})"


# ---- tables -------------------------------------------------------------------------------------------------------

def per_cent(value, sign="+"):
    return "" if np.isnan(value) else f"{100 * value:{sign}.1f}"


def print_row(first, cells):
    print(f"| {first} | " + " | ".join(cells) + " |", flush=True)


def print_head(titles):
    print_row("", titles)
    print("| --- |" + " ---: |" * len(titles))


def geometric_mean(results, names, *key):
    """Of the ratios to the best window, less 1; NaN if none of the runs was measured."""
    found = [np.log1p(results[name].relative[key]) for name in names
             if name in results and key in results[name].relative]
    return np.expm1(np.mean(found)) if found else np.nan


def print_errors(results, horizon):
    print(f"\n**Mean of the next {horizon:,} steps**\n")
    print_head(["best window"] + [f"{name}{'' if part == ALL else ', ' + part}" for name, part in COLUMNS] +
               ["AUTO's worst layer beside w = 100", "AUTO's single steps"])
    for group, names in GROUPS.items():
        for name in [name for name in names if name in results]:
            result = results[name]
            cells = [per_cent(result.relative.get((method, horizon, part), np.nan)) for method, part in COLUMNS]
            print_row(name, [result.window(horizon), *cells, per_cent(result.layers[horizon]),
                             "" if np.isnan(result.single_steps) else f"{result.single_steps:.3f}"])
        if group != "outside":
            print_mean(results, horizon, group, names)
        if group == "final" and any(name in results for name in names):
            print_mean(results, horizon, "tuning and final", REAL)


def print_mean(results, horizon, group, names):
    means = [geometric_mean(results, names, method, horizon, part) for method, part in COLUMNS]
    if any(name in results for name in names):
        print_row(f"**{group}: geometric mean**", ["", *(per_cent(mean) for mean in means), "", ""])


def print_intervals(results, horizon):
    print(f"\n**AUTO's intervals of the mean of the next {horizon:,} steps: coverage, and width in mean loads**\n")
    print_head([f"{interval} %, {part}" for interval in INTERVALS for part in PARTS[1:]] +
               [f"width of 80 %, {part}" for part in PARTS[1:]])
    for name, result in results.items():
        cover = [per_cent(result.coverage.get((interval, horizon, part), np.nan), "")
                 for interval in INTERVALS for part in PARTS[1:]]
        width = [result.width.get((80, horizon, part), np.nan) for part in PARTS[1:]]
        print_row(name, cover + ["" if np.isnan(each) else f"{each:.3f}" for each in width])


# ---- targets ------------------------------------------------------------------------------------------------------

class Targets:
    """Prints what was reached; counts what was missed. Targets of runs that were not measured are left out."""

    def __init__(self, results):
        self.results, self.missed = results, 0

    def check(self, name, found, most, text="{:+.1f} %", scale=100):
        if np.isnan(found):
            return
        reached = found <= most
        self.missed += not reached
        print(f"- {name}: {text.format(scale * found)}, at most {text.format(scale * most)}: "
              f"{'yes' if reached else 'NO'}")

    def mean(self, name, names, horizon, part, most):
        mean = geometric_mean(self.results, names, "AUTO", horizon, part)
        self.check(f"{name}, geometric mean, next {horizon:,}", mean, most)

    def worst(self, name, names, most, value_of):
        """The largest value of the runs, with the run's name."""
        found = [(value_of(self.results[each]), each) for each in names if each in self.results]
        found = [each for each in found if not np.isnan(each[0])]
        if found:
            value, of = max(found)
            self.check(f"{name} ({of})", value, most[0], *most[1:])

    def within(self, interval, part, points, runs_of):
        """Coverage within some points of its aim, on a part of the runs."""
        key = interval, HORIZONS[0], part
        found = [self.results[name].coverage for name in JUDGED if name in self.results]
        covers = [coverage[key] for coverage in found if key in coverage]
        if not covers:
            return
        near = sum(abs(100 * cover - interval) <= points for cover in covers)
        reached = near >= runs_of * len(covers)
        self.missed += not reached
        print(f"- intervals of {interval} %, {part} layers, next {HORIZONS[0]:,}: within {points} points on {near} of "
              f"{len(covers)} runs, at least {np.ceil(runs_of * len(covers)):.0f}: {'yes' if reached else 'NO'}")


def check_errors(targets, horizon):
    relative = lambda result: result.relative["AUTO", horizon, ALL]
    targets.mean("recorded runs", REAL, horizon, ALL, {1000: -0.13, 2000: -0.15}[horizon])
    targets.mean("the four that nothing is tuned on", FINAL, horizon, ALL, -0.09)
    targets.mean("recorded runs, transient layers", REAL, horizon, TRANSIENT, -0.15)
    targets.mean("recorded runs, stable layers", REAL, horizon, STABLE, -0.08)
    targets.worst(f"worst recorded run, next {horizon:,}", REAL, (0.02,), relative)
    targets.worst(f"worst layer beside w = 100, next {horizon:,}", REAL, (0.05,), lambda result: result.layers[horizon])
    targets.worst(f"worst spliced run, next {horizon:,}", SPLICED, (0.02,), relative)
    targets.mean("simulated runs", SIMULATED, horizon, ALL, -0.08)
    targets.worst(f"worst simulated run, next {horizon:,}", SIMULATED, (0.02,), relative)


def check(results):
    """Print each target; return how many were missed."""
    targets = Targets(results)
    print("\n**Targets**: AUTO against the best window in hindsight\n")
    for horizon in HORIZONS:
        check_errors(targets, horizon)
    targets.worst("single steps in stable layers over the true mean's", WITHOUT_SHIFT, (1.04, "{:.3f}", 1),
                  lambda result: result.single_steps)
    targets.within(80, STABLE, 4, 3 / 4)
    targets.within(80, TRANSIENT, 6, 2 / 3)
    targets.within(95, STABLE, 4, 3 / 4)
    targets.within(95, TRANSIENT, 4, 3 / 4)
    print(f"\ntargets missed: {targets.missed}")
    return targets.missed


# ---- all of it ----------------------------------------------------------------------------------------------------

HEAD = """errors of the horizon's mean, of forecasts every 50 steps from 300 on, in % against the window that is best in
hindsight for the run and the horizon. Transient and stable: the detector's state of the layer when the forecast is
made. The weights come from other runs; of spl12 and spl21 they know one half. Single steps: their error in stable
layers over that of the true mean of the next 1,000 steps. Simulated runs have 8,192 tokens, but for one. The last three
are outside AUTO's promise."""


def chosen(arguments):
    if arguments.runs:
        return [name for names in GROUPS.values() for name in names if name in arguments.runs]
    groups = {"tuning": ("tuning", "spliced", "simulated"), "final": ("final",), "all": tuple(GROUPS)}[arguments.set]
    return [name for group in groups for name in GROUPS[group] if not arguments.quick or name in REAL]


def main():
    parser = argparse.ArgumentParser(prog="auto_accuracy", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="recorded runs only")
    parser.add_argument("--set", choices=("tuning", "final", "all"), default="all",
                        help="final: the four recorded runs that nothing is tuned on; tuning: those that constants are "
                             "tuned on")
    parser.add_argument("--runs", nargs="+", metavar="NAME", choices=[name for of in GROUPS.values() for name in of],
                        help="only these")
    results = {name: Result(Run(name)) for name in chosen(parser.parse_args())}
    print(f"libmoepredict {moepredict.__version__}: {HEAD}")
    for horizon in HORIZONS:
        print_errors(results, horizon)
    for horizon in HORIZONS:
        print_intervals(results, horizon)
    return check(results) > 0


raise SystemExit(main())
