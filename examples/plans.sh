#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What are plans worth? Replays runs that the shipped weights have not learned from, and prints as Markdown, a row for each,
# the largest rank load of a step over the mean rank load, all moves paid for: 8 ranks, a quarter more slots than experts,
# plans every 250 steps, EPLB every 1,000, 0.2 layer-steps for a slot moved. First come the four runs on which no default
# was tuned. Uses the library that MOEPREDICT_LIBRARY names, or else the one that run.sh builds.
set -eu
root=$(CDPATH= cd -- "$(dirname "$0")/.." && pwd)
export PYTHONPATH="$root/bindings/python"
export MOEPREDICT_LIBRARY="${MOEPREDICT_LIBRARY:-$root/build/examples/lib/libmoepredict.so.0}"
${PYTHON:-/usr/bin/python3} - "$root/examples/data" <<'PROGRAM'
import sys

import moepredict

POLICIES = ["never", "EPLB", "auto, mean", "auto, scenarios", "true mean"]


def table(title, runs):
    print(f"| {title} | never moving | EPLB, last 1,000 steps | AUTO, MEAN | AUTO, SCENARIOS | true mean, MEAN | "
          "slots moved per 1,000 steps: EPLB, AUTO SCENARIOS |")
    print("| --- " * 7 + "|")
    rows = []
    for run in runs:
        replays = moepredict.replay_plans(f"{sys.argv[1]}/{run}.npy", ranks=8, every=250, slot_cost=0.2)
        by_policy = {replay.policy: replay for replay in replays}
        rows.append([by_policy[policy].net for policy in POLICIES] +
                    [100 * by_policy[policy].part_moved for policy in ("EPLB", "auto, scenarios")])
        print_row(f"`{run}`", rows[-1])
    print_row("mean", [sum(column) / len(rows) for column in zip(*rows)])
    print()


def print_row(name, row):
    print(f"| {name} | " + " | ".join(f"{net:.3f}" for net in row[:5]) + f" | {row[5]:.0f}, {row[6]:.0f} % |")


table("runs that nothing is tuned on", ["mid32-seed5", "curriculum16-s16", "fine128-s17", "upcycled16-s18"])
table("runs that defaults are tuned on", ["biasfree32-s13", "wsd8-s14", "early16-s12", "ramp16-s11", "ramp8-s21"])
PROGRAM
