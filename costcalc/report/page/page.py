"""The page of one network or several: its parts, and the template that they fill.

page("inception_naive", "inception_bottleneck").save("pair.html")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from costcalc.analysis.metric_names import check_not_a_metric, metric_of, read_metrics, why_not_counted
from costcalc.analysis.metrics import USUAL
from costcalc.chart.draw import import_matplotlib
from costcalc.errors import UsageError
from costcalc.files import check
from costcalc.models.model import Model
from costcalc.net import Target, load
from costcalc.report.page.comparison_view import ComparisonView
from costcalc.report.page.network_view import NetworkView, PageOptions
from costcalc.report.page.page_document import Page
from costcalc.report.page.page_template import check_template
from costcalc.report.page.sweep_section import SweepSection

SUFFIXES = (".html", ".htm")
TRAIN_METRICS = (
    "params", "trainable_params", "macs", "train_macs", "train_elementwise", "saved_bytes", "train_peak_bytes",
)  # fmt: skip


def page(
    *targets: Target, by: str | None = None, baseline: str | None = None, depth: int | None = None,
    metrics: Sequence[str] | str | None = None, train: bool = False, every_layer: bool = False,
    algebra: bool | None = None,
) -> Page:  # fmt: skip
    """The page of a network, or of several beside each other: `page("resnet50").save("resnet50.html")`.

    `by` is the metric of drawings, bars and curves, by default the MACs, or the multiplies of a step with `train`; of
    `"macs,params"` the first.
    Raises UsageError for metrics that are no numbers of networks, and what `cost` and `compare` raise.
    """
    first, *more = read_metrics(by, ("train_macs" if train else "macs",))
    shown = (first, *more, *read_metrics(metrics, TRAIN_METRICS if train else USUAL))
    for metric in shown:
        metric_of(metric, unless=why_not_counted)
    models = [*map(load, targets)]
    if not models:
        raise UsageError("a page is about a network or several; name one")
    options = PageOptions(tuple(dict.fromkeys(shown)), first, depth, every_layer, len(models) == 1)
    comparison = ComparisonView.of(models, first, baseline, depth, algebra) if len(models) > 1 else None
    return Page(tuple(NetworkView.of(at, model, options) for at, model in enumerate(models)), options, comparison)


def write_page(
    target: Target | Sequence[Target], path: str | Path, *, presets: str | None = None,
    metrics: Sequence[str] | str | None = None, **axes: Any,
) -> None:  # fmt: skip
    """Writes the HTML page about a network, or about several, given as a list: `write_page("resnet50", "page.html")`.

    With a grid of the knobs, as `r="128:600:8", w=[1, 1.1]`, or `presets`, all or `"b0..b3"`, what a sweep over it
    finds stands there too; `metrics` as in a sweep. Raises UsageError for a network without knobs or too large a grid,
    MissingExtra without jinja2, or without matplotlib for a sweep, OSError, and what a sweep raises.
    """
    targets = target if isinstance(target, (list, tuple)) else [target]
    if not (axes or presets):
        page(*targets, metrics=metrics).save(path)
        return
    if len(targets) > 1:
        raise UsageError("a page with a grid or presets is about one network")
    from costcalc.analysis.sweep.grid import given_axes

    model = load(targets[0])
    sweep_page(model, given_axes(axes, model.knobs, model.name), presets, metrics).save(path)


def sweep_page(
    model: Model, axes: Mapping[str, tuple[Any, ...]] | None = None, presets: str | None = None,
    metrics: Sequence[str] | str | None = None,
) -> Page:  # fmt: skip
    """The page of a network with a sweep over a grid of its knobs, by default over the range of its presets.

    Raises UsageError for a network without knobs or too large a grid, and what a sweep raises.
    """
    shown = read_metrics(metrics)
    for metric in shown:
        metric_of(metric, unless=why_not_counted)
    model.require_knobs("a report")
    model.require_numeric("a report")
    for name in model.size_knobs:
        check_not_a_metric(name)
    SweepSection.check(axes or {})  # before closed forms, which take seconds
    options = PageOptions(shown, "macs", alone=True)
    view = NetworkView.of(0, model, options)
    section = SweepSection.of(model, view.closed, axes or {}, presets, shown)
    return Page((view,), options, None, section)


def check_page(path: Path | str) -> None:
    """Raises, before a page of a sweep is made, what saving it would raise: UsageError for another suffix, MissingExtra
    without jinja2 or matplotlib, OSError."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise UsageError(f"{str(path)!r}: a report is an .html file")
    check_template()
    import_matplotlib()
    check(Path(path))
