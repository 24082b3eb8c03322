"""Annotations of GitHub Actions: lines of output that the site shows beside a file."""

from __future__ import annotations

from costcalc.table import visible


def annotation(level: str, message: str, file: str = "", title: str = "") -> str:
    """`::error file=net.yaml,line=1,title=macs over budget::net.yaml: …`; levels are error, warning and notice.

    Signs that would end the message or a property are written as %0A, %3A and %2C.
    """
    about = {"file": file, "line": "1" if file else "", "title": title}
    given = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in about.items() if value)
    return f"::{level}{' ' * bool(given)}{given}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    """The text on one line, without the signs that the runner reads."""
    lines = "\n".join(map(visible, text.split("\n")))
    return "".join(f"%{ord(sign):02X}" if sign in f"%\r\n{more}" else sign for sign in lines)
