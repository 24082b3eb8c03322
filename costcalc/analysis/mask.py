"""Which points of a sweep are networks: a layer graph on columns is valid at some points and not at others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from costcalc.dims import Size, first_failure, is_array
from costcalc.graph import Graph
from costcalc.ops.base import check
from costcalc.ops.needs import Need


class Mask:
    """At which points of columns a graph is valid, and what is wrong at the first that it is not. Some are known to be
    invalid since it was bound."""

    def __init__(self, graph: Graph | None = None) -> None:
        known = graph.graph if graph is not None else {}
        self.valid: Any = known.get("valid", True)  # or an array of truths
        self.idle: Any = False  # where the layers that are asked stand in no copy
        self.reason: str = known.get("invalid_because", "")

    def allow(self, needs: Iterable[Need]) -> list[Need]:
        """What letters leave open; a column that fails somewhere is noted. Raises ShapeError for a number."""
        needs = [*needs]
        valid, assumed = check(needs)
        if valid is not True and not (valid | self.idle).all():
            self.valid = self.valid & (valid | self.idle)
            if not self.reason:
                need = next(n for n in needs if is_array(n.truth) and not (n.truth | self.idle).all())
                self.reason = need.sentence(first_failure(need.truth | self.idle, need.message_sizes))
        return assumed

    @contextmanager
    def repeated(self, times: Size) -> Iterator[None]:
        """What a body needs matters only where it is repeated at all."""
        before = self.idle
        self.idle = before | (times == 0) if is_array(times) else before
        yield
        self.idle = before
