# SPDX-License-Identifier: BSD-3-Clause
"""The paper's figures and an error table for a trace, as pictures and one page that stands alone."""
from __future__ import annotations

import base64
import html
import pathlib
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from ._counts import as_trace
from ._library import method_names, version
from .evaluation import Backtest, backtest
from .predictor import Predictor

HORIZONS = (1000, 2000)
WINDOWS = (10, 100)

_STYLE = """
body { font-family: sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
img { max-width: 100%; } figure { margin: 2rem 0; } figcaption { color: #555; }
table { border-collapse: collapse; } th, td { padding: .3rem .8rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; }
"""

_CAPTIONS = {
    "shares": "Each expert's part of its layer's tokens (the paper's figure 1).",
    "variance": "Variance over the last w steps (figures 2, 3 and 10): where it falls, the load settles. Its level late in "
                "the run is sampling noise.",
    "range": "Largest less smallest proportion over the last w steps (figures 4 and 11).",
    "error": "Error of forecasts over training (figures 5 to 9). Solid: against each single step; grey: what that error "
             "would be had the forecast known the mean that came; dashed: against that mean, which is what placement "
             "feels. Of all layers together: the median.",
    "imbalance": "How far the most loaded expert lies above the mean.",
}


def shares_of(counts: np.ndarray) -> np.ndarray:
    """Proportions, float32 [steps, layers, experts]; a layer without tokens repeats its last, uniform before any."""
    totals = counts.sum(2, dtype=float)
    empty = totals == 0
    shares = counts.astype(np.float32)
    shares /= np.where(empty, 1, totals)[:, :, None].astype(np.float32)
    for step, layer in zip(*np.nonzero(empty)):
        shares[step, layer] = shares[step - 1, layer] if step else 1 / counts.shape[2]
    return shares


FIRST = 300  # steps before the first forecast


def run_backtests(counts: np.ndarray, progress: Callable[[float], Any]) -> Dict[Tuple[str, int], Backtest]:
    """Every method at every horizon that the trace is long enough for, with the library's defaults."""
    jobs = [(name, horizon) for horizon in HORIZONS for name in method_names() if len(counts) >= FIRST + horizon]
    return {(name, horizon): backtest(name, counts, horizon=horizon, first=FIRST,
                                      progress=lambda f, i=i: progress((i + f) / len(jobs)))
            for i, (name, horizon) in enumerate(jobs)}


def _mean(values: np.ndarray, late: np.ndarray) -> float:
    values = values[late]
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def table(backtests: Dict[Tuple[str, int], Backtest], steps: int) -> List[Dict[str, Any]]:
    """One row per method and horizon: means over the layers and the origins in the later half of the run; fractions."""
    rows = []
    for (name, horizon), result in backtests.items():
        late = result.origins >= steps // 2
        rows.append({"method": name, "horizon": horizon,
                     **{field: _mean(getattr(result, field), late)
                        for field in ("error", "floor", "error_of_mean", "floor_of_mean", "paper_error")}})
    return rows


def _table_html(rows: List[Dict[str, Any]]) -> str:
    fields = ["error", "floor", "error_of_mean", "floor_of_mean", "paper_error"]
    best = {(row["horizon"], field): min(r[field] for r in rows if r["horizon"] == row["horizon"])
            for row in rows for field in ("error", "error_of_mean", "paper_error")}
    lines = ["<tr><th>method</th><th>horizon</th><th>error</th><th>floor</th><th>error of mean</th><th>floor of mean</th>"
             "<th>paper error</th></tr>"]
    for row in rows:
        cells = [f"<td>{html.escape(row['method'])}</td>", f"<td>{row['horizon']:,}</td>"]
        for field in fields:
            text = "–" if np.isnan(row[field]) else f"{100 * row[field]:.2f} %"
            bold = best.get((row["horizon"], field)) == row[field]
            cells.append(f"<td>{'<b>' + text + '</b>' if bold else text}</td>")
        lines.append("<tr>" + "".join(cells) + "</tr>")
    return "<table>" + "\n".join(lines) + "</table>"


def _page(title: str, counts: np.ndarray, rows: List[Dict[str, Any]], pictures: Dict[str, pathlib.Path]) -> str:
    steps, layers, experts = counts.shape
    figures = []
    for name, path in pictures.items():
        data = base64.b64encode(path.read_bytes()).decode()
        caption = html.escape(_CAPTIONS[name.split("-")[0]])
        figures.append(f'<figure><img alt="{caption}" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption>'
                       f"</figure>")
    late = "<p>The trace is too short for a forecast of 1,000 steps to be judged.</p>"
    if rows:
        late = ("<h2>Errors in the later half of the run</h2>" + _table_html(rows) +
                "<p>Means over all layers and the forecasts from half the run on; best in bold. The floor is what scatter of "
                "the single steps leaves to any forecast; paper error leaves out experts without a token.</p>")
    empty = int((~counts.any(2)).sum())
    if empty:
        late += f"<p>In {empty:,} (step, layer) pairs there was no token: the pictures repeat the layer's last proportions.</p>"
    return (f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
            f"<style>{_STYLE}</style></head><body><h1>{html.escape(title)}</h1>"
            f"<p>{steps:,} steps of {layers} layers with {experts} experts. Made by libmoepredict {version}.</p>"
            f"{late}{''.join(figures)}</body></html>\n")


def report(trace: Any, out: Any, *, title: Optional[str] = None,
           progress: Callable[[float], Any] = lambda fraction: None) -> List[Dict[str, Any]]:
    """Write a report on a training run.

    Parameters
    ----------
    trace : ndarray, CPU tensor or .npy file name, (steps, layers, experts)
        Token counts.
    out : path
        The folder for index.html, which stands alone, and its pictures as PNG files; made if it is not there.
    title : str, optional
        The page's title; None: the file's name.
    progress : callable, optional
        progress(fraction); an exception in it ends the report.

    Returns
    -------
    list of dict
        The rows of the error table.
    """
    from . import _figures  # matplotlib, only where a report is asked for

    counts = as_trace(trace)
    with Predictor(layers=counts.shape[1], experts=counts.shape[2], sw_avg_window=1) as predictor:
        predictor.push(counts)  # a bad count is named before anything is written
    if title is None:
        title = pathlib.Path(trace).name if isinstance(trace, (str, pathlib.Path)) else "Expert loads of a training run"
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    backtests = run_backtests(counts, lambda fraction: progress(0.3 * fraction))
    shares = shares_of(counts)
    windows = tuple(w for w in WINDOWS if w <= len(counts))
    horizons = [h for h in HORIZONS if any(key[1] == h for key in backtests)]
    draw: List[Tuple[List[str], Callable[[], Any]]] = [(["shares"], lambda: [_figures.load_proportions(shares)])]
    draw += [([f"error-{h}"], lambda h=h: [_figures.errors(backtests, h, counts.shape[1])]) for h in horizons]
    if windows:
        draw.append((["variance", "range"], lambda: _figures.fluctuation(shares, windows)))
    draw.append((["imbalance"], lambda: [_figures.imbalance(shares)]))
    pictures = {}
    for i, (names, make) in enumerate(draw):
        for name, figure in zip(names, make()):
            pictures[name] = out / f"{name}.png"
            figure.savefig(pictures[name], dpi=100)
        progress(1 - 0.7 * (len(draw) - 1 - i) / len(draw))
    rows = table(backtests, len(counts))
    (out / "index.html").write_text(_page(title, counts, rows, pictures), encoding="utf-8")
    return rows
