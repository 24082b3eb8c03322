"""The strategies of transfer learning side by side.

costcalc.transfer("vgg16", classes=3, images=5000, epochs=20).table()
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from costcalc.analysis.transfer.in_seconds import Rates, Seconds, first_cheaper, seconds_of
from costcalc.analysis.transfer.plan import Plan
from costcalc.analysis.transfer.strategies import ALL, FEATURES, FREEZE, HEAD, Strategy
from costcalc.analysis.warnings import warnings_of
from costcalc.errors import Problem, unknown
from costcalc.result import RowsResult
from costcalc.table import COUNT, FOOTER, Column, Table
from costcalc.text import knobs_note, plural

COLUMNS = (
    Column("strategy", "strategy", "text"),
    Column("trainable_params", "trainable", measure=COUNT),
    Column("frozen_params", "frozen", "int", 4, COUNT),
    Column("step_macs", "MACs a step", "int", 3, COUNT),
    Column("epoch_macs", "an epoch", "int", 5, COUNT),
    Column("macs", "MACs in all", measure=COUNT),
    Column("step_bytes", "step memory", "bytes", 1),
    Column("largest_batch", "largest batch", "int", 1),
    Column("disk_bytes", "on disk", "bytes", 2),
    Column("milliseconds", "ms a step", "brief", 1),
    Column("low", "95 % from", "brief", 6),
    Column("high", "to", "brief", 6),
    Column("seconds", "s in all", "brief", 1),
)


@dataclass(frozen=True, eq=False, repr=False)
class Transfer(RowsResult):
    """The strategies of transfer learning for a network, `missing` the reasons why it lacks others."""

    plan: Plan
    strategies: tuple[Strategy, ...]
    missing: tuple[str, ...] = ()
    within: int | None = None
    rates: Rates | None = None

    def strategy(self, key: str) -> Strategy:
        """The strategy of a key: head, features, freeze, all or adapters. Raises UnknownName without it."""
        known = {one.key: one for one in self.strategies}
        if key not in known:
            raise unknown("strategy", str(key), known)
        return known[key]

    @property
    def seconds(self) -> dict[str, Seconds]:
        """The seconds of each strategy that was timed, by its key; empty without rates."""
        rates = self.rates
        found = {} if rates is None else {one.key: seconds_of(self.plan, one, rates) for one in self.strategies}
        return {key: seconds for key, seconds in found.items() if seconds is not None}

    @property
    def break_even_epochs(self) -> int | None:
        """The epoch from which on kept features take fewer seconds than training the head on images; None without one,
        or without rates."""
        kept, head = (self.seconds.get(key) for key in (FEATURES, HEAD))
        return None if kept is None or head is None else first_cheaper(kept.once, kept.epoch, head.epoch)[1]

    @property
    def rows(self) -> tuple[dict[str, Any], ...]:  # type: ignore[override]
        """A record of each strategy."""
        return tuple(map(self._row, self.strategies))

    def _row(self, one: Strategy) -> dict[str, Any]:
        row: dict[str, Any] = {
            "key": one.key, "strategy": one.title, "trainable_params": one.trainable_params,
            "frozen_params": one.frozen_params, "step_macs": one.step_macs, "epoch_macs": one.epoch_macs,
            "once_macs": one.once_macs, "macs": one.macs(self.plan.epochs), "step_bytes": one.step_bytes,
            "disk_bytes": one.disk_bytes,
        }  # fmt: skip
        if self.within is not None:
            row |= {"largest_batch": one.largest_batch, "looked_to": one.looked_to}
        if self.rates is not None:
            seconds = self.seconds.get(one.key)
            row |= {"step_seconds": self.rates.step_seconds.get(one.key)}
            row |= {"seconds": seconds and seconds.of(self.plan.epochs)}
            if self.rates.intervals is not None:
                interval = self.rates.intervals.get(one.key, (None, None))
                row["step_seconds_low"], row["step_seconds_high"] = interval
        return row

    def table(self) -> Table:
        """A row for each strategy."""
        names = {"milliseconds": "step_seconds", "low": "step_seconds_low", "high": "step_seconds_high"}
        rows = []
        for row in self.rows:
            times = {key: 1000 * row[name] for key, name in names.items() if row.get(name) is not None}
            rows.append({**row, **times, "disk_bytes": row["disk_bytes"] or None})
        asked = {"largest_batch"} if self.within is not None else set()
        asked |= {"seconds"} if self.rates is not None else set()
        columns = [
            replace(column, rank=0 if column.key in asked else 2 if column.key == "macs" and asked else column.rank)
            for column in COLUMNS
            if any(column.key in row for row in rows)
        ]
        return Table(self.plan.model.heading, columns, rows, None, self.notes())

    def notes(self) -> list[str]:
        """What is trained, from which epoch on a strategy costs less, and what the numbers count."""
        plan = self.plan
        return [
            *self._about_the_head(), *self._unfrozen(), *self.missing, *self._without_limit(),
            *self._which_costs_less(), *self._in_seconds(),
            f"{plural(plan.images, 'image')}, {plural(plan.epochs, 'epoch')}, batch {plan.batch}: "
            f"{plural(plan.steps, 'step')} an epoch; {plan.model.step.optimizer}; frozen batch "
            "normalisation runs as at inference",
            f"bytes {plan.model.dtype.words}; step memory: the most held at once in a training step",
            *knobs_note(plan.model.values), FOOTER,
        ]  # fmt: skip

    def _about_the_head(self) -> list[str]:
        plan = self.plan
        reads = f"reads {plural(plan.feature_elements, 'number')} an image, {plural(plan.image_bytes, 'byte')}"
        new = f"; {plan.last_linear} has {plural(plan.classes, 'class', 'classes')} now" if plan.last_linear else ""
        views = plural(plan.views, "view")
        return [
            f"the head, from {plan.head} on, {reads}{new}",
            f"kept features: {views} of each image, computed once ({plan.views} × the forward pass before the head); "
            "they exclude augmentation that is drawn anew for each epoch"
            + ("" if plan.views > 1 else ", --views keeps more"),
        ]

    def _unfrozen(self) -> list[str]:
        again = "what the target calls frozen is trained here: each strategy says what it freezes"
        return [again] if self.plan.unfrozen else []

    def _without_limit(self) -> list[str]:
        return [
            f"{one.title} fits at every batch up to {one.looked_to:,}, the largest that is counted"
            for one in self.strategies
            if one.looked_to is not None and one.looked_to == one.largest_batch
        ]

    def _which_costs_less(self) -> list[str]:
        head, kept = self.strategy(HEAD), self.strategy(FEATURES)
        even, first = first_cheaper(kept.once_macs, kept.epoch_macs, head.epoch_macs)
        if first is None:
            said = [f"{kept.title} never costs fewer MACs than {head.title}"]
        else:
            equal = f"as many MACs as {head.title} after {plural(even, 'epoch')} and " if even else ""
            said = [
                f"{kept.title} costs {equal}fewer{'' if even else f' MACs than {head.title}'} from epoch {first} on"
            ]
        known = {one.key: one for one in self.strategies}
        if {FREEZE, ALL} <= known.keys():
            said.append(_always(known[FREEZE], known[ALL]))
        return said

    def _in_seconds(self) -> list[str]:
        if self.rates is None:
            return []
        noisy = [f"noisy, time again when nothing else runs: {', '.join(self.rates.noisy)}"] if self.rates.noisy else []
        rest = "; the last step of an epoch takes as long as a whole one" if self.plan.images % self.plan.batch else ""
        source = f"rates {self.rates.source}; reading and decoding images is not in them{rest}"
        if not {HEAD, FEATURES} <= self.seconds.keys():
            return [*noisy, *self.rates.lost, source]
        first = self.break_even_epochs
        never = "kept features never take fewer seconds than images: an epoch on them takes no fewer"
        when = f"kept features take fewer seconds than images from epoch {first} on"
        return [
            f"{never if first is None else when}, writing and reading them included",
            *noisy, *self.rates.lost, source,
        ]  # fmt: skip

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.plan.model.label, warnings_of(self.plan.model))]

    def _fields(self) -> dict[str, Any]:
        plan, rates = self.plan, self.rates
        head = {
            "layer": str(plan.head), "inputs": [str(name) for name in plan.feature_shapes],
            "elements": plan.feature_elements, "bytes": plan.image_bytes,
        }  # fmt: skip
        timed = {} if rates is None else {
            "rates": {
                "features_seconds": rates.features_seconds, "write_bytes_per_second": rates.write_rate,
                "read_bytes_per_second": rates.read_rate, "source": rates.source, "noisy": [*rates.noisy],
                "lost": [*rates.lost],
            },
            "break_even_epochs": self.break_even_epochs,
        }  # fmt: skip
        return {
            "target": plan.model.label, "knobs": plan.model.values, "dtype": plan.model.dtype._asdict(),
            "optimizer": plan.model.step.optimizer, "classes": plan.classes, "images": plan.images,
            "epochs": plan.epochs, "views": plan.views, "batch": plan.batch,
            "steps_per_epoch": plan.steps, "head": head, "within": self.within,
            "strategies": self.to_records(), "missing": [*self.missing], **timed,
        }  # fmt: skip

    def _summary(self) -> str:
        return f"{self.plan.model.label}: {plural(len(self.strategies), 'strategy', 'strategies')}"


def _always(part: Strategy, all_: Strategy) -> str:
    """Compares an epoch of a strategy with one of fine-tuning all, which holds for any number of epochs."""
    if part.epoch_macs >= all_.epoch_macs:
        return f"{part.title} costs no fewer MACs than {all_.title}"
    share = 100 * (all_.epoch_macs - part.epoch_macs) / all_.epoch_macs
    return f"{part.title} costs fewer MACs than {all_.title} at any number of epochs: {share:.1f} % fewer an epoch"
