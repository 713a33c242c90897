# SPDX-License-Identifier: BSD-3-Clause
"""The state detector."""
from __future__ import annotations

import ctypes
import enum
from collections import namedtuple
from typing import Any, Dict, Optional

import numpy as np

from ._handle import Handle, make_runtime, positive, set_fields, whole
from ._library import TooFewSteps, library
from ._structs import DetectorConfig

DetectorSettings = namedtuple("DetectorSettings", DetectorConfig.names())

_MEAN, _VARIANCE, _RANGE, _DRIFT, _NOISE, _DISPERSION = range(6)


class State(enum.IntEnum):
    """The state of a layer or an expert; moepredict.h says what STABLE promises."""

    WARMUP = 0
    TRANSIENT = 1
    STABLE = 2


class Detector(Handle):
    """Tells whether the load of each layer and each expert is transient or stable, while the run goes on.

    Parameters
    ----------
    layers, experts : int
        The shape of the counts of one step.
    **config
        Fields of ``moep_detector_config``, by their names: ``horizon``, ``tolerance``, ``expert_tolerance``, ``growth``,
        ``drift_window``, ``block``, ``dwell``, ``windows`` (up to four numbers of steps). What is not given has the
        library's default.

    Raises
    ------
    ValueError, TypeError, MemoryError, moepredict.TooFewSteps, moepredict.Error
        As Predictor.

    Notes
    -----
    States, and the steps with which they began, are arrays of the present; they do not follow later pushes. Free a detector
    with ``close()`` or a ``with`` block; otherwise that happens when it is collected.

    Examples
    --------
    >>> import moepredict
    >>> counts, truth = moepredict.simulate(3100, layers=2, experts=8, shifts=[(3000, 0.3)])
    >>> with moepredict.Detector(layers=2, experts=8) as detector:
    ...     for span in (counts[:3000], counts[3000:]):
    ...         detector.push(span)
    ...         print([moepredict.State(state).name for state in detector.layer_states])
    ['STABLE', 'STABLE']
    ['TRANSIENT', 'TRANSIENT']
    """

    _kind = "detector"
    _config_struct = DetectorConfig
    _Config = DetectorSettings

    def __init__(self, *, layers: int, experts: int, **config: Any):
        fields = DetectorConfig()
        library.moep_detector_config_init(fields)
        set_fields(fields, config)
        layers, experts = positive("layers", layers), positive("experts", experts)
        handle = ctypes.c_void_p()
        library.moep_detector_create(layers, experts, fields, make_runtime(), handle)
        self._own(handle)

    # ---- states ----

    def _of_layers(self, call: str, dtype: type) -> np.ndarray:
        values = np.empty(self.layers, dtype)
        self._call(call, self._open(), values.ctypes.data, None)
        return values

    def _of_experts(self, call: str, dtype: type) -> np.ndarray:
        values = np.empty((self.layers, self.experts), dtype)
        self._call(call, self._open(), None, values.ctypes.data)
        return values

    @property
    def layer_states(self) -> np.ndarray:
        """int32 (layers,): State of each layer."""
        return self._of_layers("states", np.int32)

    @property
    def expert_states(self) -> np.ndarray:
        """int32 (layers, experts): State of each expert."""
        return self._of_experts("states", np.int32)

    @property
    def layer_since(self) -> np.ndarray:
        """uint64 (layers,): the number of the step with which the state began."""
        return self._of_layers("since", np.uint64)

    @property
    def expert_since(self) -> np.ndarray:
        """uint64 (layers, experts): the number of the step with which the state began."""
        return self._of_experts("since", np.uint64)

    @property
    def layer_changes(self) -> np.ndarray:
        """uint64 (layers,): how often the state has changed."""
        return self._of_layers("changes", np.uint64)

    @property
    def expert_changes(self) -> np.ndarray:
        """uint64 (layers, experts): how often the state has changed."""
        return self._of_experts("changes", np.uint64)

    # ---- statistics of a sliding window ----

    def _index(self, window: Optional[int]) -> int:
        """Of the window of so many steps; None: the first that there is."""
        windows = self.config.windows
        if window is not None:
            window = whole("window", window)
        there = [w for w in windows if w]
        if not there or window is not None and window not in there:
            raise ValueError(f"window = {window}: the detector has " + (" and ".join(map(str, there)) or "none"))
        return windows.index(there[0] if window is None else window)

    def _read(self, quantity: int, index: int = 0, layers: bool = False) -> np.ndarray:
        values = np.empty(self.layers if layers else (self.layers, self.experts))
        addresses = (values.ctypes.data, None) if layers else (None, values.ctypes.data)
        self._call("read", self._open(), quantity, index, *addresses)
        return values

    def mean(self, window: Optional[int] = None) -> np.ndarray:
        """(layers, experts): mean share over the last `window` steps, one of ``config.windows``; None: the first of them."""
        return self._read(_MEAN, self._index(window))

    def variance(self, window: Optional[int] = None) -> np.ndarray:
        """(layers, experts): the paper's variance of the share over the last `window` steps."""
        return self._read(_VARIANCE, self._index(window))

    def range(self, window: Optional[int] = None) -> np.ndarray:
        """(layers, experts): the paper's range of the share, largest - least, over the last `window` steps."""
        return self._read(_RANGE, self._index(window))

    def layer_mean(self, window: Optional[int] = None) -> np.ndarray:
        """(layers,): mean over the experts."""
        return self._read(_MEAN, self._index(window), layers=True)

    def layer_variance(self, window: Optional[int] = None) -> np.ndarray:
        """(layers,): mean over the experts."""
        return self._read(_VARIANCE, self._index(window), layers=True)

    def layer_range(self, window: Optional[int] = None) -> np.ndarray:
        """(layers,): the largest of the experts'."""
        return self._read(_RANGE, self._index(window), layers=True)

    # ---- drift and noise: of the last whole block; TooFewSteps in WARMUP ----

    @property
    def drift(self) -> np.ndarray:
        """(layers, experts): the error that a forecast made now must expect over the horizon, in units of the mean load."""
        return self._read(_DRIFT)

    @property
    def noise(self) -> np.ndarray:
        """(layers, experts): the independent tokens per step that would scatter as much as the share does."""
        return self._read(_NOISE)

    @property
    def dispersion(self) -> np.ndarray:
        """(layers, experts): how much more the loads scatter than independent tokens would; NaN where counts are
        not whole numbers."""
        return self._read(_DISPERSION)

    @property
    def layer_drift(self) -> np.ndarray:
        """(layers,): the root of the mean square over the experts."""
        return self._read(_DRIFT, layers=True)

    @property
    def layer_noise(self) -> np.ndarray:
        """(layers,): as noise."""
        return self._read(_NOISE, layers=True)

    @property
    def layer_dispersion(self) -> np.ndarray:
        """(layers,): as dispersion."""
        return self._read(_DISPERSION, layers=True)

    # ---- for a dashboard ----

    def metrics(self) -> Dict[str, float]:
        """Numbers for a training dashboard: a flat dict whose keys stay the same.

        ``stable_layers``, ``stable_experts``: the part of them that is STABLE, 0 to 1; ``changes``: of layers' states, in
        all; ``drift_*``, ``noise_*``, ``dispersion_*``: mean, min and max over the layers, NaN where not known yet;
        ``steps``, ``gaps``, ``empty_layers``: totals so far, as in ``info``.
        """
        info = self.info
        result = {"stable_layers": float(np.mean(self.layer_states == State.STABLE)),
                  "stable_experts": float(np.mean(self.expert_states == State.STABLE)),
                  "changes": float(self.layer_changes.sum())}
        for name, quantity in (("drift", _DRIFT), ("noise", _NOISE), ("dispersion", _DISPERSION)):
            try:
                values = self._read(quantity, layers=True)
            except TooFewSteps:  # in WARMUP
                values = np.full(self.layers, np.nan)
            known = values[np.isfinite(values)]
            for kind in ("mean", "min", "max"):
                result[f"{name}_{kind}"] = float(getattr(known, kind)()) if known.size else float("nan")
        result.update(steps=float(info.steps), gaps=float(info.gaps), empty_layers=float(info.empty_layers))
        return result
