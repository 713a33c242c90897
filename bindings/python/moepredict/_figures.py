# SPDX-License-Identifier: BSD-3-Clause
"""The paper's figures for a trace. Each function draws one picture and returns the matplotlib Figure."""
from __future__ import annotations

from typing import Dict, List, Tuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib import ticker  # noqa: E402

from .evaluation import Backtest  # noqa: E402

# Okabe and Ito's colours, which colour-blind readers tell apart.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000"]
MOST_PANELS, MOST_BANDS, MOST_POINTS = 12, 16, 1000


def shown(n: int, most: int = MOST_PANELS) -> List[int]:
    """All of n layers, or `most` of them from the first to the last."""
    return list(range(n)) if n <= most else sorted({round(i * (n - 1) / (most - 1)) for i in range(most)})


def panels(layers: List[int], all_layers: int, title: str, x: str, y: str) -> Tuple[plt.Figure, list]:
    """A figure with one panel per layer, all on the same axes."""
    columns = min(3, len(layers))
    rows = -(-len(layers) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(5 * columns, 1 + 2.6 * rows), sharex=True, sharey=True,
                                squeeze=False, constrained_layout=True)
    left_out = f" ({len(layers)} of {all_layers} layers shown)" if len(layers) < all_layers else ""
    figure.suptitle(title + left_out)
    figure.supxlabel(x)
    figure.supylabel(y)
    for axis, layer in zip(axes.flat, layers):
        axis.set_title(f"layer {layer}", fontsize="medium")
    for axis in axes.flat[len(layers):]:
        axis.set_visible(False)
    return figure, list(axes.flat[:len(layers)])


def thin(n: int) -> int:
    """Every how many steps a line is drawn."""
    return max(1, n // MOST_POINTS)


def percent_axis(axis) -> None:
    """A logarithmic axis with ticks that read 1, 2, 5, 10, ..."""
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(ticker.LogLocator(10, (1, 2, 5)))
    axis.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    axis.yaxis.set_minor_formatter(ticker.NullFormatter())


# ---- what the loads did ----

def load_proportions(shares: np.ndarray) -> plt.Figure:
    """Figure 1: the load proportions of each layer's experts, stacked."""
    steps, layers, experts = shares.shape
    every = thin(steps)
    figure, axes = panels(shown(layers), layers, "Load proportions of the experts, stacked", "training step",
                          "proportion of the layer's tokens")
    bands = min(experts, MOST_BANDS)
    colours = plt.get_cmap("cividis")(np.linspace(0, 1, bands))
    usable = steps // every * every
    for axis, layer in zip(axes, shown(layers)):
        means = shares[:usable, layer].reshape(-1, every, experts).mean(1).T
        if experts > bands:  # experts next to each other in number, together
            means = np.stack([part.sum(0) for part in np.array_split(means, bands)])
        axis.stackplot(np.arange(usable // every) * every, means, colors=colours, linewidth=0)
        axis.set_ylim(0, 1)
        axis.margins(x=0)
    note = f"{experts} experts" if experts == bands else f"{experts} experts in {bands} bands, neighbours together"
    bar = figure.colorbar(plt.cm.ScalarMappable(plt.Normalize(0, experts - 1), "cividis"), ax=axes, shrink=0.6)
    bar.set_label(f"expert ({note})")
    return figure


def moving(shares: np.ndarray, window: int) -> Tuple[np.ndarray, np.ndarray]:
    """Variance and range over sliding windows that end at the same steps for any window, thinned: [ends, ...]."""
    ends = np.arange(window - 1, len(shares), thin(len(shares)))
    variance = np.empty((len(ends), *shares.shape[1:]))
    spread = np.empty_like(variance)
    for i, end in enumerate(ends):
        part = shares[end + 1 - window:end + 1]
        variance[i] = part.var(0)
        spread[i] = part.max(0) - part.min(0)
    return variance, spread


def fluctuation(shares: np.ndarray, windows: Tuple[int, ...], what: str) -> plt.Figure:
    """Figures 2 to 4, 10, 11: variance or range of the shares over sliding windows, by layer: median over the experts,
    and the band from the quietest tenth to the loudest."""
    steps, layers, _ = shares.shape
    unit = {"variance": "variance of the proportion", "range": "range of the proportion"}[what]
    figure, axes = panels(shown(layers), layers, f"{what.capitalize()} of the load proportions over sliding windows",
                          "training step", unit + " (log scale)")
    bottom, top = np.inf, 0.0
    for colour, window in zip(COLOURS, windows):
        values = moving(shares, window)[what == "range"]
        x = np.arange(window - 1, steps, thin(steps))
        low, middle, high = np.maximum(np.quantile(values, [0.1, 0.5, 0.9], axis=2), 1e-12)
        bottom, top = min(bottom, np.quantile(low, 0.01)), max(top, high.max())
        for axis, layer in zip(axes, shown(layers)):
            axis.fill_between(x, low[:, layer], high[:, layer], color=colour, alpha=0.25, linewidth=0)
            axis.plot(x, middle[:, layer], color=colour, linewidth=1, label=f"w = {window}: median, 10–90 % of experts")
    for axis in axes:
        axis.set_yscale("log")
        axis.set_ylim(bottom / 2, 4 * top)
        axis.margins(x=0)
    axes[0].legend(fontsize="x-small", loc="upper right")
    return figure


def imbalance(shares: np.ndarray) -> plt.Figure:
    """The largest load over the mean load, over the run."""
    steps, layers, experts = shares.shape
    every = thin(steps)
    usable = steps // every * every
    values = shares[:usable].max(2) * experts
    values = values.reshape(-1, every, layers).mean(1)
    x = np.arange(len(values)) * every
    figure, axis = plt.subplots(figsize=(10, 4), constrained_layout=True)
    if layers <= len(COLOURS):
        for layer in range(layers):
            axis.plot(x, values[:, layer], color=COLOURS[layer], linewidth=1, label=f"layer {layer}")
    else:
        low, high = values.min(1), values.max(1)
        axis.fill_between(x, low, high, color=COLOURS[0], alpha=0.25, linewidth=0, label=f"least to largest of {layers} layers")
        axis.plot(x, np.median(values, 1), color=COLOURS[0], label="median layer")
    axis.axhline(1, color="grey", linewidth=0.8, linestyle=":")
    axis.set(title="Imbalance over the run", xlabel="training step", ylabel="largest load / mean load")
    axis.margins(x=0)
    axis.legend(fontsize="small", ncol=4)
    return figure


# ---- how well they were forecast ----

def errors(backtests: Dict[Tuple[str, int], Backtest], horizon: int, layers: int) -> plt.Figure:
    """Figures 5 to 9: the error over training, by layer, of every method, with the floor."""
    figure, axes = panels(shown(layers), layers, f"Error of the forecast of the next {horizon:,} steps",
                          "step of the forecast", "error, % of the expert's load (log scale)")
    chosen = {name: result for (name, h), result in backtests.items() if h == horizon}
    for axis, layer in zip(axes, shown(layers)):
        for colour, (name, result) in zip(COLOURS, chosen.items()):
            axis.plot(result.origins, 100 * result.error[:, layer], color=colour, linewidth=1.2,
                      label=f"{name}: each step")
            axis.plot(result.origins, 100 * result.error_of_mean[:, layer], color=colour, linewidth=1.2,
                      linestyle="--", label=f"{name}: mean load")
        first = next(iter(chosen.values()))
        axis.plot(first.origins, 100 * first.floor[:, layer], color="black", linewidth=1, linestyle=":",
                  label="floor of each step")
        percent_axis(axis)
        axis.margins(x=0)
    low, high = axes[0].get_ylim()
    axes[0].set_ylim(low, high * (high / low) ** 0.35)  # all panels share it: room for the legend
    axes[0].legend(fontsize="x-small", loc="upper right")
    return figure
