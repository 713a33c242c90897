# SPDX-License-Identifier: BSD-3-Clause
"""What plans are worth on the recorded runs: replays under several policies, predicted against realised gains and
peaks. AUTO's weights never come from the run that they forecast. Exits with 1 if a target is missed.

usage: plan_replay.py [RUN ...]     runs of examples/data; all of them by default
"""
import sys

import numpy as np

import moepredict
from auto_runs import FINAL, TUNED_ON, Method, counts_of

FIRST, EVERY, HORIZON, RANKS = 1000, 250, 1000, 8
AUTO = Method("auto")
RUNS = sys.argv[1:] or [*TUNED_ON, *FINAL]
missed = []


def target(name, value, least, most):
    reached = least <= value <= most
    missed.extend([] if reached else [name])
    limits = f"within {least:g} .. {most:g}" if least > -np.inf else f"at most {most:g}"
    print(f"{name}: {value:.4g}, {limits}: {'yes' if reached else 'no'}")


def map_of_equal_loads(counts, slots, ranks):
    return moepredict.rebalance_experts(np.ones(counts.shape[1:]), slots, 1, 1, ranks)[0]


def predictor_for(name, counts):
    run = type("Named", (), {"name": name, "counts": counts})
    return AUTO.predictor(run)


# ---- replays -------------------------------------------------------------------------------------------------------

def new_map_for_true_mean(counts, ranks, slots, cost):
    """(step, net) of new maps, as they come, for the mean of the next 1,000 steps."""
    shares, layers = counts / counts.sum(-1, keepdims=True), counts.shape[1]
    current, moved, peaks = map_of_equal_loads(counts, slots, ranks), 0, []
    with moepredict.Planner(layers=layers, experts=counts.shape[2]) as planner:
        for step in range(FIRST, len(counts), HORIZON):
            coming = shares[step:step + HORIZON]
            new = planner.plan(slots=slots, ranks=ranks, forecast=coming.mean(0), method="mean").map
            moved += moepredict.map_moves(current, new, ranks).sum()
            peaks.append(moepredict.rank_loads(new, coming, ranks).peak)
            current = new
    step = np.concatenate(peaks).mean()
    return step, step + cost * moved / (layers * (len(counts) - FIRST))


def replay(title, ranks, extra, cost):
    """[runs, policies, step and net], and the replays of the last policy that plans by scenarios."""
    runs = [name for name in RUNS if extra or counts_of(name).shape[2] > ranks]
    table, scenarios, names = [], [], []
    print(f"\n{title}, slot cost {cost:g}: step / net by policy\n")
    for name in runs:
        counts = counts_of(name)
        experts = counts.shape[2]
        slots = -(-int(experts * (1 + extra)) // ranks) * ranks
        with predictor_for(name, counts) as predictor:
            replays = moepredict.replay_plans(counts, ranks=ranks, slots=slots, first=FIRST, every=EVERY,
                                              horizon=HORIZON, slot_cost=cost, predictor=predictor)
        row = [(replay.step, replay.net) for replay in replays]
        row.append(new_map_for_true_mean(counts, ranks, slots, cost))
        if not table:
            names = [replay.policy for replay in replays] + ["new, true mean"]
            print(f"{'run':17}" + "".join(f"{policy:>17}" for policy in names))
        print(f"{name:17}" + "".join(f"  {step:7.4f}/{net:7.4f}" for step, net in row), flush=True)
        table.append(row)
        scenarios.append(next(replay for replay in replays if replay.policy == "auto, scenarios"))
    table = np.array(table)
    print(f"{'mean':17}" + "".join(f"  {step:7.4f}/{net:7.4f}" for step, net in table.mean(0)))
    print(f"slots moved by auto, scenarios: {100 * np.mean([replay.part_moved for replay in scenarios]):.0f} % per "
          f"1,000 steps")
    return {policy: table[:, number] for number, policy in enumerate(names)}, scenarios


def net(table, policy):
    return table[policy][:, 1].mean()


def replays():
    copies, scenarios = replay("EP 8, 25 % copies", RANKS, 0.25, 0.2)
    few, of_few = replay("EP 4, no copies", 4, 0, 0.2)
    dear, _ = replay("EP 8, 25 % copies", RANKS, 0.25, 5)
    dear_few, _ = replay("EP 4, no copies", 4, 0, 5)
    print()
    target("EP 8, net of auto, scenarios less that of EPLB, points", 100 * (net(copies, "auto, scenarios") -
                                                                          net(copies, "EPLB")), -np.inf, -4)
    target("EP 8, the same less that of new maps for the true mean, points",
           100 * (net(copies, "auto, scenarios") - net(copies, "new, true mean")), -np.inf, 0)
    target("EP 4, net of auto, scenarios", net(few, "auto, scenarios"), -np.inf, 1.10)
    for title, table in (("EP 8", dear), ("EP 4", dear_few)):
        worst = (table["auto, scenarios"][:, 1] - table["never"][:, 1]).max()
        target(f"{title}, slot cost 5, worst run: net less that of never, points", 100 * worst, -np.inf, 0.5)
    pairs = np.array([(run.predicted_gain, run.realised_gain, np.isfinite(run.predicted_gain) *
                       (run.moves > 0).sum()) for run in [*scenarios, *of_few]])
    pairs = pairs[np.isfinite(pairs).all(1)]
    realised, predicted = (pairs[:, 1] * pairs[:, 2]).sum(), (pairs[:, 0] * pairs[:, 2]).sum()
    target("realised / predicted gain, slot cost 0.2", realised / predicted, 0.75, 1.1)


# ---- how often -----------------------------------------------------------------------------------------------------

def planned_by_state(name, ranks, extra, cost, which):
    """(net, part of the layer-plans, sum of peaks and steps of transient layers), planned every 250 steps: all layers,
    those that are not STABLE and every 1,000 steps all, or every 1,000 steps all."""
    counts = counts_of(name)
    shares, (layers, experts) = counts / counts.sum(-1, keepdims=True), counts.shape[1:]
    slots = -(-int(experts * (1 + extra)) // ranks) * ranks
    current, moved, plans, pushed = map_of_equal_loads(counts, slots, ranks), 0, 0, 0
    peaks, transient = [], []
    with predictor_for(name, counts) as predictor, moepredict.Planner(layers=layers, experts=experts) as planner, \
            moepredict.Detector(layers=layers, experts=experts) as detector:
        for step in range(FIRST, len(counts), EVERY):
            for handle in (predictor, planner, detector):
                handle.push(counts[pushed:step])
            pushed, unstable = step, detector.layer_states != moepredict.State.STABLE
            chosen = np.full(layers, which == "all") if step % HORIZON else np.full(layers, True)
            chosen = chosen | unstable if which == "transient" else chosen
            if chosen.any():
                plan = planner.plan(slots=slots, ranks=ranks, forecast=predictor.predict(HORIZON), current=current,
                                    slot_cost=cost, layers=chosen)
                current, moved, plans = plan.map, moved + plan.moved.sum(), plans + chosen.sum()
            peaks.append(moepredict.rank_loads(current, shares[step:step + EVERY], ranks).peak)
            transient.append(np.broadcast_to(unstable, peaks[-1].shape))
    peaks, transient = np.concatenate(peaks), np.concatenate(transient)
    return (peaks.mean() + cost * moved / peaks.size, plans * EVERY / peaks.size, peaks[transient].sum(),
            transient.sum())


def how_often():
    print("\nauto, scenarios, slot cost 0.2, EP 8, 25 % copies: how often layers are planned\n\n"
          "planned                                                  net   part of plans   step of transient layers")
    for which, title in (("all", "all layers every 250 steps"),
                         ("transient", "TRANSIENT every 250 steps, STABLE every 1,000"),
                         ("none", "all layers every 1,000 steps")):
        rows = np.array([planned_by_state(name, RANKS, 0.25, 0.2, which) for name in RUNS])
        transient = rows[:, 2].sum() / rows[:, 3].sum()
        print(f"{title:50} {rows[:, 0].mean():9.4f} {rows[:, 1].mean():15.2f} {transient:26.4f}", flush=True)


# ---- peaks ---------------------------------------------------------------------------------------------------------

def of_peaks(name, config, layouts):
    """Rows of: predicted / realised of the mean peak and of the p99, the part of steps above the predicted p99."""
    counts, rows, pushed = counts_of(name), [], 0
    shares, (layers, experts) = counts / counts.sum(-1, keepdims=True), counts.shape[1:]
    with predictor_for(name, counts) as predictor, moepredict.Planner(layers=layers, experts=experts,
                                                                     **config) as planner:
        for origin in range(FIRST, len(counts) - HORIZON + 1, 500):
            predictor.push(counts[pushed:origin])
            planner.push(counts[pushed:origin])
            pushed, forecast = origin, predictor.predict(HORIZON)
            for ranks, extra in layouts:
                if extra == 0 and experts <= ranks:
                    continue
                slots = -(-int(experts * (1 + extra)) // ranks) * ranks
                plan = planner.plan(slots=slots, ranks=ranks, forecast=forecast, method="mean")
                expected = planner.predict_ranks(plan.map, ranks, forecast=forecast, quantile=[0.99])
                came = moepredict.rank_loads(plan.map, shares[origin:origin + HORIZON], ranks).peak
                rows += list(zip(expected.peak / came.mean(0), expected.quantiles[0] / np.quantile(came, 0.99, axis=0),
                                 (came > expected.quantiles[0]).mean(0)))
    return rows


def peaks():
    print("\npredicted peaks of the next 1,000 steps, maps planned for AUTO's mean (EP 4, EP 8, EP 8 with 25 % copies)")
    for title, config, most in (("default, 100 steps of 900", {}, 5.5),
                                ("all of the last 500", {"span": 500, "scenarios": 500}, 3.5)):
        rows = np.concatenate([of_peaks(name, config, [(4, 0), (8, 0), (8, 0.25)]) for name in RUNS])
        off = 100 * (rows[:, :2] - 1)
        print(f"\n{title}: bias of mean and p99 {off[:, 0].mean():.2f} and {off[:, 1].mean():.2f} %")
        target("bias of the mean peak, %", off[:, 0].mean(), -1, 1)
        target("mean absolute error of the mean peak, %", np.abs(off[:, 0]).mean(), -np.inf, 2)
        target("mean absolute error of the p99, %", np.abs(off[:, 1]).mean(), -np.inf, most)
        target("steps above the predicted p99, %", 100 * rows[:, 2].mean(), -np.inf, 3.5)


print(f"libmoepredict {moepredict.__version__}")
replays()
how_often()
peaks()
sys.exit(bool(missed))
