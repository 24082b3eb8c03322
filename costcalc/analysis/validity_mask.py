"""The valid points of a sweep: a layer graph whose sizes are arrays may be valid at some points only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from costcalc.dims import Size, first_failure, is_array
from costcalc.graph import Graph
from costcalc.ops.check_needs import check
from costcalc.ops.needs import Need


class ValidityMask:
    """The points at which a graph is valid, and the reason at the first invalid point; at first as binding found
    them."""

    def __init__(self, graph: Graph | None = None) -> None:
        known = graph.graph if graph is not None else {}
        self.valid: Any = known.get("valid", True)  # or a bool array
        self.absent: Any = False  # where the body that is walked is repeated 0 times
        self.reason: str = known.get("invalid_because", "")

    def check(self, needs: Iterable[Need]) -> list[Need]:
        """Returns the needs that symbols leave undecided and masks the points where arrays fail. Raises ShapeError
        where a number fails."""
        needs = [*needs]
        valid, assumed = check(needs)
        if valid is not True and not (valid | self.absent).all():
            self.valid = self.valid & (valid | self.absent)
            if not self.reason:
                need = next(n for n in needs if is_array(n.truth) and not (n.truth | self.absent).all())
                self.reason = need.sentence(first_failure(need.truth | self.absent, need.message_sizes))
        return assumed

    @contextmanager
    def inside_repeat(self, times: Size) -> Iterator[None]:
        """Ignores needs at the points where the body is repeated 0 times."""
        before = self.absent
        self.absent = before | (times == 0) if is_array(times) else before
        yield
        self.absent = before
