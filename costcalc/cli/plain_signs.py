"""Consoles that lack the signs of the field get plain ones: `x` for ×, `/` for ÷, `#` for a bar."""

from __future__ import annotations

import codecs

PLAIN = {
    "×": "x", "÷": "/", "·": "*", "−": "-", "–": "-", "…": "~", "±": "+-", "≤": "<=", "≥": ">=", "≈": "~", "→": "->",
    "⌈": "ceil(", "⌉": ")", "⌊": "floor(", "⌋": ")", "√": "sqrt", "Σ": "sum", "∂": "d", "∞": "inf", "─": "-", "│": "|",
    "├": "|", "└": "`", "∥": "=", "←": "<",
    "φ": "phi", "α": "alpha", "β": "beta", "γ": "gamma", "μ": "mu", "σ": "sigma", "ε": "eps", "λ": "lambda", "é": "e",
    **{sign: f"^{digit}" for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{sign: f"_{digit}" for digit, sign in enumerate("₀₁₂₃₄₅₆₇₈₉")},
    **dict.fromkeys("░▁▏▎", "."), **dict.fromkeys("▒▂▃▍▌", "-"), **dict.fromkeys("▓▄▅▋▊", "+"),
    **dict.fromkeys("█▆▇▉", "#"),
}  # fmt: skip
HANDLER = "costcalc.plain_signs"


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """A plain sign for each that the encoding lacks; of others their number, as `backslashreplace` writes it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    if lacking[0] in PLAIN:
        return PLAIN[lacking[0]], error.start + 1
    return codecs.backslashreplace_errors(
        UnicodeEncodeError(error.encoding, error.object, error.start, error.start + 1, error.reason)
    )


codecs.register_error(HANDLER, _plain)
