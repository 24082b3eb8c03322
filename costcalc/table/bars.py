"""Bars of block characters beside shares: where a table has room for them, and how long they are."""

from __future__ import annotations

import re

BAR_WIDTH = 10  # characters of a bar beside a share
MIN_OPTIONAL_BAR = 6  # of one that a table has where there is room; a narrow table has none
MIN_REQUIRED_BAR = 3  # of one that a table has everywhere
SIGNS = " ▏▎▍▌▋▊▉"  # eighths of a character
FULL = "█"
SHARE = re.compile(r"(\d{1,3}\.\d) %")


def has_bar(text: str) -> bool:
    """Is this the text of a share from 0 to 100 %, or of none?"""
    found = SHARE.fullmatch(text)
    return text in ("", "< 0.1 %") or (found is not None and float(found[1]) <= 100)


def bar(text: str, width: int) -> str:
    """The bar of a share in `width` characters, of which the whole network fills all; empty for a text that is none."""
    found = SHARE.fullmatch(text)
    eighths = round(float(found[1]) * 8 * width / 100) if found else 0
    drawn = FULL * (eighths // 8) + SIGNS[eighths % 8]
    return drawn.rstrip().ljust(width)


def room_for_bar(spare: int, least: int) -> int:
    """The width of a bar with a space behind it in `spare` characters; 0 if these are too few for the least bar."""
    return min(BAR_WIDTH, spare - 1) if spare > least else 0
