# SPDX-License-Identifier: BSD-3-Clause
"""The state detector."""
from __future__ import annotations

import ctypes
import enum
from typing import Any, Dict, Optional, Sequence, Union

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._handle import Handle
from ._library import TooFewSteps, library
from ._metrics import summary, totals
from ._records import DetectorConfig
from ._values import filled, make_runtime, positive, whole

_MEAN, _VARIANCE, _RANGE, _DRIFT, _NOISE, _DISPERSION = range(6)


LEARN = -1.0
"""`Detector` (growth): the detector learns from the run how far its loads drift."""


class State(enum.IntEnum):
    """The state of a layer or an expert; `Detector` defines it.

    WARMUP: nothing is known yet, treat it as TRANSIENT. TRANSIENT: the load drifts by more than the tolerance, or has
    not been within it for long enough; keep room for every expert. STABLE: the forecast holds; place experts by it.
    """

    WARMUP = 0
    TRANSIENT = 1
    STABLE = 2


class Detector(Handle):
    """Detects during a run whether the load of each layer and each expert is transient or stable.

    Take the mean load of the last drift_window steps as a forecast of the mean load of the next horizon steps. D is its
    error: the root mean square over the layer's experts, without sampling noise, in units of the mean load 1 / experts.
    The detector expects D from how far the load has just drifted, and learns from the errors of its own past means how
    much of such a drift comes. STABLE begins once D has been expected to stay within the tolerance for dwell steps. It
    ends when the newest drift predicts more than 1.3 times the tolerance even if three standard deviations are noise,
    when the drift keeps one direction, or when what was learned has raised the smoothed expected error that far. It is
    a forecast and no guarantee, because past loads do not show a change of data that is yet to come. It means the same
    at any batch size.

    Parameters
    ----------
    layers, experts : int
        The shape of the counts of one step, 1 or more each.
    horizon : int, default 1000
        Steps ahead that STABLE is about, 1 or more: as many as pass between two placements of experts.
    tolerance : float, default 0.1
        The largest error of a layer that a placement tolerates, in units of the mean load, more than 0.
    expert_tolerance : float, default 0.2
        The same for a single expert, more than 0.
    growth : float, default moepredict.LEARN
        How drift grows with the time ahead. LEARN: each layer and each expert learns it during the run, from the errors
        of its own past means. They come from step 700 on by default; before, LEARN is as 0.3. 0 to 1: drift always
        grows as the time ahead to this power. 0.5 is a random walk; 0 is a load that changes but comes back. Where
        drift keeps its direction the detector also checks the power 2 growth, at most 1.
    drift_window : int, default 100
        Drift is measured between the last drift_window steps and as many before them. A multiple of block, 2 to 512
        times. Longer windows see slower drifts under more noise, and notice a change after about half a window.
    block : int, default 20
        Steps averaged into one observation, 1 or more. It should be longer than a router's noise correlates. States
        change with the last step of a block.
    dwell : int, default 100
        Steps for which D must be expected within the tolerance before STABLE begins, 1 or more, rounded up to whole
        blocks.
    windows : int or sequence of up to 4 int, default (10, 100)
        Steps of the sliding windows of mean, variance and range, each 0 (none) to 1024.

    Raises
    ------
    ValueError, TypeError, MemoryError, moepredict.TooFewSteps, moepredict.Error
        As for `Predictor`.

    Notes
    -----
    WARMUP lasts 2 drift_window steps, and begins again after a gap of more than drift_window step numbers.

    All arrays are copies of the present values; later pushes do not change them. ``close()`` or a ``with`` block frees
    the memory; otherwise that happens at garbage collection. Threads: as for `Predictor`.

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
    _config_struct = _structs.DetectorConfig

    def __init__(self, *, layers: int, experts: int, horizon: int = 1000, tolerance: float = 0.1,
                 expert_tolerance: float = 0.2, growth: float = LEARN, drift_window: int = 100, block: int = 20,
                 dwell: int = 100, windows: Union[int, Sequence[int]] = (10, 100)) -> None:
        config = filled(_structs.DetectorConfig, horizon=horizon, tolerance=tolerance,
                        expert_tolerance=expert_tolerance, growth=growth, drift_window=drift_window, block=block,
                        dwell=dwell, windows=windows)
        layers, experts = positive("layers", layers), positive("experts", experts)
        handle = ctypes.c_void_p()
        library.moep_detector_create(layers, experts, config, make_runtime(), handle)
        self._attach(handle)

    @property
    def config(self) -> DetectorConfig:
        """`DetectorConfig`: the configuration."""
        return DetectorConfig(**self._read_config())

    # ---- states ----

    def _of_layers(self, call: str, values: NDArray[Any]) -> NDArray[Any]:
        self._call(call, self._checked_handle(), values.ctypes.data, None)
        return values

    def _of_experts(self, call: str, values: NDArray[Any]) -> NDArray[Any]:
        self._call(call, self._checked_handle(), None, values.ctypes.data)
        return values

    @property
    def layer_states(self) -> NDArray[np.int32]:
        """int32 (layers,): the `State` of each layer."""
        return self._of_layers("states", np.empty(self.layers, np.int32))

    @property
    def expert_states(self) -> NDArray[np.int32]:
        """int32 (layers, experts): the `State` of each expert."""
        return self._of_experts("states", np.empty((self.layers, self.experts), np.int32))

    @property
    def layer_since(self) -> NDArray[np.uint64]:
        """uint64 (layers,): the number of the step with which the layer's state began."""
        return self._of_layers("since", np.empty(self.layers, np.uint64))

    @property
    def expert_since(self) -> NDArray[np.uint64]:
        """uint64 (layers, experts): the number of the step with which the expert's state began."""
        return self._of_experts("since", np.empty((self.layers, self.experts), np.uint64))

    @property
    def layer_changes(self) -> NDArray[np.uint64]:
        """uint64 (layers,): how often the layer's state has changed, the end of WARMUP included."""
        return self._of_layers("changes", np.empty(self.layers, np.uint64))

    @property
    def expert_changes(self) -> NDArray[np.uint64]:
        """uint64 (layers, experts): how often the expert's state has changed, the end of WARMUP included."""
        return self._of_experts("changes", np.empty((self.layers, self.experts), np.uint64))

    # ---- statistics of a sliding window ----

    def _index(self, window: Optional[int]) -> int:
        """The index of the window of that many steps; None: of the first one."""
        windows = self.config.windows
        if window is not None:
            window = whole("window", window)
        present = [w for w in windows if w]
        if not present or window is not None and window not in present:
            raise ValueError(f"window = {window}: the detector has " + (" and ".join(map(str, present)) or "none"))
        return windows.index(present[0] if window is None else window)

    def _read(self, quantity: int, index: int = 0, layers: bool = False) -> NDArray[np.float64]:
        values = np.empty(self.layers if layers else (self.layers, self.experts))
        addresses = (values.ctypes.data, None) if layers else (None, values.ctypes.data)
        self._call("read", self._checked_handle(), quantity, index, *addresses)
        return values

    def mean(self, window: Optional[int] = None) -> NDArray[np.float64]:
        """Mean of each expert's share over a sliding window: sum x / w.

        Parameters
        ----------
        window : int, optional
            Its steps, one of ``config.windows``. Default None: the first of them.

        Returns
        -------
        ndarray of float64, (layers, experts)
            Over the last `window` steps, or as many as have been pushed. TooFewSteps is raised before the first step.
        """
        return self._read(_MEAN, self._index(window))

    def variance(self, window: Optional[int] = None) -> NDArray[np.float64]:
        """Variance of each expert's share over a sliding window, the paper's: sum (x - mean)^2 / w.

        Parameters
        ----------
        window : int, optional
            As for `mean`.

        Returns
        -------
        ndarray of float64, (layers, experts)
        """
        return self._read(_VARIANCE, self._index(window))

    def range(self, window: Optional[int] = None) -> NDArray[np.float64]:
        """Range of each expert's share over a sliding window, the paper's: max x - min x.

        Parameters
        ----------
        window : int, optional
            As for `mean`.

        Returns
        -------
        ndarray of float64, (layers, experts)
        """
        return self._read(_RANGE, self._index(window))

    def layer_mean(self, window: Optional[int] = None) -> NDArray[np.float64]:
        """Mean of `mean` over the experts: float64 (layers,). `window`: as for `mean`."""
        return self._read(_MEAN, self._index(window), layers=True)

    def layer_variance(self, window: Optional[int] = None) -> NDArray[np.float64]:
        """Mean of `variance` over the experts: float64 (layers,). `window`: as for `mean`."""
        return self._read(_VARIANCE, self._index(window), layers=True)

    def layer_range(self, window: Optional[int] = None) -> NDArray[np.float64]:
        """The largest `range` of the experts: float64 (layers,). `window`: as for `mean`."""
        return self._read(_RANGE, self._index(window), layers=True)

    # ---- drift and noise: of the last whole block; TooFewSteps in WARMUP ----

    @property
    def drift(self) -> NDArray[np.float64]:
        """float64 (layers, experts): the expected error, without sampling noise, of a forecast made now, over the
        horizon, in units of the mean load, 0 or more. With growth = LEARN the errors of past means are part of it.
        TooFewSteps is raised in WARMUP, here and by the properties below."""
        return self._read(_DRIFT)

    @property
    def noise(self) -> NDArray[np.float64]:
        """float64 (layers, experts): the noise expressed as effective tokens per step: p (1 - p) / v, with p the mean
        share and v the measured variance of a step. That many independent tokens would scatter as much, so a larger
        number means less noise. NaN where v = 0."""
        return self._read(_NOISE)

    @property
    def dispersion(self) -> NDArray[np.float64]:
        """float64 (layers, experts): how much more the loads scatter than independent tokens would: tokens per step /
        noise, about 1 or more. NaN where noise is NaN, and where counts are not whole numbers."""
        return self._read(_DISPERSION)

    @property
    def layer_drift(self) -> NDArray[np.float64]:
        """float64 (layers,): as `drift`, of the root mean square over the layer's experts. It is not quite that of
        `drift`, because layers and experts learn on their own, and no drift is below 0."""
        return self._read(_DRIFT, layers=True)

    @property
    def layer_noise(self) -> NDArray[np.float64]:
        """float64 (layers,): as `noise`, from the sums of p (1 - p) and of v over the experts."""
        return self._read(_NOISE, layers=True)

    @property
    def layer_dispersion(self) -> NDArray[np.float64]:
        """float64 (layers,): as `dispersion`, with `layer_noise`."""
        return self._read(_DISPERSION, layers=True)

    # ---- for a dashboard ----

    def metrics(self) -> Dict[str, float]:
        """Summarise states, drift and noise for a training dashboard.

        Returns
        -------
        dict of float, always with the same keys
            ``stable_layers``, ``stable_experts``: the fraction of them that is STABLE. ``changes``: of layers' states,
            in total. ``drift_mean``, ``_min``, ``_max``, and so ``noise_*`` and ``dispersion_*``: over the layers, NaN
            where not known yet. ``steps``, ``gaps``, ``empty_layers``: as in ``info``.
        """
        result = {"stable_layers": float(np.mean(self.layer_states == State.STABLE)),
                  "stable_experts": float(np.mean(self.expert_states == State.STABLE)),
                  "changes": float(self.layer_changes.sum())}
        for name, quantity in (("drift", _DRIFT), ("noise", _NOISE), ("dispersion", _DISPERSION)):
            try:
                values = self._read(quantity, layers=True)
            except TooFewSteps:  # in WARMUP
                values = np.full(self.layers, np.nan)
            result.update(summary(name, values))
        return {**result, **totals(self.info)}
