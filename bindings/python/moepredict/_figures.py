# SPDX-License-Identifier: BSD-3-Clause
"""The paper's figures for a trace. Each function draws one picture and returns it. pyplot is not used: its state is the
caller's."""
from __future__ import annotations

from typing import Any, Dict, List, Tuple

import matplotlib
import numpy as np
from numpy.typing import NDArray
from matplotlib import ticker
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ._auto_run import AutoRun
from ._detector_run import DetectorRun, thin
from .evaluation import Backtest

# Okabe and Ito's colours, which colour-blind readers can distinguish.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000"]
WINDOW_COLOURS = ["#0072B2", "#8B2252", "#000000", "#56B4E9"]
MOST_PANELS, MOST_BANDS = 12, 16


def shown(n: int, most: int = MOST_PANELS) -> List[int]:
    """All of n layers, or `most` of them, evenly from the first to the last."""
    return list(range(n)) if n <= most else sorted({round(i * (n - 1) / (most - 1)) for i in range(most)})


def groups(n: int) -> List[Tuple[str, List[int]]]:
    """Titles and layers of the panels: one for each layer. If there are too many, one for some and one for all
    together."""
    if n <= MOST_PANELS:
        return [(f"layer {layer}", [layer]) for layer in range(n)]
    return [(f"layer {layer}", [layer]) for layer in shown(n, MOST_PANELS - 1)] + [(f"all {n} layers", list(range(n)))]


def panels(names: List[str], title: str, x: str, y: str) -> Tuple[Figure, List[Any]]:
    """A figure with one panel per name, all on the same axes."""
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(5 * max(columns, 2), 1 + 2.6 * max(rows, 1.4)),
                    constrained_layout={"wspace": 0.04})  # room between the numbers of neighbouring x axes
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    figure.suptitle(title, x=0.01, ha="left")
    figure.supxlabel(x)
    figure.supylabel(y)
    for axis, name in zip(axes.flat, names):
        axis.set_title(name, fontsize="medium")
    for axis in axes.flat[len(names):]:
        axis.set_visible(False)
    for axis in axes.flat[max(0, len(names) - columns):len(names)]:
        axis.tick_params(labelbottom=True)  # also of a panel above an empty place
    return figure, list(axes.flat[:len(names)])


def log_axis(axis: Any) -> None:
    """A logarithmic axis with ticks that read 1, 2, 5, 10, ..."""
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(ticker.LogLocator(10, (1, 2, 5)))
    axis.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    axis.yaxis.set_minor_formatter(ticker.NullFormatter())


# ---- loads ----

def load_proportions(shares: NDArray[Any]) -> Figure:
    """Figure 1: the load proportions of each layer's experts, stacked."""
    steps, layers, experts = shares.shape
    every = thin(steps)
    some = f" ({MOST_PANELS} of {layers} layers)" if layers > MOST_PANELS else ""
    figure, axes = panels([f"layer {layer}" for layer in shown(layers)],
                          "Load proportions of the experts, stacked" + some, "training step",
                          "proportion of the layer's tokens")
    bands = min(experts, MOST_BANDS)
    colours = matplotlib.colormaps["cividis"](np.linspace(0, 1, bands))
    usable = steps // every * every
    for axis, layer in zip(axes, shown(layers)):
        means = shares[:usable, layer].reshape(-1, every, experts).mean(1).T
        if experts > bands:  # experts next to each other in number, together
            means = np.stack([part.sum(0) for part in np.array_split(means, bands)])
        axis.stackplot(np.arange(usable // every) * every, means, colors=colours, linewidth=0)
        axis.set_ylim(0, 1)
        axis.margins(x=0)
    note = f"{experts} experts" if experts == bands else f"{experts} experts in {bands} bands, neighbours together"
    bar = figure.colorbar(ScalarMappable(Normalize(0, max(experts - 1, 1)), "cividis"), ax=axes, shrink=0.6)
    bar.set_label(f"expert ({note})")
    return figure


def fluctuation(detected: DetectorRun) -> Tuple[Figure, Figure]:
    """Figures 2 to 4, 10, 11: variance and range of the shares over sliding windows, by layer: median over the experts,
    and the band from the 10th to the 90th percentile."""
    layers = detected.states.shape[1]
    pair = []
    for what, statistics in (("variance", detected.variance), ("range", detected.range)):
        figure, axes = panels([name for name, _ in groups(layers)],
                              f"{what.capitalize()} of the load proportions over sliding windows", "training step",
                              f"{what} of the proportion (log scale)")
        bottom, top = np.inf, 0.0
        for colour, (window, all_values) in zip(WINDOW_COLOURS, statistics.items()):
            full = detected.points >= window
            x = detected.points[full]
            for axis, (_, of_layers) in zip(axes, groups(layers)):
                values = all_values[full][:, of_layers].reshape(len(x), -1)
                low, middle, high = np.maximum(np.quantile(values, [0.1, 0.5, 0.9], axis=1), 1e-12)
                bottom, top = min(bottom, np.quantile(low, 0.01)), max(top, high.max())
                axis.fill_between(x, low, high, color=colour, alpha=0.25, linewidth=0)
                axis.plot(x, middle, color=colour, linewidth=1, label=f"w = {window}: median, 10–90 % of experts")
        for axis in axes:
            axis.set_yscale("log")
            axis.set_ylim(bottom / 2, 4 * top)
            axis.margins(x=0)
        axes[0].legend(fontsize="x-small", loc="upper right")
        pair.append(figure)
    return pair[0], pair[1]


def imbalance(shares: NDArray[Any]) -> Figure:
    """The largest load over the mean load along the run, by layer. All layers together: their median and range."""
    steps, layers, experts = shares.shape
    every = thin(steps)
    usable = steps // every * every
    values = (shares[:usable].max(2) * experts).reshape(-1, every, layers).mean(1)
    x = np.arange(len(values)) * every
    figure, axes = panels([name for name, _ in groups(layers)], "Imbalance over the run", "training step",
                          "largest load / mean load")
    for axis, (_, of_layers) in zip(axes, groups(layers)):
        of_them = values[:, of_layers]
        if len(of_layers) > 1:
            axis.fill_between(x, of_them.min(1), of_them.max(1), color=COLOURS[0], alpha=0.25, linewidth=0)
        axis.plot(x, np.median(of_them, 1), color=COLOURS[0], linewidth=1)
        axis.axhline(1, color="grey", linewidth=0.8, linestyle=":")
        axis.margins(x=0)
    return figure


# ---- auto ----

def _colours_of(candidates: Tuple[str, ...]) -> List[Any]:
    """Blue: windows cut at jumps, orange: others, the longer the darker. Other colours: what is no window."""
    cut = [name for name in candidates if name.endswith("since the last jump")]
    uncut = [name for name in candidates if name.startswith("mean of") and name not in cut]
    shades = {**dict(zip(cut, matplotlib.colormaps["Blues"](np.linspace(0.25, 0.95, len(cut))))),
              **dict(zip(uncut, matplotlib.colormaps["Oranges"](np.linspace(0.3, 0.7, len(uncut)))))}
    others = iter([COLOURS[2], "0.75", COLOURS[3], COLOURS[6]])
    return [shades[name] if name in shades else next(others) for name in candidates]


def weights(auto: AutoRun) -> Figure:
    """The weights of auto's candidates over the run, stacked, and its jumps, by layer. All together: the mean."""
    layers, colours = auto.weights.shape[1], _colours_of(auto.candidates)
    figure, axes = panels([name for name, _ in groups(layers)],
                          "What auto's forecast is made of. Triangle: the layer's load has jumped", "training step",
                          "weight of each candidate, stacked")
    for axis, (_, of_layers) in zip(axes, groups(layers)):
        axis.stackplot(auto.points, auto.weights[:, of_layers].mean(1).T, step="post", linewidth=0, colors=colours)
        for jump in auto.jumps[of_layers[0]] if len(of_layers) == 1 else ():
            axis.plot(jump, 1, "v", color="black", markersize=6, clip_on=False)
        axis.set(xlim=(0, auto.points[-1]), ylim=(0, 1))
        axis.set_title(axis.get_title(), fontsize="medium", pad=9)  # room for triangles
    bar = figure.colorbar(ScalarMappable(Normalize(0, len(colours)), ListedColormap(colours)), ax=axes, shrink=0.8)
    bar.set_ticks(np.arange(len(colours)) + 0.5, labels=auto.candidates)
    bar.ax.tick_params(length=0)
    return figure


# ---- errors ----

_FLOOR: Dict[str, Any] = {"color": "0.65", "linewidth": 3}


def _explain(axis: Any, names: List[str]) -> None:
    """A legend for the colours and for the kinds of line."""
    entries = [("floor of each step", _FLOOR), ("error of each step", {"color": "black"}),
               ("error of the mean load", {"color": "black", "linestyle": "--"}),
               *((name, {"color": colour}) for name, colour in zip(names, COLOURS))]
    axis.legend([Line2D([], [], **{"linewidth": 1.2, **style}) for _, style in entries], [name for name, _ in entries],
                fontsize="x-small", loc="upper right", ncol=2)


def errors(backtests: Dict[Tuple[str, int], Backtest], horizon: int, layers: int) -> Figure:
    """Figures 5 to 9: the error of every method over training, by layer, with the floor. All layers together: the
    median."""
    figure, axes = panels([name for name, _ in groups(layers)], f"Error of the forecast of the next {horizon:,} steps",
                          "step of the forecast", "error, % of the expert's load (log scale)")
    chosen = {name: result for (name, h), result in backtests.items() if h == horizon}
    for axis, (_, of_layers) in zip(axes, groups(layers)):
        def line(result: Backtest, field: str, **style: Any) -> None:
            values = 100 * getattr(result, field)[:, of_layers]
            known = ~np.isnan(values).all(1)
            axis.plot(result.origins[known], np.nanmedian(values[known], 1), **style)

        line(next(iter(chosen.values())), "floor", **_FLOOR)
        for i, (colour, result) in enumerate(zip(COLOURS, chosen.values())):  # the first on top
            line(result, "error", color=colour, linewidth=1.2, zorder=3 - 0.1 * i)
            line(result, "error_of_mean", color=colour, linewidth=1.2, linestyle="--", zorder=3 - 0.1 * i)
        if not axis.lines[0].get_xdata().size:
            axis.text(0.5, 0.5, "no tokens", transform=axis.transAxes, ha="center")
        axis.margins(x=0)
    if not any((line.get_ydata() > 0).any() for axis in axes for line in axis.lines):
        return figure  # no error anywhere, which has no logarithm
    for axis in axes:
        log_axis(axis)
    low, high = axes[0].get_ylim()
    axes[0].set_ylim(low, high * (high / low) ** 0.35)  # all panels share it: room for the legend
    _explain(axes[0], list(chosen))
    return figure
