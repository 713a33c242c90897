# SPDX-License-Identifier: BSD-3-Clause
"""Finds out whether weights were trained on the very run on which they are evaluated. Steps are compared, not names, so
a copy or an excerpt is recognised as well."""
from __future__ import annotations

import hashlib
from typing import Any, FrozenSet, Iterable

import numpy as np
from numpy.typing import NDArray

EVERY = 1000  # steps between samples: an excerpt that is long enough for an evaluation holds one

# The samples of small16-seed1 and small16-seed2, which the library's weights were trained on.
SHIPPED = frozenset((
    "8c606674 25639f01 80913b58 2d6c5bd1 d171a88e 5975ad3b 931dd19f 9c0d2d5a 3110a8c5 0fd9e156 131c1fa7 2d26045a "
    "1022849f c60f66d0 5032cb49 a8c33fcb 70056bb3 ff6ab020 f3953c55 f74bc010"
).split())


def digests(steps: Iterable[NDArray[Any]]) -> FrozenSet[str]:
    """Hashes of steps (layers, experts) that hold a token: the same for any dtype."""
    return frozenset(hashlib.blake2b(np.ascontiguousarray(step, "<f8").tobytes(), digest_size=4).hexdigest()
                     for step in steps if step.any())


def samples(counts: NDArray[Any]) -> FrozenSet[str]:
    """Hashes of every 1,000th step, by which a run is recognised."""
    return digests(counts[::EVERY])


def shares_steps(counts: NDArray[Any], known: FrozenSet[str]) -> bool:
    """True if a step of counts is among the known ones."""
    return not known.isdisjoint(digests(counts)) if known else False
