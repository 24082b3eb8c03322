"""Values with symbols as text for readers: 110,592·r². Programs read them in the grammar of specs."""

from __future__ import annotations

from typing import Any

from costcalc.dims import is_symbolic


def formula_text(value: Any) -> str:
    """A value or a size as text: `110,592·r²`; one without symbols as it is."""
    if not (is_symbolic(value) and value.free_symbols):
        return str(value)
    from costcalc.analysis.closed_form.printers import Printer

    return Printer().write(value)
