# SPDX-License-Identifier: BSD-3-Clause
"""What the commands print, for people and for machines; and that it arrives."""
from __future__ import annotations

import json
import math
import os
import signal
import sys
from typing import Any, Callable, Dict, List

from ._text import shown, take_any_text


# ---- text ----

def _strict(value: Any) -> Any:
    """What JSON has no number for is null."""
    if isinstance(value, dict):
        return {name: _strict(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_json(value: Any) -> str:
    return json.dumps(_strict(value), indent=1, allow_nan=False)


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.2f} %"


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return _percent(value) if isinstance(value, float) else str(value)


def as_table(rows: List[Dict[str, Any]]) -> str:
    """Fractions as percent."""
    lines = [[name.replace("_", " ") for name in rows[0]]] if rows else []
    lines += [[_cell(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(text.rjust(width) for text, width in zip(line, widths)) for line in lines)


def print_error(error: Any) -> None:
    """In one line."""
    if isinstance(error, OSError) and error.filename is not None:
        text = f"{shown(error.filename)}: {error.strerror}"
    else:
        text = shown(error)
    if sys.stderr is not None:
        print(f"moepredict: {text or type(error).__name__}", file=sys.stderr)


# ---- its way ----

def _give_up_output() -> None:
    """What is still buffered would fail again when Python ends, with a message of its own."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _end_as_by_a_closed_pipe() -> int:
    """Quietly, and so that the caller's shell knows: as programs end that leave SIGPIPE alone."""
    _give_up_output()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGPIPE])
    os.kill(os.getpid(), signal.SIGPIPE)
    return 128 + signal.SIGPIPE


def delivered(command: Callable[[], int]) -> int:
    """The exit code of a command, once all that it printed has been taken. Its own OSErrors do not leave it: those that do
    are the output's."""
    if sys.stdout is None:  # Python's word for a closed one; print says nothing then
        print_error("cannot write the output: it is closed")
        return 1
    take_any_text(sys.stdout)
    try:
        try:
            return command()
        finally:  # of a help text too, after which argparse exits
            sys.stdout.flush()
    except BrokenPipeError:
        return _end_as_by_a_closed_pipe()
    except OSError as error:
        _give_up_output()
        print_error(f"cannot write the output: {error.strerror}")
        return 1
