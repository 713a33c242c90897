# SPDX-License-Identifier: BSD-3-Clause
"""The methods that a report compares: their forecasts along a recorded run, and the table of their errors."""
from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from ._auto_run import AutoRun, run_auto
from ._in_sample import SHIPPED, samples, shares_steps
from ._library import Error, methods
from .evaluation import Backtest, backtest
from .predictor import Predictor

HORIZONS = (1000, 2000)
FIRST = 300        # steps before the first forecast
REFIT_EVERY = 10   # origins, 100 steps apart
LEARNED = "auto", "lstm"  # whose weights come from other runs
JOINT = "lstm, joint"
MOST_REFITTED = 256  # a joint form of more series is fitted only once, because the time of a fit grows with them
ONCE = 2300          # the step of that one fit; the history is then full
BEST = "best window in hindsight"
WINDOWS = 1, 10, 30, 100, 200, 300, 500, 1000  # of sw_avg


class Comparison(NamedTuple):
    """Backtests of several methods on one run."""

    backtests: Dict[Tuple[str, int], Backtest]  # by name and horizon
    series: int                                 # layers x experts
    trainings: int                              # other runs that auto and lstm were trained on; 0: shipped weights
    in_sample: bool                             # those weights were made from this very run, among others
    windows: Dict[int, int]                     # by horizon: the best one in hindsight
    auto: Optional[AutoRun]                     # how auto mixed its forecasts; None if the run is too short
    predictor: Optional[Predictor]              # auto, with the weights that were compared; likewise


def _joint(layers: int, experts: int) -> Optional[Predictor]:
    """The paper's form of the LSTM; None where the run has too many series for it."""
    try:
        return Predictor("lstm", layers=layers, experts=experts, lstm_scope="joint")
    except Error as error:
        if error.name != "unsupported":
            raise
        return None


def _settings(name: str, series: int) -> Dict[str, int]:
    """The first origin, and the origins between fits. Methods are fitted every 1,000 steps on the history held. auto
    and the LSTM's shared form are not fitted: they use what they learned from other runs."""
    if name == JOINT and series > MOST_REFITTED:
        return {"first": ONCE, "refit_every": 2**32}
    return {"first": FIRST, "refit_every": 0 if name in LEARNED else REFIT_EVERY}


def _candidates(counts: NDArray[Any], train: Sequence[NDArray[Any]],
                progress: Callable[[float], Any]) -> Dict[str, Predictor]:
    """Every method with its defaults, auto first, and the joint form of the LSTM."""
    _, layers, experts = counts.shape
    names = sorted(methods(), key=lambda name: name != "auto")
    made = {name: Predictor(name, layers=layers, experts=experts) for name in names}
    if train:
        for i, name in enumerate(LEARNED):
            made[name].fit_traces(train, progress=lambda fraction: progress((i + fraction) / len(LEARNED)))
    joint = _joint(layers, experts)
    return made if joint is None else {**made, JOINT: joint}


def _best_window(counts: NDArray[Any], horizon: int, progress: Callable[[float], Any]) -> Tuple[int, Backtest]:
    """The window of sw_avg with the smallest error of the mean in this run, and its backtest."""
    tried = {}
    for i, window in enumerate(WINDOWS):
        tried[window] = backtest("sw_avg", counts, horizon=horizon, first=FIRST, sw_avg_window=window)
        progress((i + 1) / len(WINDOWS))
    best = min(tried, key=lambda window: float(np.nan_to_num(_mean(tried[window].error_of_mean), nan=np.inf)))
    return best, tried[best]


def compare(counts: NDArray[Any], train: Sequence[NDArray[Any]], progress: Callable[[float], Any]) -> Comparison:
    """Backtest every method at every horizon that fits into the run."""
    steps, layers, experts = counts.shape
    in_sample = any(shares_steps(counts, known) for known in ([samples(run) for run in train] or [SHIPPED]))
    backtests: Dict[Tuple[str, int], Backtest] = {}
    windows: Dict[int, int] = {}
    auto, predictor = None, None
    if steps >= FIRST + HORIZONS[0]:
        before = 0.5 if train else 0.0  # training is about half of the time
        candidates = _candidates(counts, train, lambda fraction: progress(before * fraction))
        jobs = [(name, horizon, settings) for horizon in HORIZONS for name in (*candidates, BEST)
                if steps >= (settings := _settings(name, layers * experts))["first"] + horizon]
        for i, (name, horizon, settings) in enumerate(jobs):
            def tell(fraction: float) -> None:
                progress(before + (1 - before) * (i + fraction) / len(jobs))

            if name == BEST:
                windows[horizon], backtests[name, horizon] = _best_window(counts, horizon, tell)
            else:
                backtests[name, horizon] = backtest(candidates[name], counts, horizon=horizon, **settings,
                                                    progress=tell)
        predictor = candidates.pop("auto")
        auto = run_auto(predictor, counts)
        for other in candidates.values():
            other.close()
    return Comparison(backtests, layers * experts, len(train), in_sample, windows, auto, predictor)


def _mean(values: NDArray[Any]) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _why_none(found: Comparison, name: str, horizon: int, half: int) -> str:
    """Explain why a row of the table has no error."""
    if not (found.backtests[name, horizon].origins >= half).any():
        return f"the run has no {horizon:,} steps after a forecast from step {half:,} on"
    others = [result.error for (other, h), result in found.backtests.items() if other != name and h == horizon]
    if name == JOINT and any(np.isfinite(error).any() for error in others):
        return "no fit within the run was better than uniform loads"
    return "no step that was to be forecast has a token"


def table(found: Comparison, steps: int) -> List[Dict[str, Any]]:
    """One row per method and horizon: means over the layers and the origins in the later half of the run; fractions."""
    rows = []
    for (name, horizon), result in found.backtests.items():
        late = result.origins >= steps // 2
        errors = {field: _mean(getattr(result, field)[late])
                  for field in ("error", "floor", "error_of_mean", "floor_of_mean", "paper_error")}
        rows.append({"method": name, "horizon": horizon, **errors, "in_sample": found.in_sample and name in LEARNED,
                     "reason": _why_none(found, name, horizon, steps // 2) if np.isnan(errors["error"]) else ""})
    return rows


def reasons(rows: List[Dict[str, Any]]) -> List[str]:
    """Explanations for the rows without an error."""
    return [f"{row['method']}, next {row['horizon']:,} steps: {row['reason']}" for row in rows if row["reason"]]


# ---- in words ----

def name_of(method: str, in_sample: bool) -> str:
    return f"{method} (in-sample)" if in_sample else method


def labelled(found: Comparison) -> Dict[Tuple[str, int], Backtest]:
    """The backtests by the names that tables and pictures use."""
    return {(name_of(name, found.in_sample and name in LEARNED), horizon): result
            for (name, horizon), result in found.backtests.items()}


def _weights_in_words(found: Comparison) -> str:
    seen = ": their errors here are in-sample, smaller than on a run that they have not seen"
    if found.trainings:
        others = "another run" if found.trainings == 1 else f"{found.trainings} other runs"
        return "auto and lstm were trained on " + (f"this very run{seen}" if found.in_sample else others)
    source = f"this very run among others{seen}" if found.in_sample else "other runs"
    return f"auto and lstm have the weights that the library ships, made from {source}"


def _joint_in_words(found: Comparison) -> str:
    if not any(name == JOINT for name, _ in found.backtests):
        return ("The joint form of the LSTM, the paper's, is left out: the run has more than 2,048 series, or is too "
                "short")
    when = f"once, at step {ONCE:,}" if found.series > MOST_REFITTED else f"every {100 * REFIT_EVERY:,} steps"
    return (f"{JOINT} is the paper's form, one network for all experts of all layers, fitted within the run {when}, on "
            f"the last 2,048 steps, and without a forecast until a fit has helped")


def in_words(found: Comparison) -> str:
    """Say which runs auto and the two forms of the LSTM have learned from."""
    return f"{_weights_in_words(found)}. {_joint_in_words(found)}."


def best_window_in_words(found: Comparison) -> str:
    """Say which window was the best."""
    chosen = " and ".join(f"{window:,} steps for the next {horizon:,}" for horizon, window in found.windows.items())
    return (f"The {BEST} is that of sw_avg, from {WINDOWS[0]} to {WINDOWS[-1]:,} steps, whose error of the mean load "
            f"over this run is smallest: {chosen}.")
