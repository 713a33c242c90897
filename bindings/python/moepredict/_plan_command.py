# SPDX-License-Identifier: BSD-3-Clause
"""python3 -m moepredict plan: the function replay_plans as a command."""
from __future__ import annotations

import argparse
import inspect
import pathlib
from typing import Any, Dict, Sequence

from . import _structs
from ._files import check_folder, write_files
from ._output import as_json, as_table, drawing, progress_bar
from ._plan_report import rows_of
from ._plan_run import PlanReplay, replay_plans, summary

# The parameters of replay_plans that are options, with their help.
_PARAMETERS: Dict[str, str] = {
    "ranks": "ranks among which the experts are distributed",
    "slots": "places for one expert each, a multiple of --ranks; default: a quarter more than experts, rounded up",
    "first": "steps before the first plan",
    "every": "steps between plans",
    "eplb_every": "steps between the maps of EPLB, which moves most slots each time",
    "horizon": "steps ahead that forecasts cover",
    "gain_steps": "steps for which the gain of a plan counts; default: as --horizon",
    "slot_cost": "cost of each slot moved, in layer-steps of mean rank load: the seconds that training waits for it, "
                 "over the seconds that a rank with the mean load takes for a layer of a step",
    "layer_cost": "cost of each layer that moves",
    "plan_cost": "cost of moving at all",
}


def _draw(replays: Sequence[PlanReplay], out: pathlib.Path) -> None:
    from . import _plan_figures, _state_figures  # they import matplotlib
    png, = _state_figures.pngs(["plan"], lambda: [_plan_figures.plan(replays)])
    write_files({out / "plan.png": png})


def _run(options: argparse.Namespace) -> str:
    given = {name: value for name in (*_PARAMETERS, "method") if (value := getattr(options, name)) is not None}
    out = None if options.out is None else pathlib.Path(options.out)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        check_folder(out)
    replays = replay_plans(options.trace, progress=progress_bar(), **given)
    if out is not None:
        with drawing("plan --out"):
            _draw(replays, out)
    return as_json(summary(replays)) if options.json else as_table(rows_of(replays))


def add_plan(commands: Any, trace_help: str) -> None:
    command = commands.add_parser("plan", help="replay a recorded run under policies of placing experts on ranks",
                                  description="Replays a recorded run under several policies of placing experts on "
                                              "ranks, each with its own map; all begin with one for equal loads. never:"
                                              " this map. EPLB: its map of the last 1,000 steps, as it comes. The "
                                              "others plan from their present map, where moving pays: for the mean "
                                              "of the last 200 steps (sw_avg), for auto's forecast, for the mean that "
                                              "came. Prints by policy the largest rank load of a step over the mean "
                                              "rank load (step: mean over steps and layers; p95), slots moved per "
                                              "1,000 steps in a layer and as part of all slots, net: step and the "
                                              "costs of moves; and by how much the layers that moved were to lower "
                                              "their largest rank load, and did until the next plan.")
    defaults = {name: parameter.default for name, parameter in inspect.signature(replay_plans).parameters.items()}
    command.add_argument("trace", help=trace_help)
    for name, text in _PARAMETERS.items():
        default = defaults[name]
        command.add_argument("--" + name.replace("_", "-"), type=int if default is None else type(default),
                             metavar="VALUE", help=text if default is None else f"{text}; default {default}")
    command.add_argument("--method", choices=_structs.PLAN_METHODS,
                         help=f"how the planner plans for auto's forecast, beside mean; default {defaults['method']}")
    command.add_argument("--out", metavar="DIR", help="write a picture, plan.png, to this folder")
    command.set_defaults(run=_run)
