# SPDX-License-Identifier: BSD-3-Clause
"""The progress of a long call: told to the caller, and an end to it on Ctrl-C."""
from __future__ import annotations

import signal
import threading
from typing import Any, Callable, Optional

from ._structs import Progress

_here = threading.local()  # .listener: this thread's innermost


def _tell(_user, fraction: float) -> int:
    listener = getattr(_here, "listener", None)
    return 0 if listener is None else listener.tell(fraction)


# The one callback of every handle: the library calls it on the thread that called, whose listener hears of it. A handle and
# its clones keep it for life, so it must never be collected.
CALLBACK = Progress(_tell)


class Listener:
    """Around one long call. An exception may not pass through C: one in `progress`, and Ctrl-C in the main thread, cancel
    the call and are raised when it has returned."""

    def __init__(self, progress: Optional[Callable[[float], Any]]):
        self._progress = progress
        self._raised: Optional[BaseException] = None
        self._old_handler: Any = None
        self._outer: Optional[Listener] = None

    def tell(self, fraction: float) -> int:
        stop = False
        try:
            if self._progress is not None and self._raised is None:
                stop = bool(self._progress(fraction))
        except BaseException as raised:
            self._raised = raised
        return 1 if stop or self._raised is not None else 0

    def _interrupted(self, _signal, _frame) -> None:
        self._raised = KeyboardInterrupt()

    def __enter__(self) -> "Listener":
        self._outer, _here.listener = getattr(_here, "listener", None), self
        if (threading.current_thread() is threading.main_thread() and
                signal.getsignal(signal.SIGINT) is signal.default_int_handler):
            self._old_handler = signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(self, *_exception: Any) -> None:
        _here.listener = self._outer
        if self._old_handler is not None:
            signal.signal(signal.SIGINT, self._old_handler)
        if self._raised is not None:
            raise self._raised from None
