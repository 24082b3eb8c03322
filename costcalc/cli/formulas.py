"""The command about closed forms: formula."""

from __future__ import annotations

from costcalc.cli.options import Target


def formula(target: Target) -> None:
    """The closed form of a cost in every knob."""
