# SPDX-License-Identifier: BSD-3-Clause
"""Turns names of files, and other text from outside, into text that a page, a message or a terminal can show."""
from __future__ import annotations

import codecs
import os
import re
from typing import Any, Match, Tuple, Union

# Surrogates, except those that stand for the bytes of a name; and characters that would break a line or a page.
_HALVES = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _escaped(found: Match[str]) -> str:
    return found.group().encode("unicode_escape").decode()


def shown(text: Any) -> str:
    """Text or a path as one line of valid UTF-8. The bytes of a name are read as UTF-8 in any locale. Invalid bytes and
    control characters are escaped."""
    text = _HALVES.sub(_escaped, os.fsdecode(text) if isinstance(text, os.PathLike) else str(text))
    return _CONTROLS.sub(_escaped, text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))


def _unchanged(error: UnicodeError) -> Tuple[Union[str, bytes], int]:
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


def take_any_text(stream: Any) -> None:
    """Make a stream write names byte for byte, and escape any other character that it cannot encode."""
    codecs.register_error("moepredict", _unchanged)
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="moepredict")
