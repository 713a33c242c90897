# SPDX-License-Identifier: BSD-3-Clause
"""Delays and false alarms of the state detector and its rivals in simulated runs. The figures are medians over 20 runs,
whose events are spread over a period of the detector. Each case has targets; and no figure of it may be worse
than that of constant growth by more than a tenth."""
import itertools
from typing import Callable, NamedTuple

import numpy as np

import moepredict
from rivals import BLOCK, Run
from states import DETECTORS, FIRST, OURS, exits

RUNS = 20
ONSET, PATIENCE, STEPS = 3000, 1500, 5000  # the step of an event; steps in which it must be seen; steps of a run
BATCHES = [("4,096", {"assignments": 4096, "overdispersion": 4}), ("524,288", {"assignments": 524288})]


def onsets():
    return ONSET + 7 * np.arange(RUNS)


def simulated(happens, **common):
    """Runs side by side as layers of one; happens(onset) returns the additional arguments of `simulate`."""
    still = {"layers": 1, "steps": STEPS, "skew": 0.25, "fluctuation": 0}
    runs = [moepredict.simulate(**{**still, **common, **happens(int(onset)), "seed": seed})[0]
            for seed, onset in enumerate(onsets())]
    return Run(np.concatenate(runs, axis=1))


def ends(stable):
    """The last step of each block."""
    return BLOCK * np.arange(1, len(stable) + 1) - 1


def first_after(events, steps):
    """For each run, the steps from `steps` (runs,) to the first block end with an event; inf if none is in time."""
    after = ends(events)[:, None] - steps
    hits = events & (after >= 0) & (after <= PATIENCE)
    return np.where(hits.any(axis=0), np.take_along_axis(after, hits.argmax(axis=0)[None], 0)[0], np.inf)


def middle(delays):
    """The median as text."""
    value = np.median(delays) if len(delays) else np.nan
    return "-" if np.isnan(value) else "never" if np.isinf(value) else f"{value:.0f}"


# ---- figures of a case, as (numbers, text) ----

def of_stationary(seen, run):
    first = first_after(seen.stable, np.zeros(RUNS))
    alarms = exits(seen.stable).sum() / RUNS * 10000 / len(run.counts)
    return {"first": np.median(first), "alarms": alarms}, f"{middle(first)} / {alarms:.2f}"


def of_drift(seen, run):
    later = slice(FIRST // BLOCK, None)
    part, left = seen.stable[later].mean(), exits(seen.stable)[later].mean() * 10000 / BLOCK
    return {"part": part, "exits": left}, f"{part:.2f} / {left:.1f}"


def of_change(seen, run):
    """Runs that were not stable at the onset cannot leave."""
    left_at = exits(seen.stable)
    before = seen.stable[onsets() // BLOCK - 1, np.arange(RUNS)]
    left = first_after(left_at, onsets())
    back = left + first_after(seen.stable, onsets() + np.where(np.isinf(left), 0, left))
    again = np.mean([left_at[ends(left_at) > onset + leave, run_].sum()
                     for run_, (onset, leave) in enumerate(zip(onsets(), left))])
    text = f"{middle(left[before])} / {middle(back[before])} / {again:.2f}"
    return ({"leave": np.median(left), "back": np.median(back), "again": again},
            text + ("" if before.all() else f" ({before.sum()})") if before.any() else "not stable")


def of_stop(seen, run):
    delay = first_after(seen.stable, onsets())
    before = seen.stable[FIRST // BLOCK:ONSET // BLOCK].mean()
    return {"stable": np.median(delay), "before": before}, f"{middle(delay)} / {before:.2f}"


def of_jump(seen, run):
    """The first expert of each run has jumped: its alarm, those of others and of layers since."""
    alarm = exits(seen.experts)
    delay = first_after(alarm[:, :, 0], onsets())
    since = ends(seen.stable)[:, None] > onsets()
    others = (alarm[:, :, 1:].sum(axis=2) * since).sum()
    layers = (exits(seen.stable) & since).sum()
    return {"delay": np.median(delay), "others": others, "layers": layers}, f"{middle(delay)} / {others} / {layers}"


# ---- the cases ----

def shift(size, ramp=0):
    return lambda onset: {"shifts": [(onset, size)], "shift_ramp": ramp}


def stop(onset):
    return {"fluctuation_end": onset, "fluctuation": 0.5, "fluctuation_decay": 0}


def jump(onset):
    """The first expert's share, not only its load, becomes 1.5 times what it was, if it was the mean."""
    return {"bursts": [(0, 0, onset, STEPS)], "burst_size": 1.5 * (1 - 1 / 128) / (1 - 1.5 / 128)}


def nothing(onset):
    return {}


COMPARED = [name for name in DETECTORS if name != "always stable"]
OF_EXPERTS = [*OURS, "earlier rule"]


class Case(NamedTuple):
    title: str
    figures: Callable
    happens: Callable     # happens(onset): the arguments of `simulate` by which its runs differ
    common: dict          # those that they share
    targets: dict = {}    # {figure: at most}
    wanted: tuple = ()    # the figures that should be large; all others should be small
    compared: list = COMPARED


def cases():
    """Yields the cases, grouped by kind."""
    for experts in (16, 128):
        for assignments in (512, 4096, 32768, 524288):
            yield Case(f"stationary, {experts} experts, {assignments:,}", of_stationary, nothing,
                       {"steps": 10000, "experts": experts, "assignments": assignments}, {"first": 300, "alarms": 0})
    for title, drift, wanted in (("harmless drift, 3 % per 1,000", 0.03, ("part",)),
                                 ("harmful drift, 30 % per 1,000", 0.30, ())):
        for size, batch in BATCHES:
            yield Case(f"{title}; {size}", of_drift, nothing, {"steps": 10000, "drift": drift, **batch}, {}, wanted)
    for title, happens, drift, targets in (
            ("shift of 30 %", shift(0.30), 0, {"leave": 60, "back": 350}),
            ("shift of 15 %, drift 2 %", shift(0.15), 0.02, {}),
            ("ramp of 60 % in 1,000", shift(0.60, ramp=1000), 0, {"leave": 250, "again": 0})):
        for size, batch in BATCHES:
            yield Case(f"{title}; {size}", of_change, happens, {"drift": drift, **batch}, targets)
    for size, batch in BATCHES:
        yield Case(f"fluctuation stops; {size}", of_stop, stop, batch, {"stable": 360})
    for assignments in (4096, 32768, 524288):
        yield Case(f"jump, {assignments:,}", of_jump, jump, {"experts": 128, "assignments": assignments},
                   {"delay": 130, "others": 0}, (), OF_EXPERTS)


HEADS = {of_stationary: "first stable at step / false alarms per 10,000 steps",
         of_drift: "part of the time stable / exits per 10,000 steps",
         of_change: "steps until left / until stable again / further exits (runs that were stable, if not all)",
         of_stop: "steps until stable / part of the time stable before",
         of_jump: "one of 128 experts jumps by 50 %: steps until its alarm / alarms of others / of layers, in all runs"}


# ---- targets ----

def exceeding(case, numbers):
    """The targets that it misses."""
    return [f"{case.title}: {figure} {numbers[figure]:g}, not {limit}" for figure, limit in case.targets.items()
            if not numbers[figure] <= limit]


def worse(case, ours, theirs):
    """The figures that are worse than those of constant growth by more than a tenth."""
    worst_first = {figure: (theirs[figure], ours[figure]) if figure in case.wanted else (ours[figure], theirs[figure])
                   for figure in ours}
    return [f"{case.title}: {figure} {ours[figure]:g}, constant growth {theirs[figure]:g}"
            for figure, (most, least) in worst_first.items() if not most <= 1.1 * least]


def at_most(case, missed):
    limits = ", ".join(f"{figure} <= {limit}" for figure, limit in case.targets.items())
    return limits and f"{limits}: {'NO' if missed else 'yes'}"


def print_case(case):
    """Print a case; return the targets that it misses, and the figures that are worse than constant growth's."""
    run, numbers, texts = simulated(case.happens, **case.common), {}, []
    for name in case.compared:
        numbers[name], text = case.figures(DETECTORS[name](run), run)
        texts.append(f"{text:21}")
    missed = exceeding(case, numbers["moepredict"])
    print(f"{case.title:38} {''.join(texts):{21 * len(COMPARED)}} {at_most(case, missed)}".rstrip(), flush=True)
    return missed, worse(case, *(numbers[name] for name in OURS))


def main():
    """Print all cases; return {what is required: what misses it}."""
    print(f"\nsimulated runs, medians of {RUNS}\n{'':38} " + "".join(f"{name:21}" for name in COMPARED) + " targets")
    required = {"simulated runs, the targets beside them": [],
                "simulated runs, no figure worse than constant growth's by more than a tenth": []}
    for figures, kind in itertools.groupby(cases(), lambda case: case.figures):
        print(f"-- {HEADS[figures]}")
        for case in kind:
            for missed, found in zip(required.values(), print_case(case)):
                missed += found
    return required
