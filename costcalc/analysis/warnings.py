"""Warnings of networks: of one model, and of one at several settings, without duplicates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, product
from typing import Any

from costcalc.analysis.cost import cost_of
from costcalc.errors import CostcalcError, Place, Problem
from costcalc.models.model import Model

MAX_KINDS = 64  # combinations of flags and choices that are checked


def warnings_of(model: Model) -> tuple[Problem, ...]:
    """`Cost.warnings` of a network; none of a model that cannot be built: the analysis reports that error itself."""

    def find() -> tuple[Problem, ...]:
        try:
            return cost_of(model).warnings
        except CostcalcError:
            return ()

    return model.cached("warnings", find)


def warnings_of_models(models: Iterable[Model]) -> tuple[Problem, ...]:
    """The warnings of several settings of one spec, one for each line. Skips models that cannot be built."""
    found: dict[Place | str, Problem] = {}
    for model in models:
        for problem in warnings_of(model):
            found.setdefault(problem.place or problem.layer, problem)
    return tuple(found.values())


def warnings_of_grid(model: Model, axes: Mapping[str, tuple[Any, ...]]) -> tuple[Problem, ...]:
    """The warnings at the points of a grid that `_ends_of` chooses. Cached on the model."""
    points = [*_ends_of(axes)]
    return model.cached(f"warnings at {points}", lambda: warnings_of_models(map(model.at, points)))


def _ends_of(axes: Mapping[str, tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """Every combination of flags and choices, up to MAX_KINDS, with the first value of every number and with the
    last."""
    kinds = {name: values for name, values in axes.items() if isinstance(values[0], bool | str)}
    ends = [{name: values[at] for name, values in axes.items() if name not in kinds} for at in (0, -1)]
    for chosen in islice(product(*kinds.values()), MAX_KINDS):
        for end in ends if ends[0] != ends[1] else ends[:1]:
            yield {**dict(zip(kinds, chosen)), **end}
