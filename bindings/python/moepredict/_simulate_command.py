# SPDX-License-Identifier: BSD-3-Clause
"""python3 -m moepredict simulate: the functions simulate and resample as a command."""
from __future__ import annotations

import argparse
import inspect
import pathlib
from typing import Any, Callable, Dict, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import join_experts, resample, simulate
from ._checked_trace import checked_trace
from ._files import check_folder, write_files
from ._library import version
from ._output import as_json

# The parameters of simulate that are options, with their help. For events, the names of their numbers come first.
_PARAMETERS: Dict[str, Union[str, Tuple[str, ...]]] = {
    "steps": "", "layers": "", "experts": "",
    "skew": "standard deviation of the experts' settled loads",
    "overdispersion": "variance of the counts over that of a multinomial; single steps of real runs have 2 to 4",
    "fluctuation": "standard deviation at step 0 of the fluctuation with which a run begins",
    "fluctuation_end": "step from which it is zero, one value or one for each layer; default: 40 %% of the run in the "
                       "first layer to 6 %% in the last",
    "fluctuation_decay": "steps in which it falls to 1 / e, one value or one for each layer; 0: it does not; default: "
                         "a third of its end",
    "drift": "random walk of the loads, root mean square per 1000 steps",
    "shifts": ("STEP", "SIZE", "the data mix changes: loads jump by SIZE root mean square"),
    "shift_ramp": "steps that a shift takes",
    "exchanges": ("LAYER", "EXPERT", "OTHER", "FIRST", "END",
                  "from FIRST up to END a part of OTHER's load goes to EXPERT"),
    "exchange_size": "the part of the load that is exchanged",
    "exchange_length": "steps of random exchanges",
    "bursts": ("LAYER", "EXPERT", "FIRST", "END", "from FIRST up to END an expert has a multiple of its load"),
    "burst_size": "the factor of bursts",
    "burst_length": "steps of random bursts",
    "hotspot": "one expert after the other has this multiple of its load",
    "hotspot_steps": "steps for which each has it",
    "dying": ("LAYER", "EXPERT", "STEP", "an expert's load falls from STEP on"),
    "dying_length": "steps until it is zero",
}

# Options that need --like.
_LIKE_ONLY = ("bandwidth", "thin", "join")


def _number(text: str) -> Union[int, float]:
    for kind in (int, float):
        try:
            number: Union[int, float] = kind(text)
            return number
        except ValueError:
            pass
    raise argparse.ArgumentTypeError(f"{text!r} is no number")


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _defaults(function: Callable[..., Any]) -> Dict[str, Any]:
    return {name: parameter.default for name, parameter in inspect.signature(function).parameters.items()}


def _given(options: argparse.Namespace, *names: str) -> Dict[str, Any]:
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def _resampled(options: argparse.Namespace) -> Tuple[NDArray[Any], Dict[str, Any]]:
    """The counts, and the parameters that they were made with."""
    if options.assignments is None:
        raise ValueError("--like needs --assignments")
    if options.thin and options.bandwidth is not None:
        raise ValueError("--bandwidth does not go with --thin, which does not smooth")
    if len(options.like) > 1 and options.join is None:
        raise ValueError("several traces need --join")
    traces = [checked_trace(name) for name in options.like]
    trace = traces[0] if options.join is None else join_experts(traces, options.join)
    parameters = {**_defaults(resample), **_given(options, "assignments", "seed", "bandwidth", "thin")}
    del parameters["trace"]
    return resample(trace, **parameters), {"moepredict": version, "numpy": np.__version__, "like": options.like,
                                           "join": options.join, "parameters": parameters}


def _simulated(options: argparse.Namespace) -> Tuple[NDArray[Any], Dict[str, Any]]:
    return simulate(seed=options.seed, **_given(options, "assignments", *_PARAMETERS))


def _run(options: argparse.Namespace) -> str:
    out = pathlib.Path(options.out)
    if out.suffix != ".npy":
        raise ValueError(f"--out {options.out}: expected a name that ends in .npy")
    wrong = _given(options, *(_PARAMETERS if options.like else _LIKE_ONLY))
    if wrong:
        raise ValueError(f"{_option(next(iter(wrong)))} {'does not go with' if options.like else 'needs'} --like")
    check_folder(out.parent)
    counts, truth = (_resampled if options.like else _simulated)(options)
    beside = out.with_suffix(".json")
    write_files({out: counts, beside: as_json(truth).encode() + b"\n"})
    steps, layers, experts = counts.shape
    assignments = truth["parameters"]["assignments"]
    if options.json:
        return as_json({"counts": str(out), "truth": str(beside), "steps": steps, "layers": layers, "experts": experts,
                        "dtype": str(counts.dtype), "assignments": assignments})
    return (f"{out}: {steps} steps, {layers} layers, {experts} experts, {assignments} assignments each\n"
            f"{beside}: how it was made" + (" and what happens in it" if "settled" in truth else ""))


def _add_events(command: argparse.ArgumentParser, name: str, words: Tuple[str, ...], may_be_drawn: bool) -> None:
    """Add an option for one event, and one for a number of random ones. The last of `words` is the help."""
    one = _option(name if name == "dying" else name[:-1])
    either = command.add_mutually_exclusive_group()
    either.add_argument(one, dest=name, action="append", type=_number, nargs=len(words) - 1, metavar=words[:-1],
                        help=words[-1] + "; may be repeated")
    if may_be_drawn:
        either.add_argument(_option(name), dest=name, type=int, metavar="NUMBER", help="this number of random ones")


def add_simulate(commands: Any, trace_help: str) -> None:
    command = commands.add_parser("simulate", help="simulate a run, or a recorded run at another batch size",
                                  description="Writes the counts of a run as a .npy file, and beside it the truth "
                                              "about the run as .json: its parameters, the step from which each layer "
                                              "is settled, and all events. By default loads fluctuate at first and are "
                                              "stable then; options add events. Sizes are changes of the logarithm of "
                                              "a load, so that 0.1 is about a tenth of it. FIRST is the first step of "
                                              "a span, END the first one after it. With --like the run has the "
                                              "dynamics of a recorded one, with another number of assignments.")
    defaults = _defaults(simulate)
    command.add_argument("--out", required=True, metavar="RUN.npy",
                         help="the file to write; the truth goes to RUN.json")
    command.add_argument("--assignments", type=int, metavar="VALUE",
                         help=f"tokens of every layer and step, default {defaults['assignments']}; required with "
                              "--like")
    command.add_argument("--seed", type=int, default=0, metavar="VALUE",
                         help="the same seed gives the same bytes; default 0")
    for name, words in _PARAMETERS.items():
        if isinstance(words, tuple):
            _add_events(command, name, words, defaults[name] == 0)
        elif defaults[name] is None:
            command.add_argument(_option(name), type=_number, nargs="+", metavar="VALUE", help=words)
        else:
            command.add_argument(_option(name), type=type(defaults[name]), metavar="VALUE",
                                 help=f"{words}, default {defaults[name]}".lstrip(", "))
    command.add_argument("--like", nargs="+", metavar="TRACE", help=f"a recorded run: {trace_help}")
    command.add_argument("--bandwidth", type=float, metavar="STEPS",
                         help=f"smooth its loads over this span, default {_defaults(resample)['bandwidth']}")
    command.add_argument("--thin", action="store_true", default=None,
                         help="draw from the recorded tokens, without smoothing")
    command.add_argument("--join", type=int, metavar="LAYERS",
                         help="join that many layers of it, or of several runs, into one with all their experts")
    command.set_defaults(run=_run)
