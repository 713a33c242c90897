# SPDX-License-Identifier: BSD-3-Clause
"""The LSTM's forecasts where the data shift: in simulated runs, and in recorded ones that are cut and joined."""
import numpy as np

import moepredict
from lstm_runs import HORIZONS, MIXTURE, SEEDS, Run, errors_of, made, print_head, print_row, trained

AT_MOST = 0.03  # more than the best window in hindsight, over a whole simulated run, the mean of three
SIMULATED = {"none": {}, "0.1 at 5,000": {"shifts": [(5000, 0.1)]}, "0.3 at 5,000": {"shifts": [(5000, 0.3)]},
             "0.3 at 1,000": {"shifts": [(1000, 0.3)]},
             "0.2 at 3,000, 6,000 and 8,000": {"shifts": [(3000, 0.2), (6000, 0.2), (8000, 0.2)]},
             "0.3 at 4,000, within 1,000 steps": {"shifts": [(4000, 0.3)], "shift_ramp": 1000},
             "0.2 at 5,000, drift of 0.05": {"shifts": [(5000, 0.2)], "drift": 0.05}}
TITLE = """
## 2. Shifts of the data

Against the window that is best in hindsight, of each run and column by itself; least to most of three simulated runs,
or of both traces. Simulated runs: the shipped weights and a mixture trained on both small16 runs; neither has seen
them. Traces spliced at 5,000: weights of the run that comes first, which have seen the steps before the shift, but not
those after it. Experts relabelled, and first steps cut away: weights of the other run, all unseen.
"""


def simulated(**config):
    return [Run(moepredict.simulate(seed=seed, **config)[0]) for seed in SEEDS]


def spliced(first, then, step=5000):
    return np.concatenate([first.counts[:step], then.counts[step:]])


def relabelled(run, steps):
    """Experts of every layer change places at these steps."""
    counts, rng = run.counts.copy(), np.random.default_rng(0)
    for step in steps:
        for layer in range(counts.shape[1]):
            counts[step:, layer] = counts[step:, layer][:, rng.permutation(counts.shape[2])]
    return counts


def after(run, shifts):
    """[origins, layers]: at most 2,000 steps after the last shift."""
    since = run.origins[:, None] - np.asarray(shifts).reshape(1, -1)
    return np.broadcast_to(((since >= 0) & (since <= 2000)).any(axis=1)[:, None], run.stable.shape)


def relative_errors(errors, run, shifts):
    """By horizon, of all origins and of those soon after a shift: against the window that is best for them."""
    values = []
    for horizon in range(len(HORIZONS)):
        for where in (np.ones_like(run.stable), after(run, shifts)):
            known = where & np.isfinite(errors[horizon])
            values.append(errors[horizon][known].mean() / run.best_window(horizon, where)[1][known].mean() - 1
                          if known.any() else np.nan)
    return np.array(values)


def cell(values):
    return "-" if np.isnan(values).any() else " to ".join(f"{100 * value:+.1f}" for value in
                                                          sorted({values.min(), values.max()})) + " %"


def print_shifted(name, cases):
    """cases: (run, steps of shifts, LSTM, mixture). The LSTM's mean over them, of all origins, by horizon."""
    found = {}
    for run, shifts, lstm, mixture in cases:
        with made(run, **MIXTURE) as untrained:
            nets = {"LSTM": lstm, "mixture": mixture, "untrained mixture": untrained}
            errors = {forecaster: errors_of([net], run)[0] for forecaster, net in nets.items()}
        errors["0.2 x age"] = run.errors(run.window(0.2 * run.origins))
        for forecaster, of_run in errors.items():
            found.setdefault(forecaster, []).append(relative_errors(of_run, run, shifts))
    for forecaster, values in found.items():
        print_row(f"{name}: {forecaster}", [cell(column) for column in np.transpose(values)])
    return np.mean(found["LSTM"], axis=0)[::2]


def print_simulated(runs):
    """The cases that miss the target."""
    missed = []
    with made(runs[0]) as pretrained:
        mixture, _ = trained(runs[0], runs, **MIXTURE)
        for name, config in SIMULATED.items():
            shifts = [step for step, _ in config.get("shifts", [])]
            cases = [(run, shifts, pretrained, mixture) for run in simulated(**config)]
            found = print_shifted(f"simulated, {name}", cases)
            missed += [f"simulated, {name}, next {horizon:,}: {100 * mean:+.1f} %, at most +{100 * AT_MOST:.0f} %"
                       for horizon, mean in zip(HORIZONS, found) if mean > AT_MOST]
    return missed


def print_shifts(runs, lstms, mixtures):
    """Prints the tables of the two small16 runs, each with a network and a mixture that were trained on the other.
    Returns the cases that miss the target."""
    print(TITLE)
    print_head([f"next {horizon:,}{part}" for horizon in HORIZONS for part in ("", ", within 2,000 after a shift")])
    missed, both = print_simulated(runs), range(2)
    print_shifted("spliced at 5,000", [(Run(spliced(runs[i], runs[1 - i])), [5000], lstms[1 - i], mixtures[1 - i])
                                       for i in both])
    for steps in ([5000], [3000, 6000, 7500]):
        print_shifted("relabelled at " + ", ".join(f"{step:,}" for step in steps),
                      [(Run(relabelled(runs[i], steps)), steps, lstms[i], mixtures[i]) for i in both])
    for name, first in {"numbered from 3,000": 3000, "numbered from 0": 0}.items():
        print_shifted(f"first 3,000 steps cut away, {name}",
                      [(Run(runs[i].counts[3000:], first), [], lstms[i], mixtures[i]) for i in both])
    return missed
