# SPDX-License-Identifier: BSD-3-Clause
"""The progress of a long call: reports to the caller, and an end on Ctrl-C."""
from __future__ import annotations

import signal
import threading
from typing import Any, Callable, Optional

from ._structs import Progress

_here = threading.local()  # .listener: this thread's innermost


def _report(_user: Any, fraction: float) -> int:
    listener: Optional[Listener] = getattr(_here, "listener", None)
    return 0 if listener is None else listener.report(fraction)


# The one callback of every handle: the library calls it on the calling thread, and it reports to that thread's
# listener. A handle and its clones keep it for life, so it must never be collected.
CALLBACK = Progress(_report)


class Listener:
    """A context around one long call. An exception must not pass through C. So an exception in `progress`, or Ctrl-C in
    the main thread, cancels the call and is raised when it has returned."""

    def __init__(self, progress: Optional[Callable[[float], Any]]) -> None:
        self._progress = progress
        self._raised: Optional[BaseException] = None
        self._old_handler: Any = None
        self._outer: Optional[Listener] = None

    def report(self, fraction: float) -> int:
        """Call `progress`; 1: cancel."""
        stop = False
        try:
            if self._progress is not None and self._raised is None:
                stop = bool(self._progress(fraction))
        except BaseException as raised:
            self._raised = raised
        return 1 if stop or self._raised is not None else 0

    def _interrupted(self, _signal: int, _frame: Any) -> None:
        self._raised = KeyboardInterrupt()

    def __enter__(self) -> "Listener":
        self._outer, _here.listener = getattr(_here, "listener", None), self
        if (threading.current_thread() is threading.main_thread() and
                signal.getsignal(signal.SIGINT) is signal.default_int_handler):
            self._old_handler = signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(self, *_exception: object) -> None:
        _here.listener = self._outer
        if self._old_handler is not None:
            signal.signal(signal.SIGINT, self._old_handler)
        if self._raised is not None:
            raise self._raised from None
