"""Fills numbers into sentences: `{macs of vgg16}`, `{params of vgg16, fc6}` of a block, and as a ratio
`{macs of vgg16 / vgg11}`."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

from costcalc.analysis.conventions import read_convention
from costcalc.analysis.cost import Cost
from costcalc.analysis.metrics import METRICS
from costcalc.net import load
from costcalc.pipeline.augmentation import augmentation_of
from costcalc.pipeline.pipeline_library import is_pipeline, load_pipeline
from costcalc.text import times_text

PLACE = re.compile(r"\{([\w+*]+) of ([^{}/]+?)(?: / ([^{}]+))?\}")
SHAPE = "out"


def filled(text: str) -> str:
    """The sentence with its numbers computed."""
    return PLACE.sub(_number, text)


def _number(found: re.Match[str]) -> str:
    metric, target, other = found.groups()
    value = value_of(metric, target)
    if other is None:
        return value if isinstance(value, str) else f"{value:,}"
    return times_text(Fraction(value, value_of(metric, other)))


def value_of(metric: str, target: str) -> Any:
    """A metric, or a sum of metrics, of a network, of `NETWORK, BLOCK` or a pipeline; for `out` the shape as text."""
    name, _, block = target.partition(", ")
    if is_pipeline(name):
        return int(augmentation_of(load_pipeline(name)).total(metric))
    if block:
        return _of_block(_cost(name), metric, block)
    return _cost(name).total(metric) if metric in METRICS else read_convention(metric).total(_cost(name))


def _of_block(cost: Cost, metric: str, block: str) -> Any:
    convention = None if metric == SHAPE else read_convention(metric)
    metrics = convention.metrics if convention else ()
    (found,) = [one for one in cost.fold(block.count(".") + 1, metrics) if one.name == block]
    if convention is None:
        channels, *axes = found.output_shape[1:]
        return "×".join(map(str, (*axes, channels)))
    return convention.of(_getter(found.costs))


def _getter(costs: Any) -> Callable[[str], int]:
    return lambda name: int(costs[name])


@cache
def _cost(name: str) -> Cost:
    return load(name).cost()
