"""Published figures of a pipeline beside ours."""

from __future__ import annotations

from costcalc.analysis.reconcile import Reconciliation, check_figure
from costcalc.dims import is_symbolic
from costcalc.errors import Problem, SpecError, UsageError, did_you_mean
from costcalc.models.knob import Published
from costcalc.pipeline.augmentation import METRICS, Augmentation, augmentation_of
from costcalc.pipeline.pipeline import Pipeline, bind_pipeline
from costcalc.text import value_text


def reconcile_pipeline(pipeline: Pipeline) -> Reconciliation:
    """Every published figure of a pipeline beside ours; if the pipeline sets knobs, only figures at these values.

    Raises SpecError for a figure of a metric or step that does not exist, UsageError for symbols.
    """
    spec = pipeline.spec
    if any(map(is_symbolic, pipeline.values.values())):
        raise UsageError(f"reconcile needs numeric sizes; {pipeline.label} has symbols")
    figures, others = [], []
    for published in spec.published if spec else ():
        assert spec is not None
        at = ",".join(f"{name}={value_text(value)}" for name, value in published.at.items())
        other = bind_pipeline(spec, published.at, spec.name + (f"@{at}" if at else ""))
        wanted = {name: pipeline.values[name] for name in pipeline.settings}
        if not wanted.items() <= dict(other.values).items():
            others.append(other.label)
            continue
        figures.append(check_figure(published, other.label, exact(published, augmentation_of(other))))
    kind = "spec" if spec else "list of steps"
    convention = "\n".join(dict.fromkeys(METRICS[figure.published.metric] for figure in figures))
    others = [*dict.fromkeys(others)]
    return Reconciliation(pipeline.label, pipeline.heading, kind, tuple(figures), tuple(others), (), convention)


def exact(published: Published, found: Augmentation) -> int:
    """Our count. Raises SpecError for an unknown metric or step, and for a count that is continuous."""
    if published.metric not in METRICS:
        hint = did_you_mean(published.metric, METRICS)
        raise SpecError(Problem(published.metric_place, f"unknown metric {published.metric!r}", hint))
    if not published.block:
        return int(found.total(published.metric))
    names = [row.name for row in found.rows]
    if published.block not in names:
        hint = did_you_mean(published.block, names)
        raise SpecError(Problem(published.place, f"no step {published.block!r} in {found.pipeline.label}", hint))
    value = found.of_step(published.block, published.metric)
    if isinstance(value, str):
        raise SpecError(Problem(published.place, f"the {published.metric} of {published.block} are {value}"))
    return int(value)
