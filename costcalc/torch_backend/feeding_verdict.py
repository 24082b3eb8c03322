"""A training step's demand of images beside a core's supply: the workers needed, and whether the device starves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from costcalc.analysis.feeding import passes, rate_unit, unlike_input, verdict, waiting_share, workers_needed
from costcalc.analysis.warnings import warnings_of
from costcalc.errors import Problem
from costcalc.models.model import Model
from costcalc.pipeline.augmentation import Augmentation
from costcalc.table import Column, Table, brief, cell
from costcalc.text import plural
from costcalc.workers.process_count import cores

COLUMNS = (Column("what", "what", "text"), Column("value", "value", "figure"), Column("how", "how", "text", 1))
TERMS = "input-bound: from 5 % of a step spent waiting, highly from 20 %, as TensorFlow's profiler has it"
PREDICTED = "predicted from what workers do; to hand a batch to the process of the step comes on top"
SAME_CPU = (
    "this does not predict: the step was measured on the CPU that the workers would take cores from, so that both slow "
    "down as workers start; give --rate, or measure the step on another device"
)


class Supply(NamedTuple):
    """Seconds that one image takes of one core, with their 95 % interval; and the network inputs that leave for it."""

    seconds: float
    low: float
    high: float
    images: int = 1


@dataclass(frozen=True)
class Demand:
    """The network inputs/s that a training step of a network consumes, and where the number is from."""

    label: str
    rate: float
    how: str
    same_cpu: bool = False
    notes: tuple[str, ...] = ()
    warned: tuple[tuple[str, tuple[Problem, ...]], ...] = ()

    @classmethod
    def of(cls, augmentation: Augmentation, model: Model, rate: float, how: str, *, same_cpu: bool = False) -> Demand:
        """The demand of a network for the images of a pipeline."""
        notes = tuple(note for note in (unlike_input(augmentation, model), passes(augmentation)) if note)
        return cls(model.label, rate, how, same_cpu, notes, ((model.label, warnings_of(model)),))


def feeding_table(supply: Supply, demand: Demand, workers: int | None) -> Table:
    """The rates of a core and of a step, the workers needed, and how long a step waits for `workers`."""
    found = feeding_fields(supply, demand, workers)
    low, high = found["workers_needed_interval"]
    rows = [
        ("one core makes", _images(found["images_per_second_of_a_core"]), "1/Σt"),
        ("a step consumes", f"{brief(demand.rate)} {rate_unit(supply.images)}", demand.how),
    ]
    rate = "rate"
    if supply.images != 1:
        rate = f"rate/{supply.images}"
        rows.append(("these are made of", _images(found["images_per_second"]), rate))
    rows.append(("workers needed", f"{found['workers_needed']:,}", f"⌈{rate}·Σt⌉, 95 %: {low:,} to {high:,}"))
    if workers is not None:
        made = _images(found["images_per_second_of_a_core"] * found["workers_with_a_core"])
        limit = f"no more than {plural(cores(), 'core')}" if workers > cores() else ""
        rows.append((f"{plural(workers, 'worker')} make" + "s" * (workers == 1), made, limit))
        rows.append(("a step waits", cell(found["waiting_share"], "share"), found["verdict"]))
    most = max(found["workers_needed"], workers or 0)
    notes = [*demand.notes, PREDICTED, *([TERMS] if workers is not None else [])]
    if most > cores():
        notes.append(f"this machine has {plural(cores(), 'core')}: more workers than cores make no more images")
    notes += [SAME_CPU] * demand.same_cpu
    return Table(
        f"feeding {demand.label}", COLUMNS, [dict(zip(("what", "value", "how"), row)) for row in rows], notes=notes
    )


def _images(rate: float) -> str:
    return f"{brief(rate)} images/s"


def feeding_fields(supply: Supply, demand: Demand, workers: int | None) -> dict[str, Any]:
    """The same for a JSON document."""
    rate = demand.rate / supply.images  # of images that enter
    low, high = (workers_needed(rate, seconds) for seconds in (supply.low, supply.high))
    found: dict[str, Any] = {
        "step": demand.label, "network_inputs_per_second": demand.rate, "images_per_second": rate, "how": demand.how,
        "same_cpu": demand.same_cpu, "images_per_second_of_a_core": 1 / supply.seconds,
        "workers_needed": workers_needed(rate, supply.seconds), "workers_needed_interval": [low, high],
        "usable_cores": cores(), "notes": [*demand.notes],
    }  # fmt: skip
    if workers is not None:
        at_work = min(workers, cores())
        share = waiting_share(rate, supply.seconds, at_work)
        found |= {"workers": workers, "workers_with_a_core": at_work, "waiting_share": share, "verdict": verdict(share)}
    return found
