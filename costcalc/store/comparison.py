"""Compares two measurements. The ratio of their times has a meaning only for the same device and settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from costcalc.errors import UnlikeRuns, shorten
from costcalc.result import Result
from costcalc.store.canonical import is_current
from costcalc.store.record import Record
from costcalc.table import Column, Table
from costcalc.text import times_text

# Words in keys of the environment whose values differ between any two runs.
VARYING = ("load", "other_cores", "clock", "mhz", "temperature")
MISSING = "not said"  # shown for a key that one measurement lacks


@dataclass(frozen=True)
class Difference:
    """A key whose values differ between two measurements."""

    key: str
    first: Any
    second: Any

    def __str__(self) -> str:
        return f"{self.key} ({_said(self.first)} and {_said(self.second)})"


@dataclass(frozen=True, eq=False, repr=False)
class RunComparison(Result):
    """Compares a measurement with the first, its baseline. `ratio` is the first's median time over the second's.

    `intervals_disjoint`, of the 95 % intervals of the medians, is None if a run has none. `unlike`: differences of
    device and settings, empty unless forced. `environment`: other differences, of driver and versions.
    """

    first: Record
    second: Record
    ratio: float
    intervals_disjoint: bool | None
    unlike: tuple[Difference, ...]
    environment: tuple[Difference, ...]

    @property
    def verdict(self) -> str:
        """Which run is faster, or why that is undecided, in a sentence."""
        one, other = f"run {self.first.id}", f"run {self.second.id}"
        noisy = [name for name, run in ((one, self.first), (other, self.second)) if run.noisy]
        if self.unlike or noisy:
            return f"inconclusive: {f'{noisy[0]} is noisy' if noisy else 'the runs are unlike'}"
        if not self.intervals_disjoint:
            reason = "overlap" if self.intervals_disjoint is False else "are not known"
            return f"inconclusive: the 95 % intervals of the medians {reason}"
        fast, slow, times = (other, one, self.ratio) if self.ratio > 1 else (one, other, 1 / self.ratio)
        return f"{fast} is {times_text(times)} times faster than {slow}: the 95 % intervals of the medians are apart"

    def table(self) -> Table:
        """Both runs, the ratio, and its notes."""
        rows = [_row(record) for record in (self.first, self.second)]
        rows[1]["ratio"] = self.ratio
        notes = [self.verdict]
        notes += [f"unlike, compared by force: {difference}" for difference in self.unlike]
        notes += [f"also differs: {difference}" for difference in self.environment]
        notes += [f"run {run.id} is noisy: {', '.join(run.noisy)}" for run in (self.first, self.second) if run.noisy]
        return Table("", COMPARISON_COLUMNS, rows, notes=notes)

    def _fields(self) -> dict[str, Any]:
        fields = {"apart" if name == "intervals_disjoint" else name: value for name, value in asdict(self).items()}
        return {**fields, "verdict": self.verdict}

    def _summary(self) -> str:
        return self.verdict


COMPARISON_COLUMNS = (
    Column("id", "run"),
    Column("target", "network", "text"),
    Column("milliseconds", "ms", "measured"),
    Column("low", "95 % from", "measured", 1),
    Column("high", "to", "measured", 1),
    Column("ratio", "time ratio, first / this", "ratio"),
)


def compare(first: Record, second: Record, *, force: bool = False) -> RunComparison:
    """Compares the second measurement with the first. Networks may differ; device and settings may not.

    Raises UnlikeRuns, naming every difference, for another device or other settings, for a run of another version of
    costcalc and for a noisy baseline, unless forced; and always for a run without a time.
    """
    ratio = _median_seconds(first) / _median_seconds(second)
    for run in (first, second):
        if not is_current(run.graph_hash) and not force:
            raise UnlikeRuns(
                f"run {run.id} is of another version of costcalc, whose hashes of layer graphs say nothing now: it may "
                "be another network; measure again, or --force compares it anyway"
            )
    settings = _differences(first.settings, second.settings)
    unlike = (*_differences({"device": first.device}, {"device": second.device}), *settings)
    if unlike and not force:
        differing = ", ".join(map(str, unlike))
        raise UnlikeRuns(f"runs {first.id} and {second.id} are unlike in {differing}; --force compares them anyway")
    if first.noisy and not force:
        reasons = ", ".join(first.noisy)
        raise UnlikeRuns(f"run {first.id} is too noisy to be a baseline ({reasons}); measure again, or --force")
    around = _differences(first.environment, second.environment)
    environment = tuple(each for each in around if not any(word in each.key for word in VARYING))
    return RunComparison(first, second, ratio, _are_disjoint(first, second), unlike, environment)


def _median_seconds(run: Record) -> float:
    if run.seconds is None:
        raise UnlikeRuns(f"run {run.id} has no median time")
    return run.seconds


def _differences(first: dict[str, Any], second: dict[str, Any]) -> tuple[Difference, ...]:
    """Keys whose values differ, in value or in type: true is not 1."""
    found = [Difference(key, first.get(key, MISSING), second.get(key, MISSING)) for key in sorted({*first, *second})]
    return tuple(each for each in found if (each.first, type(each.first)) != (each.second, type(each.second)))


def _are_disjoint(first: Record, second: Record) -> bool | None:
    one, other = _interval(first), _interval(second)
    return None if one is None or other is None else one[1] < other[0] or other[1] < one[0]


def _interval(record: Record) -> tuple[float, float] | None:
    low, high = record.result.get("seconds_low"), record.result.get("seconds_high")
    return (low, high) if isinstance(low, (int, float)) and isinstance(high, (int, float)) else None


def _said(value: Any) -> str:
    return shorten(str(value).lower() if isinstance(value, bool) else str(value), 100)


def _row(record: Record) -> dict[str, Any]:
    bounds = {"milliseconds": record.seconds, "low": record.result.get("seconds_low")}
    bounds["high"] = record.result.get("seconds_high")
    times = {key: 1000 * value for key, value in bounds.items() if isinstance(value, (int, float))}
    return {"id": record.id, "target": record.target, **times}
