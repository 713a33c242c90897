# SPDX-License-Identifier: BSD-3-Clause
"""The states of the detector on the bundled traces, as they are, at a smaller and at a larger batch: tables, and what
they must reach."""
import numpy as np

import moepredict
from auto_runs import DATA, FINAL, TUNED_ON, trace
from rivals import EXPERT_TOLERANCE, TOLERANCE, Run
from states import DETECTORS, OURS, evaluated, is_near, known_shifts, realised, score

SEEDS = TUNED_ON[:2]  # rivals run on these two, on three resamplings
MEASURED = "as measured"
SOURCES = {  # (name of a trace, seed) -> counts
    MEASURED: lambda name, seed: trace(name),
    "thinned to 1,024 assignments": lambda name, seed: moepredict.resample(trace(name), 1024, thin=True, seed=seed),
    "resampled at 524,288 assignments, bandwidth 100":
        lambda name, seed: moepredict.resample(trace(name), 524288, bandwidth=100, seed=seed),
}
LAYERS, EXPERTS = KINDS = "layers", "experts"
ALL = TUNED_ON + FINAL
GROUPS = {"all eleven": ALL, "the seven tuned on": TUNED_ON, "the final four": FINAL}

LEAST_AGREEMENT, LEAST_BALANCED, MOST_FALSE = 0.93, 0.86, 0.5  # means over the eleven
LOSS = 0.01                                                    # at other batches
LEAST_OF_FINAL, LEAST_OF_EACH = 0.88, 0.84                     # agreement
HARDEST, LEAST_OF_HARDEST = "curriculum16-s16", 0.78
SEEDS_AGREEMENT, SEEDS_BALANCED, SEEDS_FALSE, SEEDS_RATIO = 0.925, 0.855, 1.0, 1 / 3


# ---- results ----

def figures_of(name, source, seed):
    """{(detector, kind): figures} of one run."""
    run = Run(SOURCES[source](name, seed))
    of_experts = realised(run.means)
    truth = of_experts.mean(axis=2)
    known = evaluated(truth, known_shifts((DATA / f"{name}.json").read_text()))
    figures = {}
    for detector in DETECTORS if name in SEEDS else OURS:
        seen = DETECTORS[detector](run)
        figures[detector, LAYERS] = score(seen.stable, seen.drift, truth, known, TOLERANCE)
        if seen.experts is not None:
            figures[detector, EXPERTS] = score(seen.experts, seen.expert_drift, of_experts, known, EXPERT_TOLERANCE)
    return figures


def mean_of(runs):
    """The mean of several runs' figures; NaN where a run has no figure."""
    return {figure: np.mean([figures[figure] for figures in runs], axis=0) for figure in runs[0]}


class Results:
    """{detector, kind: figures} of every trace and source, means over the resamplings."""

    def __init__(self):
        self.of = {(name, source): self._measured(name, source) for name in ALL for source in SOURCES}

    @staticmethod
    def _measured(name, source):
        repeats = 3 if name in SEEDS and source != MEASURED else 1
        runs = [figures_of(name, source, seed) for seed in range(repeats)]
        return {key: mean_of([run[key] for run in runs]) for key in runs[0]}

    def mean(self, names, source, detector="moepredict", kind=LAYERS):
        """None if the detector does not tell of experts."""
        scores = [self.of[name, source].get((detector, kind)) for name in names]
        return mean_of(scores) if all(scores) else None


# ---- tables ----

def number(value, digits):
    return "-" if np.isnan(value) else f"{value:.{digits}f}"


def state_cell(figures):
    return " / ".join(number(figures[name], digits) for name, digits in
                      (("agreement", 3), ("balanced", 3), ("false", 2)))


def print_table(head, rows):
    """In Markdown, padded."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")


def print_states(results, source, kind):
    """One line a trace, and means."""
    rows = []
    for title, names in {**{name: (name,) for name in ALL}, **GROUPS}.items():
        of_detectors = [results.mean(names, source, detector, kind) for detector in OURS]
        row = [title, number(100 * of_detectors[0]["should"], 1)]
        for figures in of_detectors:
            row += [state_cell(figures), number(100 * figures["off"], 1), number(100 * figures["near"], 0)]
        rows.append(row)
    print(f"\n{kind}, {source}\n")
    print_table(["", "STABLE, %"] + [cell for detector in OURS for cell in (detector, "off, %", "near, %")], rows)


def octile(predicted, came):
    return f"{predicted:.3f} -> {came:.3f}" + ("" if is_near(predicted, came) else "*")


def print_octiles(results, kind):
    rows = []
    for name in ALL:
        figures = results.of[name, MEASURED]["moepredict", kind]
        rows.append([name, *(octile(*pair) for pair in figures["octiles"]), f"{figures['correlation']:.2f}"])
    print(f"\n{kind}, {MEASURED}: predicted -> realised drift by octile of the predicted; *: not near\n")
    print_table(["", *map(str, range(1, 9)), "rank correlation"], rows)


def print_rivals(results, kind):
    rows = []
    for detector in DETECTORS:
        of_sources = [results.mean(SEEDS, source, detector, kind) for source in SOURCES]
        if all(of_sources):
            rows.append([detector] + [f"{state_cell(figures)} / {number(ratio(figures), 2)}" for figures in of_sources])
    print(f"\n{kind}, beside other rules, mean of the two small16; fourth: realised rms error when STABLE / when not\n")
    print_table(["", *SOURCES], rows)


def ratio(figures):
    return figures["stable"] / figures["transient"]


HEAD = """bundled traces, from step 600 on, without the horizons and ramps of known shifts
- STABLE: blocks where the realised error of a forecast is within the tolerance, the truth
- of a detector: agreement with the truth / balanced accuracy / false exits per 10,000 steps and layer (or expert)
- off: realised errors beyond the tolerance where it says STABLE
- near: octiles of the predicted drift whose realised error is within a quarter of it, or 0.005 of the mean load
- resampled once, small16 three times"""


def print_all(results):
    print(HEAD)
    for source in SOURCES:
        for kind in KINDS:
            print_states(results, source, kind)
    for kind in KINDS:
        print_octiles(results, kind)
    for kind in KINDS:
        print_rivals(results, kind)


# ---- targets ----

def least(results, names):
    """The smallest agreement, and whose it is."""
    return min((results.mean((name,), MEASURED)["agreement"], name) for name in names)


def targets_of_all(results):
    """Yields (what, found, at least or at most, limit)."""
    for source in SOURCES:
        mean, lost = results.mean(ALL, source), LOSS * (source != MEASURED)
        yield f"agreement, all eleven, {source}", mean["agreement"], "at least", LEAST_AGREEMENT - lost
        yield f"balanced accuracy, all eleven, {source}", mean["balanced"], "at least", LEAST_BALANCED - lost
    false = results.mean(ALL, MEASURED)["false"]
    yield f"false exits, all eleven, {MEASURED}", false, "at most", MOST_FALSE
    agreement, _ = least(results, [HARDEST])
    yield f"agreement, {HARDEST}, {MEASURED}", agreement, "at least", LEAST_OF_HARDEST
    agreement, name = least(results, [name for name in ALL if name != HARDEST])
    yield f"agreement, the least of the others, {name}", agreement, "at least", LEAST_OF_EACH
    final = results.mean(FINAL, MEASURED)["agreement"]
    yield f"agreement, the final four, {MEASURED}", final, "at least", LEAST_OF_FINAL


def targets_of_seeds(results):
    """Likewise, for the runs that rivals run on."""
    for source in SOURCES:
        mean = results.mean(SEEDS, source)
        yield f"agreement, the two small16, {source}", mean["agreement"], "at least", SEEDS_AGREEMENT
        yield f"balanced accuracy, the two small16, {source}", mean["balanced"], "at least", SEEDS_BALANCED
        yield f"false exits, the two small16, {source}", mean["false"], "at most", SEEDS_FALSE
        yield f"ratio of the errors, the two small16, {source}", ratio(mean), "at most", SEEDS_RATIO


def targets(results):
    return [*targets_of_all(results), *targets_of_seeds(results)]
