"""One network of a page: its numbers, drawings, blocks, formulas and published figures, and what sliders move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from costcalc.analysis.cost import Cost, cost_of
from costcalc.analysis.fold import layers_text
from costcalc.analysis.metric_names import why_no_formula
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.reconcile import reconcile_model
from costcalc.errors import CostcalcError, UsageError
from costcalc.models.model import Model
from costcalc.report.page.block_bars import BlockBars
from costcalc.report.page.closed_forms import ClosedForms, closed_forms
from costcalc.report.page.exact_texts import plain_text
from costcalc.report.page.formula_mathml import FormulaMathML, formula_mathml
from costcalc.report.page.javascript import function, predicates
from costcalc.report.page.moving_texts import Sizes
from costcalc.report.page.network_parts import NetworkParts
from costcalc.report.page.page_drawings import (
    Movable,
    PageDrawing,
    drawing_name,
    drawn,
    numbers_of,
    sketches,
    static,
)
from costcalc.table import Table
from costcalc.text import plural

MAX_LAYERS = 5_000  # of a network; in a page of 1 MB there is no room for more
MAX_TABLE_ROWS = 300
MAX_OPEN_ROWS = 60  # of the table of a network alone; more are folded up


@dataclass(frozen=True)
class PageOptions:
    """What a page is to show of each network."""

    metrics: tuple[str, ...]
    by: str = "macs"
    depth: int | None = None
    every_layer: bool = False
    alone: bool = False  # one network


@dataclass(frozen=True, eq=False)
class NetworkView:
    """A network on a page. Without closed forms `why_not` says why."""

    number: int
    model: Model
    cost: Cost
    options: PageOptions
    closed: ClosedForms | None
    why_not: str
    sizes: Sizes = field(default_factory=Sizes)

    @classmethod
    def of(cls, number: int, model: Model, options: PageOptions) -> NetworkView:
        """A network with what it costs and, if it has knobs, its closed forms. Raises UsageError for one of very many
        layers, whose page would be too large."""
        metrics = tuple(dict.fromkeys((*options.metrics, options.by)))
        cost = cost_of(model)
        if (many := len(cost.layers)) > MAX_LAYERS:
            hint = "`costcalc show NET -o net.svg` folds any number"
            raise UsageError(f"a page shows at most {MAX_LAYERS:,} layers, and {model.label} has {many:,}", hint)
        try:
            closed, why_not = closed_forms(model, metrics, with_law=options.alone), ""
        except CostcalcError as error:
            closed, why_not = None, str(error)
        return cls(number, model, cost, options, closed, why_not)

    # --- its numbers

    def total(self, metric: str) -> Any:
        """The value of a metric as the network is set; None for one that symbols have not."""
        try:
            return self.cost.total(metric)
        except CostcalcError:
            return None

    def without_form(self) -> list[str]:
        """Why some of the metrics do not move."""
        return [f"{METRICS[m].title} {why}" for m in self.options.metrics if (why := why_no_formula(METRICS[m]))]

    # --- its drawings

    @cached_property
    def _sketches(self) -> Any:
        found, shown = sketches(self.cost, self.options.by, self.options.depth, self.options.every_layer)
        return found, shown if self.options.alone else 0  # beside others each has little room

    @cached_property
    def _parts(self) -> tuple[NetworkParts | None, str]:
        """The groups of layers that move; or none, and why."""
        if self.closed is None:
            return None, ""
        try:
            parts = NetworkParts.of(self.cost, self.closed.rows, self._sketches[0][-1])
            self.closed.of_rows(self.options.by)
            return parts, ""
        except CostcalcError as error:
            return None, str(error)

    @property
    def parts(self) -> NetworkParts | None:
        """The groups of layers that move, if they do."""
        return self._parts[0]

    @property
    def why_still(self) -> str:
        """Why the drawing and the bars do not move, if the numbers do."""
        return self._parts[1]

    @cached_property
    def drawings(self) -> list[PageDrawing]:
        """The drawings of the few depths, coarse ones first."""
        found, shown = self._sketches
        movable = Movable(self.cost, self.options.by, self.parts, self.sizes) if self.parts else None
        make = movable.of if movable else static
        return [
            make(drawn(sketch, self.cost, columns=self.options.alone), drawing_name(sketch), f"d{self.number}-{at}",
                 at == shown)
            for at, sketch in enumerate(found)
        ]  # fmt: skip

    @property
    def is_large(self) -> bool:
        """Is the drawing that is shown too large for the first sheet of paper?"""
        return any(drawing.is_large for drawing in self.drawings if drawing.is_shown)

    # --- where the cost is

    @cached_property
    def bars(self) -> BlockBars:
        """The blocks of depth 1 that cost something."""
        return BlockBars.of(self.cost, self.options.by, self.total(self.options.by), self.parts)

    # --- its texts

    @cached_property
    def table(self) -> Table | None:
        """The layers, or the deepest blocks of which a page has room for the rows; None if it has for none."""
        depth = self.options.depth
        if depth is None and len(self.cost.layers) > MAX_TABLE_ROWS:
            depths = range(1, max(str(row.name).count(".") for row in self.cost.layers) + 2)
            fits = [depth for depth in depths if len(self.cost.fold(depth)) <= MAX_TABLE_ROWS]
            if not fits:
                return None
            depth = max(fits)
        return self.cost.table(depth)

    @property
    def is_table_open(self) -> bool:
        """Is its table short enough to be seen at once?"""
        return self.options.alone and self.table is not None and len(self.table.rows) <= MAX_OPEN_ROWS

    @property
    def table_words(self) -> str:
        """`41 layers`, and how they are folded."""
        written = sum(not row.op.is_input for row in self.cost.layers)
        rows = len(self.table.rows) if self.table else written
        folded = f" in {plural(rows, 'block')}" if rows < written else ""
        return f"{layers_text(self.cost.layers)}{folded}"

    @cached_property
    def formulas(self) -> list[FormulaMathML]:
        """The closed forms as MathML."""
        return [formula_mathml(formula) for formula in self.closed.formulas] if self.closed else []

    @cached_property
    def published(self) -> list[Table]:
        """The published figures beside ours, if there are any."""
        if not self.model.published or self.closed is None:
            return []
        found = reconcile_model(self.model)
        return found.tables() if found.figures else []

    def preset_tables(self) -> list[Table]:
        """The presets side by side."""
        if not self.model.presets or self.closed is None:
            return []
        from costcalc.analysis.scaling.presets import sweep_presets

        return sweep_presets(self.model, "all").tables()

    # --- what the page's script reads

    def code(self, places: Mapping[Any, int]) -> str:
        """The closed forms as an object of JavaScript; the knobs of the symbols stand at these places."""
        if self.closed is None:
            return "null"
        _ = self.drawings  # they number the symbolic sizes in their texts
        parts = self.parts
        values = [value for m in numbers_of(self.options.by) for value in parts.values(self.closed, m)] if parts else []
        headline = self.closed.metrics.get(self.options.by)
        functions = {
            "totals": function([*self.closed.metrics.values()], places),
            "headline": function([headline], places) if headline is not None else "null",
            "values": function(values, places),
            "sizes": function([*self.sizes.numbers], places),
            "conditions": predicates(self.closed.conditions, places),
        }
        return "{\n" + "".join(f"{name}: {text},\n" for name, text in functions.items()) + "}"

    def data(self, shown: Sequence[str]) -> dict[str, Any]:
        """The messages of conditions, the parts of drawings and bars, and the totals as the network is set."""
        moving = [*self.closed.metrics] if self.closed else []
        return {
            "label": self.model.label,
            "base": [plain_text(self.total(m if m in METRICS else "macs")) for m in shown],
            "places": [moving.index(m) if m in moving else None for m in shown],
            "conditions": [
                {"words": c.message, "texts": [size if isinstance(size, str) else None for size in c.sizes],
                 "is_of_import": c.is_of_import}
                for c in (self.closed.conditions if self.closed else ())
            ],
            "groups": len(self.parts.groups) if self.parts else 0,
            "bars": [bar.groups for bar in self.bars.bars],
            "drawings": [drawing.data() for drawing in self.drawings] if self.parts else [],
        }  # fmt: skip
