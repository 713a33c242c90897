# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of a detector's states along a run. As in _figures, pyplot is not used."""
from __future__ import annotations

import io
from typing import Any, Callable, List, Optional

import matplotlib.style
import numpy as np
from numpy.typing import NDArray
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ._figures import COLOURS, groups, log_axis, panels
from ._detector_run import DetectorRun
from .detector import State

# Light enough for a background. They differ in lightness too, for colour-blind readers.
STATE_COLOURS = {State.WARMUP: "#CFCFCF", State.TRANSIENT: "#F8D79B", State.STABLE: "#D5F0E3"}


def _legend(figure: Figure) -> None:
    """Draw the legend of states in the top right corner; the title is in the left one."""
    figure.legend(handles=[Patch(facecolor=colour, edgecolor="0.6", linewidth=0.5, label=state.name)
                           for state, colour in STATE_COLOURS.items()],
                  loc="upper right", ncol=len(STATE_COLOURS), fontsize="small", frameon=False, borderaxespad=0.2)


def _columns(detected: DetectorRun, by_block: NDArray[Any]) -> NDArray[Any]:
    """The values known during each block: those at the end of the block before, and 0 during the first."""
    return np.concatenate([np.zeros_like(by_block[:1]), by_block])


def draw_bands(figure: Figure, detected: DetectorRun) -> Figure:
    """Colour the background of panels, one for each of `groups`, by the state of the layer. In a panel of several
    layers each colour is as high as the fraction of layers in that state."""
    if not detected.knows:
        return figure
    x = np.append(0, detected.ends)
    columns = _columns(detected, detected.states)
    if x[-1] < detected.steps:
        x, columns = np.append(x, detected.steps), np.concatenate([columns, columns[-1:]])
    for axis, (_, of_layers) in zip(figure.axes, groups(detected.states.shape[1])):
        heights = [(columns[:, of_layers] == state).mean(1) for state in reversed(STATE_COLOURS)]
        limits = axis.get_ylim()
        axis.stackplot(x, heights, colors=list(reversed(STATE_COLOURS.values())), step="post", linewidth=0, zorder=-1,
                       transform=axis.get_xaxis_transform())
        axis.set(xlim=(0, detected.steps), ylim=limits)
        if len(of_layers) > 1:
            axis.set_title(axis.get_title() + "; colours: the fraction of layers in each state", fontsize="medium")
    _legend(figure)
    return figure


def states(detected: DetectorRun) -> Figure:
    """The state of each layer over the run, and the fraction of its experts that is STABLE: a row per layer."""
    layers = detected.states.shape[1]
    figure = Figure(figsize=(11, 2 + 2 * min(max(0.3 * layers, 1.2), 4)), constrained_layout=True)
    axes = figure.subplots(2, 1, sharex=True)
    columns = _columns(detected, detected.states), _columns(detected, detected.stable_experts)
    place = {"aspect": "auto", "interpolation": "nearest", "interpolation_stage": "data",
             "extent": (0, len(columns[0]) * detected.config.block, layers - 0.5, -0.5)}
    axes[0].imshow(columns[0].T, cmap=ListedColormap(list(STATE_COLOURS.values())), vmin=0, vmax=2, **place)
    image = axes[1].imshow(100 * columns[1].T, cmap="cividis", vmin=0, vmax=100, **place)
    for axis, title in zip(axes, ("State of the layers", "Experts that are STABLE")):
        axis.set_title(title, fontsize="medium")
        axis.set_xlim(0, detected.steps)
        axis.set_ylabel("layer")
        axis.set_yticks(range(0, layers, -(-layers // 8)))
        if layers <= 32:
            for layer in range(1, layers):
                axis.axhline(layer - 0.5, color="white", linewidth=1.5)
    axes[1].set_xlabel("training step")
    figure.suptitle("Transient and stable states", x=0.01, ha="left")
    figure.colorbar(image, ax=axes, shrink=0.6).set_label("% of the layer's experts")
    _legend(figure)
    return figure


def drift(detected: DetectorRun, realised: NDArray[Any]) -> Figure:
    """The drift predicted at each block's end beside the realised drift, by layer. All layers together: the median."""
    config, layers = detected.config, detected.states.shape[1]
    figure, axes = panels([name for name, _ in groups(layers)],
                          f"Drift over the next {config.horizon:,} steps: predicted and realised", "training step",
                          "drift / mean load (log scale)")
    squares = {"predicted": detected.drift**2, "realised": realised}
    styles = {"predicted": {"color": COLOURS[0], "linewidth": 1.2}, "realised": {"color": "black", "linewidth": 1.2}}
    positive = np.sqrt(np.concatenate([values[values > 0] for values in squares.values()]))
    for axis, (_, of_layers) in zip(axes, groups(layers)):
        for name, values in squares.items():
            values = values[:, of_layers]
            known = ~np.isnan(values).all(1)
            middle = np.sqrt(np.maximum(np.nanmedian(values[known], 1), 0))
            axis.plot(detected.ends[known], middle, label=name, **styles[name])
        axis.axhline(config.tolerance, color=COLOURS[5], linewidth=1, linestyle="--", label="tolerance")
        axis.set_xlim(0, detected.steps)
    for axis in axes:
        log_axis(axis)
        if positive.size:  # lines below a tenth of the tolerance leave the panel
            axis.set_ylim(min(max(np.quantile(positive, 0.02), config.tolerance / 10), config.tolerance) / 1.3,
                          max(positive.max(), config.tolerance) * 2.5)
    axes[0].legend(fontsize="x-small", loc="upper right", ncol=3)
    return figure


def pngs(names: List[str], make: Callable[[], Any], detected: Optional[DetectorRun] = None) -> List[bytes]:
    """The figures that `make` draws, as the contents of PNG files. Where a detector is given, most have its states as
    their background. They are drawn with matplotlib's defaults, not with the user's settings."""
    with matplotlib.style.context("default"):
        files = []
        for name, figure in zip(names, make()):
            if detected is not None and name not in ("shares", "states", "weights", "plan"):
                draw_bands(figure, detected)
            file = io.BytesIO()
            figure.savefig(file, format="png", dpi=100)
            files.append(file.getvalue())
        return files
