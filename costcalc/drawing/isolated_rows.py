"""Nodes without links: they stand in short rows of their own, below all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from costcalc.drawing.x_positions import Extent

MAX_ISOLATED_WIDTH = 300.0  # px, of a row of them; about two boxes


def isolated_rows(widths: Mapping[int, float], gap: float) -> list[list[int]]:
    """Rows of nodes, given the width of each in px. A row has at most `MAX_ISOLATED_WIDTH`, or the width of the widest
    node if that is more."""
    most = max([MAX_ISOLATED_WIDTH, *widths.values()])
    rows: list[list[int]] = []
    width = most
    for node, own in widths.items():
        width += gap + own
        if width > most:
            rows.append([])
            width = own
        rows[-1].append(node)
    return rows


def centre_below(
    rows: Sequence[Sequence[int]], isolated: Sequence[Sequence[int]], extents: Sequence[Extent], x: list[float]
) -> None:
    """Moves isolated rows, the last of all rows, below the middle of the last row above them."""
    above = rows[: len(rows) - len(isolated)]
    if above:
        for row in isolated:
            shift = round(_middle(above[-1], extents, x) - _middle(row, extents, x), 1)
            for node in row:
                x[node] += shift


def _middle(row: Sequence[int], extents: Sequence[Extent], x: Sequence[float]) -> float:
    left = min(x[node] - extents[node].left for node in row)
    return (left + max(x[node] + extents[node].right for node in row)) / 2
