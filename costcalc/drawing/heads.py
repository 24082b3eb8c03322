"""What stands above a picture: its title, in lines that are no wider than it, and its notes."""

from __future__ import annotations

from collections.abc import Sequence

from costcalc.drawing.shapes import Text
from costcalc.drawing.sketch import LINE_SIZE, TITLE_SIZE
from costcalc.drawing.text_widths import text_width

MARGIN = 16.0  # px around a picture
MIN_HEAD_WIDTH = 360.0  # px that lines of a head may take above a narrow picture
SIZE = TITLE_SIZE + 1


def head(title: str, notes: Sequence[str], width: float) -> tuple[list[Text], float, float]:
    """The lines of a head over a picture of a width; the width of both, and the height of the head."""
    room = max(width, MIN_HEAD_WIDTH) - 2 * MARGIN
    lines = [(line, True) for line in _in_lines(title, room, SIZE, True)]
    lines += [(line, False) for note in notes for line in _in_lines(note, room, LINE_SIZE, False)]
    texts, y = [], 2.0
    for line, is_bold in lines:
        y += 17 if is_bold else 15
        texts.append(Text("ink" if is_bold else "fine", line, MARGIN, y, SIZE if is_bold else LINE_SIZE, is_bold))
    widest = max([text_width(t.text, t.size, bold=t.is_bold) for t in texts], default=0.0)
    return texts, round(max(width, widest + 2 * MARGIN), 1), y + 2


def _in_lines(text: str, room: float, size: float, bold: bool) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size, bold=bold) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return [line for line in lines if line]
