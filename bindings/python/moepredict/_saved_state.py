# SPDX-License-Identifier: BSD-3-Clause
"""Saved states as Python objects: any buffer in, dicts for torch.load(weights_only=True) out."""
from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Dict

import numpy as np
from numpy.typing import NDArray

from ._counts import is_tensor, of_tensor

_KEY = "state"


def _of_tensor(state: Any) -> NDArray[Any]:
    if str(state.dtype) != "torch.uint8":
        raise TypeError(f"the state has dtype {state.dtype}: expected uint8, as state_dict() gives it")
    return of_tensor(state if state.device.type in ("cpu", "meta") else state.cpu(), "the state is")


def as_bytes(state: Any) -> NDArray[Any]:
    """The bytes of a state, without a copy if they are contiguous."""
    if is_tensor(state):
        state = _of_tensor(state)
    try:
        view = memoryview(state)
    except TypeError:
        raise TypeError(f"the state is a {type(state).__name__}: expected bytes, another buffer, or a uint8 array or "
                        "tensor") from None
    if view.itemsize != 1:
        raise TypeError(f"the state's numbers have {view.itemsize} bytes each: expected uint8")
    return np.frombuffer(view if view.c_contiguous else view.tobytes(), np.uint8)


def as_dict(state: NDArray[np.uint8]) -> Dict[str, Any]:
    """The state as a tensor if torch is imported. torch also saves an ndarray, but does not load it with
    weights_only."""
    torch: Any = sys.modules.get("torch")
    return {_KEY: torch.from_numpy(state) if hasattr(torch, "from_numpy") else state}


def of_dict(states: Any) -> Any:
    if not isinstance(states, Mapping):
        raise TypeError(f"load_state_dict takes what state_dict() returns, not {type(states).__name__}")
    if _KEY not in states:
        raise ValueError(f"the dict has no {_KEY!r}: expected what state_dict() returns")
    return states[_KEY]
