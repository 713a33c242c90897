# SPDX-License-Identifier: BSD-3-Clause
"""A report on a run: the paper's figures and tables of errors and states, as PNG files and one self-contained page."""
from __future__ import annotations

import base64
import functools
import html
import os
import pathlib
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from . import _plan_report
from ._checked_trace import checked_trace
from ._comparison import (BEST, FIRST, HORIZONS, Comparison, best_window_in_words, compare, in_words, labelled, name_of,
                          reasons, table)
from ._files import check_folder, write_files
from ._library import version
from ._plan_report import rows_of
from ._plan_run import PlanReplay
from ._text import shown
from ._shares import shares_of
from ._detector_run import (DetectorRun, errors_by_state, layers_of, octiles, realised_by_state, realised_drift,
                            run_detector)
from .detector import State
from .evaluation import Backtest

WINDOWS = (10, 100)

_STYLE = """
body { font-family: sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
img { max-width: 100%; } figure { margin: 2rem 0; } figcaption { color: #555; }
table { border-collapse: collapse; } th, td { padding: .3rem .8rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; }
"""

_CAPTIONS = {
    "shares": "Each expert's part of its layer's tokens (the paper's figure 1).",
    "variance": "Variance over the last w steps (the paper's figures 2, 3 and 10). Where it falls, the load settles. "
                "Its level late in the run is sampling noise.",
    "range": "Largest minus smallest proportion over the last w steps (the paper's figures 4 and 11).",
    "error": "Error of forecasts over training (the paper's figures 5 to 9). Solid: error of each single step. Grey: "
             "the error that the actual mean load would have. Dashed: error of the mean load, which a placement of "
             "experts experiences. A panel of all layers shows the median.",
    "weights": "How auto mixes its forecasts: the weights of its candidates in a forecast made at that step. A "
               "candidate's weight falls with its errors in the last few hundred steps. Triangles: the layer's load "
               "has jumped. A panel of all layers shows the mean.",
    "plan": "The largest rank load of single steps, and the slots that were moved until then.",
    "imbalance": "How far the most loaded expert lies above the mean. Dotted: all experts equal. In a long run each "
                 "point is a mean of some steps. A panel of all layers shows the median, and the band from the least "
                 "to the largest.",
    "states": "The detector's states. The backgrounds of pictures over the run show them in the same colours.",
    "drift": "Blue: the error, without sampling noise, that the detector expected of a forecast at that step. Black: "
             "the error that the forecast had, where the run is long enough. Below the dashed line the error is "
             "tolerated. Where a line leaves the panel at the bottom, sampling noise explains all of it. A panel of "
             "all layers shows the median.",
}


# ---- the page ----

def _html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are HTML already."""
    lines = ["<tr>" + "".join(f"<th>{text}</th>" for text in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{text}</td>" for text in row) + "</tr>" for row in rows]
    return "<table>" + "\n".join(lines) + "</table>"


def _number(value: float, form: str) -> str:
    return "–" if np.isnan(value) else format(value, form)


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.2f} %"


def _errors_html(rows: List[Dict[str, Any]]) -> str:
    fields = ["error", "floor", "error_of_mean", "floor_of_mean", "paper_error"]
    compared = [row for row in rows if not row["in_sample"] and row["method"] != BEST]
    best = {(horizon, field): min((row[field] for row in compared if row["horizon"] == horizon and
                                   not np.isnan(row[field])), default=None)
            for horizon in HORIZONS for field in ("error", "error_of_mean", "paper_error")}

    def cell(row: Dict[str, Any], field: str) -> str:
        text = _percent(row[field])
        return f"<b>{text}</b>" if row in compared and best.get((row["horizon"], field)) == row[field] else text

    return _html_table(["method", "horizon", "error", "floor", "error of mean", "floor of mean", "paper error"],
                       ([html.escape(name_of(row["method"], row["in_sample"])), f"{row['horizon']:,}",
                         *(cell(row, field) for field in fields)] for row in rows))


def _promise_html(detected: DetectorRun) -> str:
    """The definition of STABLE, with the numbers of this detector."""
    config = detected.config
    return (f"<p>Take the mean load of the last {config.drift_window:,} steps as a forecast of the mean load of the "
            f"next {config.horizon:,}. The error to expect of it follows from how far the load has just drifted, and "
            f"from the errors that such forecasts have had in this run. STABLE begins when it is at most "
            f"{config.tolerance:g} of the mean load. STABLE ends when the newest drift predicts more than 1.3 times "
            f"that even if three standard deviations are noise, when the drift keeps one direction, or when what was "
            f"learned has raised the smoothed expected error that far. The error is the root mean square over the "
            f"layer's experts, without sampling noise, so it means the same at any batch size. STABLE is a forecast "
            f"and no guarantee: past loads do not show a change of data that is yet to come. Where a layer is STABLE, "
            f"place experts by the forecast. Where it is TRANSIENT or in WARMUP, keep room for every expert.</p>")


def _layers_html(detected: DetectorRun) -> str:
    return _html_table(
        ["layer", "state at the end", "first stable at step", "changes of state", "part of the run stable",
         "drift at the end", "noise, as tokens a step", "dispersion"],
        ([str(row["layer"]), row["state"], "never" if row["stable_from"] is None else f"{row['stable_from']:,}",
          f"{row['changes']:,}", f"{100 * row['stable']:.0f} %", _number(row["drift"], ".3f"),
          _number(row["noise"], ",.0f"), _number(row["dispersion"], ".2f")] for row in layers_of(detected)))


def _realised_html(predicted: float, realised: float) -> str:
    """A realised drift, marked where it is far from the predicted one."""
    text, off = f"{realised:.3f}", abs(realised - predicted)
    return f"<mark>{text}</mark>" if off > predicted / 4 and off > 0.005 else text


def _drift_html(detected: DetectorRun, realised: NDArray[Any]) -> str:
    rows = octiles(detected, realised)
    if not rows:
        return ""
    actual = realised_by_state(detected, realised)
    by_state = [f"{actual[state]:.3f} while a layer was {state.name}" for state in (State.STABLE, State.TRANSIENT)
                if np.isfinite(actual[state])]
    return ("<h3>Predicted and realised drift</h3>"
            f"<p>The realised drift, the root mean square over all layers and blocks in units of the mean load, was "
            f"{' and '.join(by_state)}, changes of the data included. By eighths of all layers and blocks, from the "
            f"least predicted drift to the largest; marked where the realised drift is off by more than a quarter, and "
            f"by more than 0.005:</p>" +
            _html_table(["predicted", *(f"{predicted:.3f}" for predicted, _ in rows)],
                        [["realised", *(_realised_html(*row) for row in rows)]]))


def _states_html(backtests: Dict[Tuple[str, int], Backtest], detected: DetectorRun, realised: NDArray[Any]) -> str:
    if not detected.knows:
        return "<p>The trace is too short for the detector: it is in WARMUP all the time.</p>"
    parts = ["<h2>Transient and stable states</h2>", _promise_html(detected)]
    if backtests:
        parts += ["<h3>Errors by the state of the layer when the forecast was made</h3>", _html_table(
            ["method", "horizon", "state", "forecasts", "error", "floor", "error of mean", "floor of mean"],
            ([html.escape(row["method"]), f"{row['horizon']:,}", row["state"], f"{row['forecasts']:,}",
              *(_percent(row[field]) for field in ("error", "floor", "error_of_mean", "floor_of_mean"))]
             for row in errors_by_state(backtests, detected))),
            f"<p>Means over all layers and the forecasts from step {FIRST} on. Each forecast is of one layer.</p>"]
    parts += ["<h3>Layers</h3>", _layers_html(detected),
              "<p>Drift: the expected error of a forecast made at the end of the run, without sampling noise, in units "
              "of the mean load. Noise, in effective tokens: that many independent tokens would scatter as much, so "
              "a larger number means less noise. Dispersion: how much more the loads scatter than independent tokens "
              "would. 1 is the floor, blocks of real runs have 2 to 10.</p>",
              _drift_html(detected, realised)]
    return "".join(parts)


def _figure_html(name: str, png: bytes, found: Comparison) -> str:
    data = base64.b64encode(png).decode()
    kind = name.split("-")[0]
    caption = html.escape(_CAPTIONS[kind] + (f" {in_words(found)}" if kind == "error" else ""))
    return (f'<figure><img alt="{caption}" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption>'
            f"</figure>")


def _placement_html(replays: List[PlanReplay], experts: int, figure: str) -> str:
    rows = rows_of(replays)
    return (f"<h2>Placement</h2><p>{html.escape(_plan_report.in_words(replays, experts))}</p>" +
            _html_table([name.replace("_", " ") for name in rows[0]],
                        ([html.escape("–" if text == "-" else text) for text in row.values()] for row in rows)) +
            f"<p>{html.escape(_plan_report.LEGEND)}</p>{figure}")


def _page(title: str, counts: NDArray[Any], found: Comparison, rows: List[Dict[str, Any]], of_states: str,
          replays: List[PlanReplay], pictures: Dict[str, bytes]) -> str:
    steps, layers, experts = counts.shape
    late = "<p>The trace is too short to evaluate a forecast of 1,000 steps.</p>"
    if rows:
        late = ("<h2>Errors in the later half of the run</h2>" + _errors_html(rows) +
                "<p>Means over all layers and the forecasts from half the run on. The best is bold, among those that "
                "have not seen the run before. Error: each single step against its forecast. Floor: what the scatter "
                "of single steps leaves of it even to the actual mean load. Error of mean: the mean load over the "
                "horizon against its forecast, which is what a placement of experts experiences. Floor of mean: what "
                "independent sampling of tokens would leave of that. The paper error leaves out experts without a "
                "token.</p>"
                f"<p>{html.escape(in_words(found))} {html.escape(best_window_in_words(found))}</p>" +
                "".join(f"<p>{html.escape(reason)}.</p>" for reason in reasons(rows)))
    empty = int((~counts.any(2)).sum())
    if empty:
        late += (f"<p>{empty:,} (step, layer) pairs have no token. The pictures repeat the layer's last proportions "
                 f"there.</p>")
    figures = {name: _figure_html(name, png, found) for name, png in pictures.items()}
    placement = _placement_html(replays, experts, figures.pop("plan")) if replays else ""
    return (f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
            f"<style>{_STYLE}</style></head><body><h1>{html.escape(title)}</h1>"
            f"<p>{steps:,} steps of {layers} layers with {experts} experts. Made by libmoepredict {version}.</p>"
            f"{late}{of_states}{placement}<h2>Pictures</h2>{''.join(figures.values())}</body></html>\n")


def _title(trace: Any) -> str:
    """The title of a page without a given one."""
    if isinstance(trace, (str, os.PathLike)):
        return pathlib.Path(os.fsdecode(trace)).name
    return "Expert loads of a training run"


def report(trace: Any, out: Any, *, title: Optional[str] = None, train: Sequence[Any] = (),
           progress: Callable[[float], Any] = lambda fraction: None) -> List[Dict[str, Any]]:
    """Write a report on a training run: tables and the paper's figures. matplotlib draws them.

    Parameters
    ----------
    trace : ndarray, CPU tensor or .npy file name, (steps, layers, experts)
        Token counts.
    out : path
        The folder for index.html, which is self-contained, and its pictures as PNG files; it is made if necessary.
        Files of an older report are replaced once the new ones are complete. matplotlib's settings are the defaults
        while a picture is drawn, in the whole process.
    title : str, optional
        The page's title, any text. Default None: the file's name.
    train : sequence of ndarray, CPU tensor or .npy file name, (steps, layers, experts)
        Other runs to train auto and lstm on first. Default none: they use the weights that the library ships.
    progress : callable, optional
        ``progress(fraction)``; an exception in it ends the report.

    Returns
    -------
    list of dict
        The rows of the error table. in_sample: the weights of auto or lstm were made from this very run. reason:
        an explanation where there is no error, or empty.

    Raises
    ------
    ValueError, TypeError
        A bad trace.
    OSError
        The folder cannot be written to.
    ImportError
        matplotlib is missing.
    """
    from . import _figures, _plan_figures, _state_figures  # they import matplotlib, which only a report needs

    counts, others = checked_trace(trace), [checked_trace(other) for other in train]
    title = _title(trace) if title is None else title
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    check_folder(out)
    found = compare(counts, others, lambda fraction: progress(0.5 * fraction))
    backtests = labelled(found)
    shares = shares_of(counts)
    windows = tuple(w for w in WINDOWS if w <= len(counts))
    detected = run_detector(counts, windows, lambda fraction: progress(0.5 + 0.05 * fraction))
    realised = realised_drift(shares, detected.config)
    replays = _plan_report.replays_of(counts, found)
    progress(0.6)
    horizons = [h for h in HORIZONS if any(key[1] == h for key in backtests)]
    draw: List[Tuple[List[str], Callable[[], Any]]] = [(["shares"], lambda: [_figures.load_proportions(shares)])]
    if detected.knows:
        draw.append((["states", "drift"],
                     lambda: [_state_figures.states(detected), _state_figures.drift(detected, realised)]))
    lines = {key: result for key, result in backtests.items() if key[0] != BEST}  # whose lines would hide sw_avg's
    draw += [([f"error-{h}"], functools.partial(lambda h: [_figures.errors(lines, h, counts.shape[1])], h))
             for h in horizons]
    if found.auto:
        draw.append((["weights"], functools.partial(lambda auto: [_figures.weights(auto)], found.auto)))
    if windows:
        draw.append((["variance", "range"], lambda: _figures.fluctuation(detected)))
    draw.append((["imbalance"], lambda: [_figures.imbalance(shares)]))
    if replays:
        draw.append((["plan"], lambda: [_plan_figures.plan(replays)]))
    pictures: Dict[str, bytes] = {}
    for i, (names, make) in enumerate(draw):
        pictures.update(zip(names, _state_figures.pngs(names, make, detected)))
        progress(1 - 0.4 * (len(draw) - 1 - i) / len(draw))
    rows = table(found, len(counts))
    page = _page(shown(title), counts, found, rows, _states_html(backtests, detected, realised), replays, pictures)
    write_files({**{out / f"{name}.png": png for name, png in pictures.items()}, out / "index.html": page.encode()})
    return rows
