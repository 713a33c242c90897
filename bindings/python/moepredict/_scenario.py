# SPDX-License-Identifier: BSD-3-Clause
"""The events of a simulated run: parameters are checked, and random events are drawn from the seed."""
from __future__ import annotations

import math
from typing import Any, Dict, List, Sequence

import numpy as np

from ._values import positive, whole
from ._library import version

# Every ingredient has its own stream of random numbers, so that another ingredient does not change them.
LEVELS, FLUCTUATION, DRIFT, SHIFTS, NOISE, EXCHANGES, BURSTS = range(7)
_SEQUENCE = (list, tuple, np.ndarray)
_LARGEST = 1e6  # the bound of sizes in logarithms of a load: from a few hundred on one expert gets all tokens


def stream(seed: int, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _number(name: str, value: Any, least: float = 0.0, most: float = math.inf) -> float:
    """A finite number within bounds."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} = {value!r}: expected a number") from None
    if not math.isfinite(number) or not least <= number <= most:
        raise ValueError(f"{name} = {number:g}: must be " +
                         (f"{least:g} or more" if math.isinf(most) else f"from {least:g} to {most:g}"))
    return number


def _by_layer(name: str, value: Any, layers: int, check: Any) -> Any:
    """One value for all layers, or one for each; None stays None."""
    if value is None:
        return None
    if np.ndim(value) == 0 or len(value) == 1:
        return check(name, value if np.ndim(value) == 0 else value[0])
    if len(value) != layers:
        raise ValueError(f"{name} has {len(value)} values: expected one, or one for each of the {layers} layers")
    return [check(name, each) for each in value]


def _factor(name: str, value: Any) -> float:
    number = _number(name, value)
    if number == 0:
        raise ValueError(f"{name} = 0: must be more")
    return number


def _tuples(name: str, given: Any, *fields: str) -> List[Sequence[Any]]:
    """A list of events, each with as many values as there are fields."""
    wanted = f"({', '.join(fields)})"
    if not isinstance(given, _SEQUENCE):
        raise TypeError(f"{name} = {given!r}: expected a list of {wanted}")
    for event in given:
        if not isinstance(event, _SEQUENCE) or len(event) != len(fields):
            raise ValueError(f"{name}: {event!r}: expected {wanted}")
    return list(given)


def _events(name: str, given: Any, fields: Dict[str, int]) -> List[List[int]]:
    """Events as lists of whole numbers, each at most what `fields` says."""
    events = [[whole(f"{name}: {field}", value, 0, most) for value, (field, most) in zip(event, fields.items())]
              for event in _tuples(name, given, *fields)]
    for event in events:
        if "end" in fields and event[-2] >= event[-1]:
            raise ValueError(f"{name}: {tuple(event)}: first must come before end")
    return events


def _number_or_events(name: str, given: Any, length: int, steps: int, fields: Dict[str, int]) -> Any:
    """The number of events to draw, or the events themselves."""
    if isinstance(given, _SEQUENCE):
        return _events(name, given, {**fields, "first": steps, "end": steps})
    if whole(name, given) and length > steps:
        raise ValueError(f"{name}: they are {length} steps long, longer than the run of {steps}")
    return whole(name, given)


def _dying(given: Any, steps: int, layers: int, experts: int) -> List[List[int]]:
    dying = _events("dying", given, {"layer": layers - 1, "expert": experts - 1, "step": steps - 1})
    pairs = [tuple(event[:2]) for event in dying]
    if len(set(pairs)) < len(pairs):
        raise ValueError("dying: an expert dies only once")
    for layer in {layer for layer, _ in pairs}:
        if sum(pair[0] == layer for pair in pairs) == experts:
            raise ValueError(f"dying: layer {layer} must keep an expert")
    return dying


def checked(given: Dict[str, Any]) -> Dict[str, Any]:
    """The parameters of simulate, as plain numbers and lists that JSON can hold."""
    steps, layers = positive("steps", given["steps"]), positive("layers", given["layers"])
    experts = whole("experts", given["experts"], 2)
    assignments = whole("assignments", given["assignments"], 1, 2**53)
    p: Dict[str, Any] = {"steps": steps, "layers": layers, "experts": experts, "assignments": assignments}
    p["seed"] = whole("seed", given["seed"])
    for name in ("skew", "fluctuation", "drift"):
        p[name] = _number(name, given[name], most=_LARGEST)
    # With more there would be fewer groups of tokens than experts.
    p["overdispersion"] = _number("overdispersion", given["overdispersion"], 1.0, max(1.0, assignments / experts))
    p["fluctuation_end"] = _by_layer("fluctuation_end", given["fluctuation_end"], layers, whole)
    p["fluctuation_decay"] = _by_layer("fluctuation_decay", given["fluctuation_decay"], layers, _number)
    p["shifts"] = [[whole("shifts: step", step, 0, steps - 1), _number("shifts: size", size, most=_LARGEST)]
                   for step, size in _tuples("shifts", given["shifts"], "step", "size")]
    p["shift_ramp"] = whole("shift_ramp", given["shift_ramp"])
    p["exchange_size"] = _number("exchange_size", given["exchange_size"], 0.0, 1.0)
    p["burst_size"], p["hotspot"] = _factor("burst_size", given["burst_size"]), _factor("hotspot", given["hotspot"])
    for name in ("exchange_length", "burst_length", "hotspot_steps", "dying_length"):
        p[name] = positive(name, given[name])
    p["exchanges"] = _number_or_events("exchanges", given["exchanges"], p["exchange_length"], steps,
                                       {"layer": layers - 1, "expert": experts - 1, "other expert": experts - 1})
    if isinstance(p["exchanges"], list) and any(event[1] == event[2] for event in p["exchanges"]):
        raise ValueError("exchanges: the two experts must differ")
    p["bursts"] = _number_or_events("bursts", given["bursts"], p["burst_length"], steps,
                                    {"layer": layers - 1, "expert": experts - 1})
    p["dying"] = _dying(given["dying"], steps, layers, experts)
    return p


def _drawn(given: Any, ingredient: int, experts_each: int, length: int, p: Dict[str, Any]) -> List[List[int]]:
    """Events (layer, experts..., first, end), by their first step: those given, or that number of random ones."""
    if isinstance(given, list):
        return sorted(given, key=lambda event: event[-2])
    rng, events = stream(p["seed"], ingredient), []
    for _ in range(given):
        first = int(rng.integers(p["steps"] - length + 1))
        experts = rng.choice(p["experts"], experts_each, replace=False).tolist()
        events.append([int(rng.integers(p["layers"])), *experts, first, first + length])
    return sorted(events, key=lambda event: event[-2])


def _listed(value: Any, layers: int) -> Sequence[Any]:
    return value if isinstance(value, list) else [value] * layers


def truth_of(p: Dict[str, Any]) -> Dict[str, Any]:
    """The truth about the run with these parameters. It is enough to compute the expected shares again."""
    steps, layers = p["steps"], p["layers"]
    # As in the paper, the first layers are the last to settle.
    ends = (_listed(p["fluctuation_end"], layers) if p["fluctuation_end"] is not None else
            [round(steps * part) for part in np.geomspace(0.4, 0.06, layers).tolist()])
    decays = (_listed(p["fluctuation_decay"], layers) if p["fluctuation_decay"] is not None else
              [end / 3 for end in ends])
    fluctuation = [{"amplitude": p["fluctuation"], "decay": decay, "end": end} for decay, end in zip(decays, ends)]
    settled = [0 if p["fluctuation"] == 0 else end if end < steps else None for end in ends]
    exchanges = _drawn(p["exchanges"], EXCHANGES, 2, p["exchange_length"], p)
    bursts = _drawn(p["bursts"], BURSTS, 1, p["burst_length"], p)
    hotspot = {"factor": p["hotspot"], "steps": p["hotspot_steps"], "period": p["hotspot_steps"] * p["experts"]}
    return {
        "moepredict": version,
        "numpy": np.__version__,
        "parameters": p,
        "settled": settled,
        "fluctuation": fluctuation,
        "shifts": [{"first": step, "end": step + p["shift_ramp"], "size": size} for step, size in p["shifts"]],
        "exchanges": [{"layer": layer, "experts": [one, other], "first": first, "end": end, "size": p["exchange_size"]}
                      for layer, one, other, first, end in exchanges],
        "bursts": [{"layer": layer, "expert": expert, "first": first, "end": end, "factor": p["burst_size"]}
                   for layer, expert, first, end in bursts],
        "hotspot": hotspot if p["hotspot"] != 1 else None,
        "dying": [{"layer": layer, "expert": expert, "first": step, "end": step + p["dying_length"]}
                  for layer, expert, step in p["dying"]],
    }
