"""Errors on stderr: one message, without a traceback unless it is a bug of ours."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

from costcalc.errors import did_you_mean, shorten


def print_error(text: str, code: int) -> int:
    """Prints an error to stderr, its later lines indented, and returns the exit code."""
    from costcalc.table import visible

    with contextlib.suppress(OSError, AttributeError):  # earlier output comes first
        sys.stdout.flush()
    print("\n       ".join(visible(line) for line in text.split("\n")), file=sys.stderr)
    return code


def discard_output(code: int) -> int:
    """Discards all further output to a stdout that is full or closed, because Python would print an error at exit."""
    with contextlib.suppress(OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def print_usage_error(error: Any) -> int:
    """Prints typer's error about an option or argument that does not exist, is missing or has a wrong value."""
    context = getattr(error, "ctx", None)
    message = " ".join(error.format_message().rstrip(".").splitlines()) or "this is not understood"
    if hasattr(error, "possibilities") and context:
        known = [
            name for parameter in context.command.get_params(context) for name in parameter.opts if name[:2] == "--"
        ]
        hint = did_you_mean(error.option_name, known)
        message = f"unknown option {shorten(error.option_name)!r}" + (f"; {hint}" if hint else "")
    more = f"\nsee `{context.command_path} --help`" if context else ""
    return print_error(f"error: {message[:1].lower()}{message[1:]}{more}", 2)


def traceback_text(error: BaseException) -> str:
    """As Python prints it."""
    import traceback

    return "".join(traceback.format_exception(error))


def print_bug(error: Exception) -> int:
    """Prints the traceback of a bug of ours."""
    said = "this is a bug in costcalc; please report it with the text above"
    return print_error(f"{traceback_text(error)}error: {said}", 70)
