# SPDX-License-Identifier: BSD-3-Clause
"""The base class of the predictor, the detector and the planner: push, copies, checkpoints, close."""
from __future__ import annotations

import ctypes
import os
import weakref
from typing import Any, Callable, Dict, Optional, Tuple, Type, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._counts import address_and_dtype, as_array, steps_of
from ._library import library
from ._records import Info
from ._saved_state import as_bytes, as_dict, of_dict
from ._values import make_runtime, readable, whole

Self = TypeVar("Self", bound="Handle")


def _destroy(destroy: Callable[[ctypes.c_void_p], None], handle: ctypes.c_void_p, pid: int) -> None:
    if os.getpid() == pid:  # a forked child does not own its parent's handles
        destroy(handle)


class Handle:
    """A handle of the library. A subclass names its kind, "predictor", and so the functions moep_predictor_..."""

    _kind: str
    _config_struct: Type[_structs.Struct]
    _threads = 0

    layers: int
    experts: int

    @classmethod
    def _call(cls, name: str, *arguments: Any) -> None:
        getattr(library, f"moep_{cls._kind}_{name}")(*arguments)

    def _attach(self, handle: ctypes.c_void_p) -> None:
        """Own the handle: it is freed with this object."""
        self._handle = handle
        info = self.info
        self.layers, self.experts = info.layers, info.experts
        self._finalizer = weakref.finalize(self, _destroy, getattr(library, f"moep_{self._kind}_destroy"), handle,
                                           os.getpid())
        self._finalizer.atexit = False

    def _checked_handle(self) -> ctypes.c_void_p:
        """The handle, unless it is closed."""
        finalizer = getattr(self, "_finalizer", None)
        if finalizer is not None and not finalizer.alive:
            raise ValueError(f"the {self._kind} is closed")
        return self._handle

    @classmethod
    def _from_handle(cls: Type[Self], handle: ctypes.c_void_p, threads: int) -> Self:
        made = cls.__new__(cls)
        made._threads = threads
        made._attach(handle)
        return made

    # ---- counts in ----

    def push(self, counts: Any, step: Optional[int] = None) -> None:
        """Record training steps. All of the call's steps are recorded, or, after an error, none.

        Parameters
        ----------
        counts : ndarray or CPU tensor, (layers, experts) or (steps, layers, experts)
            Tokens asked of each expert, summed over all ranks; each finite and 0 or more. The dtype is int32, int64,
            uint32, uint64, float32 or float64. A contiguous array is not copied. Parameters, tensors that require a
            gradient, and subclasses of tensor work too. A layer without any token repeats its last shares.
        step : int, optional
            The run's own number of the first step. Numbers skipped since the first one pushed count as gaps. Default
            None: the next number, ``info.next_step``. Windows and horizons count steps pushed, whatever their numbers.

        Raises
        ------
        ValueError
            A wrong shape or a bad count; the message names step, layer and expert. Or `step` was pushed before.
        TypeError
            Another dtype, or no array; the message says what to call.
        """
        self._push(as_array(counts), step)

    def _push(self, counts: NDArray[Any], step: Optional[int]) -> int:
        """Push an array; return the number of its steps."""
        steps = steps_of(counts, self.layers, self.experts)
        address, dtype = address_and_dtype(counts)
        if step is None:
            self._call("push", self._checked_handle(), steps, address, dtype)
        else:
            self._call("push_at", self._checked_handle(), whole("step", step), steps, address, dtype)
        return steps

    # ---- info ----

    @property
    def info(self) -> Info:
        """`Info`: the shape, and counters of the steps so far."""
        info = _structs.Info()
        self._call("info", self._checked_handle(), info)
        return Info(**readable(info))

    def _read_config(self) -> Dict[str, Any]:
        config = self._config_struct()
        self._call("config_read", self._checked_handle(), config)
        return readable(config)

    def __repr__(self) -> str:
        name = type(self).__name__
        if not self._finalizer.alive:
            return f"<moepredict.{name}, closed>"
        info = self.info
        method = f"{info.method}, " if info.method else ""
        return f"<moepredict.{name} {method}{info.layers} x {info.experts}, {info.steps} steps>"

    # ---- copies and checkpoints ----

    def clone(self: Self) -> Self:
        """Copy everything: configuration, history, model and counters.

        Returns
        -------
        Predictor, Detector or Planner
            Like the original, and independent of it: one may be used in another thread.
        """
        handle = ctypes.c_void_p()
        self._call("clone", self._checked_handle(), None, handle)
        return self._from_handle(handle, self._threads)

    def _saved(self) -> NDArray[np.uint8]:
        size = ctypes.c_size_t()
        self._call("save", self._checked_handle(), None, 0, size)
        state = np.empty(size.value, np.uint8)
        self._call("save", self._checked_handle(), state.ctypes.data, state.size, size)
        return state

    def save(self) -> bytes:
        """Write the whole state, for a training checkpoint.

        Returns
        -------
        bytes
            About 4 for each series and step of the history; their number never changes. A handle that `load` makes from
            them continues with the same results, to the byte.
        """
        return self._saved().tobytes()

    @classmethod
    def load(cls: Type[Self], state: Any, *, threads: int = 0) -> Self:
        """Make a predictor, detector or planner from a saved state.

        Parameters
        ----------
        state : bytes, any other buffer, uint8 array or uint8 tensor
            What `save` returned, from this or any earlier version. It is checked, so it may come from anywhere.
        threads : int, default 0
            As for `Predictor`; a state holds none. A detector has no use for it.

        Returns
        -------
        Predictor, Detector or Planner

        Raises
        ------
        moepredict.Error
            The state is damaged, of another kind of handle, or of a newer version that this one cannot read.
        """
        handle = ctypes.c_void_p()
        buffer = as_bytes(state)
        cls._call("load", buffer.ctypes.data, buffer.size, make_runtime(threads), handle)
        return cls._from_handle(handle, threads)

    def state_dict(self) -> Dict[str, Any]:
        """Write the whole state in the form of torch's checkpoints.

        Returns
        -------
        dict
            ``{"state": uint8 tensor}``; an ndarray where torch is not imported. ``torch.load(weights_only=True)`` reads
            it back. Its size never changes, so torch.distributed.checkpoint may load it in place.
        """
        return as_dict(self._saved())

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Continue from a saved state. Its configuration comes with it, as with an optimizer's. An error changes
        nothing.

        Parameters
        ----------
        state_dict : dict
            What `state_dict` returned, for a handle of the same method and shape.

        Raises
        ------
        ValueError
            The state is of another method or shape, or the dict holds none.
        moepredict.Error
            As for `load`.
        """
        loaded = self.load(of_dict(state_dict), threads=self._threads)
        for name, own in self._identity().items():
            other = loaded._identity()[name]
            if other != own:
                raise ValueError(f"the state's {name} is {other!r}, the {self._kind}'s {own!r}: "
                                 f"{type(self).__name__}.load makes one that fits")
        destroy = self._finalizer
        del self._finalizer
        loaded._finalizer.detach()
        self._attach(loaded._handle)
        destroy()

    def _identity(self) -> Dict[str, Any]:
        info = self.info
        return {"method": info.method, "shape": (info.layers, info.experts)}

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self).load, (self.save(),)

    def __copy__(self: Self) -> Self:
        return self.clone()

    def __deepcopy__(self: Self, memo: Dict[int, Any]) -> Self:
        return self.clone()

    # ---- close ----

    def close(self) -> None:
        """Free the memory. A second call does nothing; any other method then raises ValueError."""
        self._finalizer()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
