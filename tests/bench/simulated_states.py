# SPDX-License-Identifier: BSD-3-Clause
"""Delays and false alarms of the state detector and its rivals in simulated runs. The figures are medians over 20 runs,
whose events are at different places within a block."""
import collections
import itertools

import numpy as np

import moepredict
from rivals import BLOCK, Run
from states import DETECTORS, FIRST, exits

RUNS = 20
ONSET, PATIENCE, STEPS = 3000, 1500, 5000  # the step of an event; steps in which it must be seen; steps of a run
BATCHES = [("4,096", {"assignments": 4096, "overdispersion": 4}), ("524,288", {"assignments": 524288})]


def onsets():
    return ONSET + np.arange(RUNS)


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

def of_stationary(stable, run):
    first = first_after(stable, np.zeros(RUNS))
    alarms = exits(stable).sum() / RUNS * 10000 / len(run.counts)
    return {"first": np.median(first), "alarms": alarms}, f"{middle(first)} / {alarms:.2f}"


def of_drift(stable, run):
    later = slice(FIRST // BLOCK, None)
    part, left = stable[later].mean(), exits(stable)[later].mean() * 10000 / BLOCK
    return {"part": part}, f"{part:.2f} / {left:.1f}"


def of_change(stable, run):
    """Runs that were not stable at the onset cannot leave."""
    before = stable[onsets() // BLOCK - 1, np.arange(RUNS)]
    left = first_after(exits(stable), onsets())
    back = left + first_after(stable, onsets() + np.where(np.isinf(left), 0, left))
    again = np.mean([exits(stable)[ends(stable) > onset + leave, run_].sum()
                     for run_, (onset, leave) in enumerate(zip(onsets(), left))])
    text = f"{middle(left[before])} / {middle(back[before])} / {again:.2f}"
    return ({"leave": np.median(left), "back": np.median(back), "again": again},
            text + ("" if before.all() else f" ({before.sum()})") if before.any() else "not stable")


def of_stop(stable, run):
    delay = first_after(stable, onsets())
    before = stable[FIRST // BLOCK:ONSET // BLOCK].mean()
    return {"stable": np.median(delay)}, f"{middle(delay)} / {before:.2f}"


def jumped(seen, run):
    """The first expert of each run has jumped: its alarm, those of others and of layers since."""
    alarm = exits(seen.experts)
    delay = first_after(alarm[:, :, 0], onsets())
    since = ends(seen.stable)[:, None] > onsets()
    others = (alarm[:, :, 1:].sum(axis=2) * since).sum()
    layers = (exits(seen.stable) & since).sum()
    return {"delay": np.median(delay), "others": others}, f"{middle(delay)} / {others} / {layers}"


# ---- the cases ----

def shift(size, ramp=0):
    return lambda onset: {"shifts": [(onset, size)], "shift_ramp": ramp}


def stop(onset):
    return {"fluctuation_end": onset, "fluctuation": 0.5, "fluctuation_decay": 0}


def nothing(onset):
    return {}


Case = collections.namedtuple("Case", "title figures happens common targets", defaults=[{}])


def cases():
    """Yields the cases, grouped by kind, with their targets {figure: at most}."""
    for experts in (16, 128):
        for assignments in (512, 4096, 32768, 524288):
            yield Case(f"stationary, {experts} experts, {assignments:,}", of_stationary, nothing,
                       {"steps": 10000, "experts": experts, "assignments": assignments}, {"first": 300, "alarms": 0})
    for title, drift in (("harmless drift, 3 % per 1,000", 0.03), ("harmful drift, 30 % per 1,000", 0.30)):
        for size, batch in BATCHES:
            yield Case(f"{title}; {size}", of_drift, nothing, {"steps": 10000, "drift": drift, **batch})
    for title, happens, drift, targets in (
            ("shift of 30 %", shift(0.30), 0, {"leave": 60, "back": 350}),
            ("shift of 15 %, drift 2 %", shift(0.15), 0.02, {}),
            ("ramp of 60 % in 1,000", shift(0.60, ramp=1000), 0, {"leave": 250, "again": 0})):
        for size, batch in BATCHES:
            yield Case(f"{title}; {size}", of_change, happens, {"drift": drift, **batch}, targets)
    for size, batch in BATCHES:
        yield Case(f"fluctuation stops; {size}", of_stop, stop, batch, {"stable": 350})


HEADS = {of_stationary: "first stable at step / false alarms per 10,000 steps",
         of_drift: "part of the time stable / exits per 10,000 steps",
         of_change: "steps until left / until stable again / further exits (runs that were stable, if not all)",
         of_stop: "steps until stable / part of the time stable before"}
COMPARED = [name for name in DETECTORS if name != "always stable"]


def exceeding(case, numbers, most):
    return [f"{case.title}: {figure} {numbers[figure]:g}, not {limit}" for figure, limit in most.items()
            if not numbers[figure] <= limit]


def at_most(limits):
    return ", ".join(f"{figure} <= {limit}" for figure, limit in limits.items())


def print_case(case):
    """Print a case; return the targets that it misses."""
    run, missed, texts = simulated(case.happens, **case.common), [], []
    for name in COMPARED:
        numbers, text = case.figures(DETECTORS[name](run).stable, run)
        texts.append(f"{text:21}")
        if name == "moepredict":
            missed = exceeding(case, numbers, case.targets)
    print(f"{case.title:38} {''.join(texts)} {at_most(case.targets)}".rstrip(), flush=True)
    return missed


def jump(onset):
    """The first expert's share, not only its load, becomes 1.5 times what it was, if it was the mean."""
    return {"bursts": [(0, 0, onset, STEPS)], "burst_size": 1.5 * (1 - 1 / 128) / (1 - 1.5 / 128)}


def print_jumps():
    """Print all cases with a jump; return the targets that they miss."""
    print("-- one of 128 experts jumps by 50 %: steps until its alarm / alarms of others / of layers, in all runs")
    missed = []
    for assignments in (4096, 32768, 524288):
        run, texts = simulated(jump, experts=128, assignments=assignments), []
        case = Case(f"jump, {assignments:,}", jumped, jump, {}, {"delay": 130, "others": 0})
        for name in ("moepredict", "earlier rule"):
            numbers, text = jumped(DETECTORS[name](run), run)
            texts.append(f"{text:21}")
            if name == "moepredict":
                missed += exceeding(case, numbers, case.targets)
        print(f"{case.title:38} {''.join(texts):126} {at_most(case.targets)}", flush=True)
    return missed


def main():
    """Print all cases; return the targets that they miss."""
    print(f"\nsimulated runs, medians of {RUNS}\n{'':38} " + "".join(f"{name:21}" for name in COMPARED) + " targets")
    missed = []
    for figures, kind in itertools.groupby(cases(), lambda case: case.figures):
        print(f"-- {HEADS[figures]}")
        for case in kind:
            missed += print_case(case)
    return missed + print_jumps()


if __name__ == "__main__":
    print("\ntargets missed: " + ("; ".join(main()) or "none"))
