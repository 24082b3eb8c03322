"""Checks the networks of a project: their budgets, and what has changed in their costs since a revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from costcalc.analysis.budget_check import Check, check_budgets, with_changes
from costcalc.errors import UsageError
from costcalc.models.model import Model
from costcalc.project.against import Past
from costcalc.project.project import Project
from costcalc.project.project_targets import ProjectTarget


def check_models(
    project: Project, targets: Sequence[ProjectTarget], models: Sequence[Model], budgets: Mapping[str, int],
    past: Past | None = None, metrics: Sequence[str] | str | None = None, units: str | None = None,
) -> Check:  # fmt: skip
    """The budgets of networks, and what has changed since a revision. Raises UsageError without a budget and a
    revision, and for a metric that cannot be counted."""
    limits = project.limits(targets, budgets)
    if past is None and not any(limits):
        hint = "give one, as in --max macs=300M, or in pyproject.toml below [tool.costcalc.budgets]"
        reason = f": {project.why_no_config}" if project.why_no_config else ""
        raise UsageError(f"there is no budget to check{reason}", hint)
    if past is None and metrics is not None:
        raise UsageError("metrics are what is compared; name a revision too, as in --against git:main")
    shown = [_as_written(model, target) for model, target in zip(models, targets)]
    found = check_budgets(shown, limits, [*map(project.file_of, targets)])
    of_file = any(metric not in budgets for own in limits for metric in own)
    source = project.config.file if project.config and of_file else ""
    found = replace(found, units=project.units(units), source=source)
    if past is None:
        return found
    compared = dict.fromkeys([*project.metrics(metrics), *(metric for own in limits for metric in own)])
    return with_changes(found, past.changes([*zip(targets, shown)], tuple(compared)))


def _as_written(model: Model, target: ProjectTarget) -> Model:
    """The model under the name that the reader wrote, with all that is set."""
    return type(model)(model.architecture, model.settings, target.label(model.label), model.dtype, model.step)
