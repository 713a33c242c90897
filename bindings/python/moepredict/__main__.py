# SPDX-License-Identifier: BSD-3-Clause
"""python3 -m moepredict: reports, backtests and plans of recorded training runs, and runs that are simulated."""
from __future__ import annotations

import argparse
import math
import sys
from typing import Any, Dict

import numpy as np
from numpy.typing import NDArray

from . import Error, Predictor, backtest, methods
from ._checked_trace import checked_trace
from ._comparison import reasons
from ._library import version
from ._output import as_json, as_table, delivered, drawing, print_error, progress_bar
from ._plan_command import add_plan
from ._simulate_command import add_simulate
from ._structs import PredictorConfig

_TRACE_HELP = "token counts (steps, layers, experts), a .npy file of int32, int64, uint32, uint64, float32 or float64"


def _value(text: str) -> Any:
    """The text as a whole number, another number, or a name."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _why_none(options: argparse.Namespace, predictor: Predictor, counts: NDArray[Any], last: int) -> str:
    """Explain why a backtest with this predictor has no error at any origin; `last` is the last one."""
    if not counts[options.first:].any():
        return "no step that was to be forecast has a token"
    predictor.push(counts[:last])
    try:
        predictor.predict(1)
    except Error as error:
        if error.name == "not fitted":
            return f"{error}; " + ("nor was what it learned from --train" if options.train else
                                   "a fit takes 600 steps before a forecast; see --first, --refit-every and --train")
        return str(error)
    return "no step that was forecast has a token"


def _refit_every(options: argparse.Namespace) -> int:
    """Forecasts between fits; arima's fits grow old, as the report and examples/replay.c have it too."""
    return int(options.refit_every if options.refit_every is not None else 10 * (options.method == "arima"))


def _backtest(options: argparse.Namespace) -> str:
    config = {name: value for name in PredictorConfig.names()[1:] if (value := getattr(options, name)) is not None}
    counts = checked_trace(options.trace)
    _, layers, experts = counts.shape
    with Predictor(options.method, layers=layers, experts=experts, **config) as predictor:
        if options.train:
            predictor.fit_traces([checked_trace(other) for other in options.train], progress=progress_bar())
        result = backtest(predictor, counts, horizon=options.horizon, stride=options.stride, first=options.first,
                          every=options.every, refit_every=_refit_every(options), assignments=options.assignments,
                          progress=progress_bar())
        any_error = np.isfinite(result.error).any()
        reason = None if any_error else _why_none(options, predictor, counts, result.origins[-1])
    rows = []
    for layer in [*range(layers), "all"]:
        of_layer = slice(None) if layer == "all" else layer
        row: Dict[str, Any] = {"layer": layer}
        for name in ("error", "floor", "error_of_mean", "floor_of_mean", "paper_error", "total_variation"):
            values = getattr(result, name)[:, of_layer]
            row[name] = float(np.nanmean(values)) if np.isfinite(values).any() else math.nan
        row["left_out"] = int(result.left_out[:, of_layer].sum())
        rows.append(row)
    if reason:
        print_error(f"no forecast could be evaluated: {reason}")
    return as_json(rows) if options.json else as_table(rows)


def _report(options: argparse.Namespace) -> str:
    with drawing("report"):
        from .report import report
        rows = report(options.trace, options.out, train=options.train, progress=progress_bar())
    if options.json:
        return as_json(rows)
    table = as_table([{name: value for name, value in row.items() if name != "reason"} for row in rows])
    return "\n".join([f"{options.out}/index.html; errors in the later half of the run:\n", table, *reasons(rows)])


def _mean(values: NDArray[Any]) -> float:
    """The mean of numbers whose sum may exceed the largest float."""
    largest = float(values.max())
    with np.errstate(over="ignore"):
        mean = float(values.mean())
    return mean if math.isfinite(mean) or not math.isfinite(largest) else float((values / largest).mean()) * largest


def _facts(name: str) -> Dict[str, Any]:
    counts = checked_trace(name)
    with np.errstate(over="ignore"):  # a total above the largest float is infinite
        totals = counts.sum(2, dtype=float)
    with Predictor(layers=counts.shape[1], experts=counts.shape[2]) as predictor:
        predictor.push(counts)
        metrics = predictor.metrics()
    return {"steps": counts.shape[0], "layers": counts.shape[1], "experts": counts.shape[2], "dtype": str(counts.dtype),
            "assignments_least": float(totals.min()), "assignments_mean": _mean(totals),
            "assignments_most": float(totals.max()), "dead_experts": int((~counts.any(0)).sum()),
            "empty_layers": int(metrics["empty_layers"]),
            **{name: value for name, value in metrics.items() if name.startswith("imbalance")}}


def _info(options: argparse.Namespace) -> str:
    if options.trace is None:
        of_library = {"version": version, "methods": methods()}
        return as_json(of_library) if options.json else f"libmoepredict {version}: {', '.join(methods())}"
    facts = _facts(options.trace)
    if options.json:
        return as_json(facts)
    return "\n".join(f"{name.replace('_', ' '):24} " + (f"{value:g}" if isinstance(value, float) else str(value))
                     for name, value in facts.items())


def _config_help() -> Dict[str, str]:
    """For each field of the configuration, the method that it belongs to and its default."""
    defaults = {}
    for method in methods():
        with Predictor(method, layers=1, experts=1) as predictor:
            defaults[method] = predictor.config._asdict()
    texts = {}
    for name in PredictorConfig.names()[1:]:
        owners = [method for method in defaults if name.startswith(method + "_")] or list(defaults)
        values = {method: defaults[method][name] for method in owners}
        if len(set(values.values())) == 1:
            default = str(values[owners[0]])
        else:
            default = ", ".join(f"{value} for {method}" for method, value in values.items())
        texts[name] = ("" if len(owners) > 1 else f"for {owners[0]}; ") + f"default {default}"
    return texts


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m moepredict", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Forecasts how loaded each expert of a mixture-of-experts training run will be, and evaluates "
                    "forecasts on recorded runs.",
        epilog="examples:\n"
               "  python3 -m moepredict info run.npy\n"
               "  python3 -m moepredict backtest run.npy --method sw_avg --sw-avg-window 300 --horizon 2000\n"
               "  python3 -m moepredict backtest run.npy --train other.npy\n"
               "  python3 -m moepredict report run.npy --out report     then open report/index.html\n"
               "  python3 -m moepredict plan run.npy --ranks 8 --slot-cost 0.2\n"
               "  python3 -m moepredict simulate --out made.npy --shift 5000 0.3 --seed 1\n"
               "  python3 -m moepredict simulate --out large.npy --like run.npy --assignments 524288\n\n"
               "exit code: 0; 1 if the trace or the machine does not allow it; 2 for a wrong command line or a file\n"
               "that holds no trace")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    train: Dict[str, Any] = {"action": "append", "default": [], "metavar": "OTHER.npy"}
    again = "may be repeated. Without it they use the weights that the library ships"

    command = commands.add_parser("backtest", help="forecast a recorded run, and evaluate the forecasts",
                                  description="Forecasts the load of the next --horizon steps, at steps --first, "
                                              "--first + --every, ..., and compares it with the load that came. Prints "
                                              "means by layer. error: of each single step; floor: the error that the "
                                              "actual mean would have; error of mean: of the mean load, which a "
                                              "placement of experts experiences; floor of mean: the part of it that "
                                              "independent sampling explains; paper error: the error without experts "
                                              "that have no token; left out: the (step, expert) pairs without a token; "
                                              "total variation: the part of the load that is not where it was "
                                              "forecast.")
    command.add_argument("trace", help=_TRACE_HELP)
    command.add_argument("--method", default="auto", choices=methods(), help="default: auto")
    command.add_argument("--train", **train, help=f"another run to learn from first, for lstm and auto; {again}")
    command.add_argument("--horizon", type=int, default=1000, help="steps ahead, default 1000")
    command.add_argument("--stride", type=int, help="steps averaged into one forecast row, default the horizon")
    command.add_argument("--first", type=int, default=300, help="steps before the first forecast, default 300")
    command.add_argument("--every", type=int, default=100, help="steps between forecasts, default 100")
    command.add_argument("--refit-every", type=int,
                         help="forecasts between fits, 0: fit once; default 10 for arima, whose fits grow old, else 0")
    command.add_argument("--assignments", type=float, default=0.0,
                         help="tokens per layer and step behind fractional counts")
    for name, text in _config_help().items():
        command.add_argument("--" + name.replace("_", "-"), type=_value, metavar="VALUE", help=text)
    command.set_defaults(run=_backtest)

    command = commands.add_parser("report", help="draw the paper's figures and an error table on one page",
                                  description="Writes OUT/index.html, which stands alone, and its pictures as PNG "
                                              "files.")
    command.add_argument("trace", help=_TRACE_HELP)
    command.add_argument("--out", required=True, help="the folder to write to")
    command.add_argument("--train", **train, help=f"another run for lstm and auto to learn from first; {again}")
    command.set_defaults(run=_report)

    command = commands.add_parser("info", help="describe a trace; without one, the library",
                                  description="Prints the contents of a trace in numbers; without a trace, the version "
                                              "and the methods of the library.")
    command.add_argument("trace", nargs="?", help=_TRACE_HELP)
    command.set_defaults(run=_info)

    add_plan(commands, _TRACE_HELP)
    add_simulate(commands, _TRACE_HELP)
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true",
                             help="print JSON, with fractions instead of percent, and null where there is no number")
    return parser


def _carry_out() -> int:
    options = _parser().parse_args()
    try:
        text = options.run(options)
    except (ValueError, TypeError, MemoryError, OSError, Error) as error:  # a BadTrace is a ValueError
        print_error(error)
        return 2 if isinstance(error, (ValueError, TypeError)) else 1
    except KeyboardInterrupt:
        return 130
    print(text)
    return 0


def main() -> int:
    return delivered(_carry_out)


if __name__ == "__main__":
    sys.exit(main())
