# SPDX-License-Identifier: BSD-3-Clause
"""The output of the commands: as a table or JSON, and complete or reported as incomplete."""
from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import sys
from typing import Any, Callable, Dict, Iterator, List

from ._text import shown, take_any_text


# ---- text ----

def _strict(value: Any) -> Any:
    """The value with null for floats that JSON cannot hold."""
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
    """A table of text with fractions as percent."""
    lines = [[name.replace("_", " ") for name in rows[0]]] if rows else []
    lines += [[_cell(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(text.rjust(width) for text, width in zip(line, widths)) for line in lines)


@contextlib.contextmanager
def drawing(command: str) -> Iterator[None]:
    """Around a command's drawing with matplotlib, which may be missing."""
    if "matplotlib" not in sys.modules:
        os.environ["MPLBACKEND"] = "agg"  # the user's may be none that this process can have
    try:
        yield
    except ModuleNotFoundError as error:
        raise SystemExit(f"moepredict {command} draws with matplotlib, which is missing ({error}): apt-get install "
                         f"python3-matplotlib") from None


def print_error(error: Any) -> None:
    """Print an error as one line."""
    if isinstance(error, OSError) and error.filename is not None:
        text = f"{shown(error.filename)}: {error.strerror}"
    else:
        text = shown(error)
    if sys.stderr is not None:
        print(f"moepredict: {text or type(error).__name__}", file=sys.stderr)


def progress_bar() -> Callable[[float], Any]:
    """Draws the fraction done on a terminal, and nothing elsewhere."""
    if sys.stderr is None or not sys.stderr.isatty():
        return lambda fraction: None

    def draw(fraction: float) -> None:
        done = int(50 * fraction)
        sys.stderr.write(f"\r[{'#' * done}{' ' * (50 - done)}] {100 * fraction:3.0f} %")
        if fraction >= 1:
            sys.stderr.write("\r" + " " * 58 + "\r")
        sys.stderr.flush()

    return draw


# ---- delivery ----

def _give_up_output() -> None:
    """Send what is still buffered to nowhere: otherwise it fails again when Python ends, with another message."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _end_as_by_a_closed_pipe() -> int:
    """End by SIGPIPE, as programs do that do not handle it: silently, and the shell can see why."""
    _give_up_output()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGPIPE])
    os.kill(os.getpid(), signal.SIGPIPE)
    return 128 + signal.SIGPIPE


def delivered(command: Callable[[], int]) -> int:
    """Run a command and flush its output; return the exit code. The command handles its own OSErrors, so that any other
    one is an error of the output."""
    if sys.stdout is None:  # it was closed, and print would do nothing
        print_error("cannot write the output: it is closed")
        return 1
    take_any_text(sys.stdout)
    try:
        try:
            return command()
        finally:  # also after a help text, when argparse exits
            sys.stdout.flush()
    except BrokenPipeError:
        return _end_as_by_a_closed_pipe()
    except OSError as error:
        _give_up_output()
        print_error(f"cannot write the output: {error.strerror}")
        return 1
