"""A page as a document: its networks, their comparison, its sliders, and the template that they fill."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from costcalc.analysis.metric_notes import training_note
from costcalc.analysis.metrics import IN_BYTES, METRICS
from costcalc.errors import Problem, UsageError
from costcalc.files import write
from costcalc.report.page.comparison_view import ComparisonView, Even
from costcalc.report.page.knob_plots import KnobCurves, KnobMap
from costcalc.report.page.network_view import NetworkView, PageOptions
from costcalc.report.page.page_drawings import DARK, numbers_of
from costcalc.report.page.page_numbers import LAW, number_rows
from costcalc.report.page.page_plots import caption_of_curve, caption_of_map, chosen, curves_of, maps_of
from costcalc.report.page.page_template import HERE, page_template
from costcalc.report.page.shared_sliders import Slider, named_settings, shared_sliders
from costcalc.report.page.sweep_section import SweepSection
from costcalc.report.page.unreached_presets import PlaceInSite, UnreachedPresets
from costcalc.table import CONVENTION, Table
from costcalc.text import equations_text, listed, value_text
from costcalc.version import __version__

MAX_BYTES = 1_000_000  # of a page


@dataclass(frozen=True, eq=False)
class Page:
    """Networks on a page, their comparison if there are several, and a sweep if there is one; and its place in a
    site."""

    views: tuple[NetworkView, ...]
    options: PageOptions
    comparison: ComparisonView | None = None
    swept: SweepSection | None = None
    place: PlaceInSite | None = None

    def html(self) -> str:
        """The page as text. Raises MissingExtra without jinja2, UsageError for a page that is too large."""
        text = str(page_template().render(self.parts()))
        if (size := len(text.encode())) > MAX_BYTES:
            raise UsageError(self._too_large(size))
        return text

    def save(self, path: Path | str) -> None:
        """Writes the page, all of it or nothing. Raises OSError."""
        write(Path(path), self.html())

    def _repr_html_(self) -> str:
        """A notebook's view: the page in a frame of its own."""
        from html import escape

        return f'<iframe srcdoc="{escape(self.html())}" sandbox="allow-scripts" width="100%" height="700"></iframe>'

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics of the page, that of its drawings first."""
        return tuple(dict.fromkeys((self.options.by, *self.options.metrics)))

    @property
    def alone(self) -> NetworkView | None:
        """The network, if there is one alone."""
        return self.views[0] if len(self.views) == 1 else None

    @cached_property
    def sliders(self) -> list[Slider]:
        """One for each knob, shared by networks that have it at the same value."""
        reach = self.comparison.reach if self.comparison else {}
        found = shared_sliders([view.closed for view in self.views], reach)
        return sorted(found, key=lambda slider: slider.name not in reach)  # where two cost the same comes first

    @cached_property
    def _rows(self) -> tuple[str, ...]:
        """The metrics of the table of numbers; with the MACs by the power law."""
        alone = self.alone
        law = (LAW,) if alone and alone.closed and "law" in alone.closed.metrics else ()
        return (*self.metrics, *law)

    # --- the parts of the template

    def parts(self) -> dict[str, Any]:
        """The variables of the template."""
        script, rows = self.script(), number_rows(self._rows, self.views, self.comparison)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        return {
            "page": self, "views": self.views, "alone": self.alone, "comparison": self.comparison,
            "swept": self.swept, "version": __version__, "convention": CONVENTION, "by": METRICS[self.options.by],
            "names": [view.model.label for view in self.views], "css": self.css(), "script": script,
            "digest": digest, "data": self.data() if self.sliders else None,
            "numbers": rows,
            "warnings": self.warnings, "counts": self.counts(), "curves": self.curves, "maps": self.maps,
            "captions": (caption_of_curve, caption_of_map), "evens": self.evens, "fixed": self.fixed(),
            "sliders": self.sliders, "unreached": self.unreached, "listed": listed,
            "links": self.place.links if self.place else (), "is_large": any(view.is_large for view in self.views),
            "has_about": bool(self.sliders) or any(cell.about for row in rows for cell in row.cells),
        }  # fmt: skip

    def css(self) -> str:
        """The style sheet, with the colours of drawings on a dark page."""
        text = (HERE / "page.css").read_text(encoding="utf-8").replace("/*drawings*/", DARK)
        ids = [drawing.id for view in self.views for drawing in view.drawings if len(view.drawings) > 1]
        return text + "".join(
            f".net:has([value={id}]:checked) [data-drawing={id}] {{ display: block; }}\n" for id in ids
        )

    def script(self) -> str:
        """The one script of the page."""
        drawings = [*map(_source, ("boxes", "narrow"))]
        if not self.sliders:
            return "\n".join(drawings)
        exact, plots, own, curves = map(_source, ("exact", "plots", "page", "curves"))
        codes = [view.code(self._places(view)) for view in self.views]
        even = self.comparison.code(self.sliders) if self.comparison else "null"
        code = f"const networks = [{', '.join(codes)}];\nconst evens = {even};"
        return "\n".join([exact, code, plots, own, curves, *drawings])

    def _places(self, view: NetworkView) -> dict[Any, int]:
        """The places of the symbols of a network's knobs among the sliders."""
        known = view.closed.symbols if view.closed else {}
        return {known[s.name]: at for at, s in enumerate(self.sliders) if view.number in s.owners}

    def data(self) -> dict[str, Any]:
        """What the script reads."""
        start = self.alone.model.label if self.alone else "as they are set"
        forms = [view.closed for view in self.views]
        by = METRICS[self.options.by]
        base = self.comparison.comparison.baseline if self.comparison else 0
        return {
            "knobs": [slider.data() for slider in self.sliders],
            "settings": [*named_settings(forms, self.sliders, start)],
            "metrics": [{"bytes": name in METRICS and METRICS[name].unit == "bytes"} for name in self._rows],
            "by": {"title": by.title, "bytes": by.unit == "bytes", "at": self._rows.index(self.options.by)},
            "numbers": [METRICS[name].title for name in numbers_of(self.options.by)],
            "baseline": base,
            "networks": [view.data(self._rows) for view in self.views],
            "curves": [{"slider": at, "at": texts} for at, texts, _ in self.curves],
            "maps": [{"sliders": [x, y], "at": texts} for x, y, texts, _ in self.maps],
            "evens": [even.place for even in self.evens],
        }  # fmt: skip

    @cached_property
    def curves(self) -> list[tuple[int, list[str], KnobCurves]]:
        """Curves along knobs: the place of the slider, the exact values, and the curve."""
        axes: Mapping[str, Sequence[Any]] = self.swept.axes if self.swept else {}
        return [
            (at, texts, curve)
            for number, at in enumerate(self._chosen)
            for texts, curve in curves_of(number, at, self.views, self.sliders, self.options.by, axes, self.comparison)
        ]

    @cached_property
    def _chosen(self) -> list[int]:
        axes: Mapping[str, Sequence[Any]] = self.swept.axes if self.swept else {}
        first = [*self.comparison.reach] if self.comparison else []
        return chosen(self.views, self.sliders, axes, first)

    @cached_property
    def maps(self) -> list[tuple[int, int, list[list[str]], KnobMap]]:
        """Maps over two knobs of one network: the places of the sliders, the exact values, and the map."""
        axes: Mapping[str, Sequence[Any]] = self.swept.axes if self.swept else {}
        return [*maps_of(self.alone, self.sliders, self._chosen, axes)] if self.alone else []

    @property
    def unreached(self) -> UnreachedPresets | None:
        """The presets of a network alone that its sliders do not reach, if there are any."""
        closed = self.alone.closed if self.alone else None
        found = UnreachedPresets(closed, self.place or PlaceInSite()) if closed else None
        return found if found and found.groups else None

    @cached_property
    def evens(self) -> list[Even]:
        """Where two networks cost the same."""
        return self.comparison.evens(self.sliders) if self.comparison else []

    @property
    def largest_bar(self) -> Any:
        """The most that a block costs."""
        return max((view.bars.largest for view in self.views), default=0)

    @property
    def without_sliders(self) -> list[str]:
        """Why networks have no sliders."""
        return [
            f"{'' if self.alone else f'{view.model.label}: '}No sliders: {view.why_not}"
            for view in self.views if view.closed is None
        ]  # fmt: skip

    @cached_property
    def published(self) -> list[Table]:
        """The published figures of the networks beside ours, and the reasons."""
        return [table for view in self.views for table in view.published]

    @cached_property
    def preset_tables(self) -> list[Table]:
        """The presets side by side, of one network."""
        if self.swept:
            return self.swept.presets.tables() if self.swept.presets else []
        return self.alone.preset_tables() if self.alone else []

    def fixed(self) -> str:
        """The settings of the knobs without a slider."""
        said = []
        for view in self.views:
            moved = view.closed.knobs if view.closed else ()
            if settings := equations_text(view.model.values_but(moved)):
                said.append(settings if self.alone else f"{view.model.label}: {settings}")
        return "; ".join(said)

    def as_set(self) -> str:
        """`b = 16, n2 of resnet18 = 2`: where the sliders stand at first."""
        return ", ".join(
            f"{slider.name}{f' of {slider.whose}' if slider.whose else ''} = {value_text(slider.value)}"
            for slider in self.sliders
        )

    def counts(self) -> list[str]:
        """What the metrics in bytes count, and in which dtype; and how a step of training is taken."""
        model = self.views[0].model
        shown = (METRICS[name] for name in self.metrics if name in IN_BYTES)
        in_bytes = [f"{metric.title}: {metric.counts}, {model.dtype.words}" for metric in shown]
        return [*in_bytes, *training_note(self.metrics, model.step)]

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings of the networks, the grid and the presets; one for each line of a spec."""
        every = [*(self.swept.warnings if self.swept else ()), *(w for view in self.views for w in view.cost.warnings)]
        return tuple({problem.place or problem.message: problem for problem in reversed(every)}.values())[::-1]

    def _too_large(self, size: int) -> str:
        """The message about a page that is too large: its largest part, and how to fold it."""
        svg = sum(len(drawing.svg) for view in self.views for drawing in view.drawings)
        parts = {
            "the drawings": svg, "the script of the sliders": len(self.script()),
            "the tables of layers": sum(map(_table_size, self.views)),
            "the formulas": sum(len(str(formula)) for view in self.views for formula in view.formulas),
        }  # fmt: skip
        most = max(parts, key=parts.__getitem__)
        how = "fold the network with --depth 1" if self.options.depth != 1 else "show a part of it"
        return f"the page has {size:,} bytes and at most {MAX_BYTES:,}: most of it is {most}; {how}"


def _source(name: str) -> str:
    """A part of the script."""
    return (HERE / f"{name}.js").read_text(encoding="utf-8")


def _table_size(view: NetworkView) -> int:
    """About how many bytes the table of layers has."""
    return sum(len(str(view.table.texts(row))) + 40 * len(row) for row in view.table.rows) if view.table else 0
