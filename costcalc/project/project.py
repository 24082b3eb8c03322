"""A project: a folder, and the pyproject.toml that applies there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from costcalc.analysis.metric_names import metric_of, read_metrics, why_not_whole
from costcalc.analysis.metrics import METRICS, USUAL
from costcalc.errors import UnknownName, UsageError, unknown
from costcalc.project.project_config import NAME, SECTION, ProjectConfig, find_config, read_config, why_unread
from costcalc.project.project_targets import ProjectTarget, each_once, target_of, targets_of
from costcalc.spec.library import find
from costcalc.table.units import Units, read_units
from costcalc.train_step import TrainStep

COMPARED = (*USUAL, "peak_bytes")  # unless others are asked for


@dataclass(frozen=True)
class Project:
    """The folder of a check, and the pyproject.toml that applies there. Paths on a command line are relative to `here`,
    those of the file to its own folder."""

    here: str
    config: ProjectConfig | None
    searched: bool = False  # is it the nearest file, if there is one?

    @classmethod
    def find(cls, config: str | os.PathLike[str] | bool | None = None) -> Project:
        """Of the working folder, with the nearest pyproject.toml, with this file, or with none for False. Raises
        UsageError."""
        here = os.getcwd()
        if config is None or config is True:
            return cls(here, find_config(Path(here)), True)
        if config is False:
            return cls(here, None)
        found = read_config(Path(config), named=True)
        if found is None:
            raise UsageError(f"{os.fspath(config)!r} has no {SECTION}")
        return cls(here, found)

    def targets(self, named: Sequence[Any] = ()) -> list[ProjectTarget]:
        """The targets that are named, else those of the file. Raises UsageError if there are none."""
        specs = self.config.specs if self.config else ()
        if self.config:
            self.config.check_folders()
        if named:
            folder = str(self.config.folder) if self.config else self.here
            folders = [os.path.relpath(os.path.join(folder, name), self.here) for name in specs]
            found = [target_of(text, self.here, folders) for text in named]
            return each_once(found)
        if self.config is None:
            raise _no_targets(self.why_no_config or f"no {NAME} here has {SECTION}")
        found = targets_of(self.config)
        for target in found:
            if target.path and not os.path.exists(target.path):
                raise UsageError(f"{self.config.file}: targets: there is no file {target.loadable!r}")
            if target.alike:
                self._check_name(target)
        if not found:
            specs = self.config.specs if self.config.targets is None else ()
            raise _no_targets(
                f"{self.config.file} names none" + (f", and {', '.join(specs)} has no spec" if specs else "")
            )
        return found

    def _check_name(self, target: ProjectTarget) -> None:
        """Raises UsageError, with the name of the file, for a name that the library lacks."""
        try:
            find(target.written)
        except UnknownName as error:
            raise UsageError(f"{self.config and self.config.file}: targets: {error}") from None

    @property
    def why_no_config(self) -> str:
        """Why the nearest pyproject.toml cannot be read, if no file applies; else empty."""
        return why_unread(Path(self.here)) if self.config is None and self.searched else ""

    def limits(self, targets: Sequence[ProjectTarget], given: Mapping[str, int]) -> list[dict[str, int]]:
        """The budgets of each target: those of the file for all, its own, and the given ones, where the later count.
        Raises UnknownName for budgets of a target that the file does not name."""
        if self.config is None:
            return [dict(given) for _ in targets]
        config, folder = self.config, str(self.config.folder)
        known = {target.key: target.written for target in targets_of(config)}
        own = {}
        for name, limits in config.own_budgets.items():
            key = target_of(name, folder, config.specs).key
            if key not in known:
                raise unknown("target", name, [*known.values()], of=f"{config.file}: budgets")
            own[key] = limits
        return [{**config.budgets, **own.get(target.key, {}), **given} for target in targets]

    def units(self, given: str | None) -> Units:
        """The units that are given, else those of the file."""
        text = given if given is not None else self.config.units if self.config else ""
        return read_units(text) if text else Units()

    def metrics(self, given: Sequence[str] | str | None) -> tuple[str, ...]:
        """The metrics that are compared: those that are given, else those of the file. Raises
        UsageError for one that is no whole number."""
        of_file = self.config.metrics if self.config else None
        names = read_metrics(given, of_file or COMPARED)
        for name in names:
            metric_of(name, unless=why_not_whole)
        return names

    def is_about_training(self, metrics: Iterable[str]) -> bool:
        """Is one of these metrics, or of those in the file, about a training step?"""
        config = self.config
        own = [config.budgets, *config.own_budgets.values(), config.metrics or ()] if config else []
        return any(METRICS[name].step for names in (metrics, *own) for name in names if name in METRICS)

    def dtype(self, given: str | None) -> str | None:
        """The dtype that is given, else that of the file."""
        return given if given is not None or self.config is None else self.config.dtype

    def step(self, of_model: TrainStep, optimizer: str | None) -> TrainStep:
        """A training step with the optimizer that is given, else with that of the file."""
        name = optimizer if optimizer is not None or self.config is None else self.config.optimizer
        return of_model if name is None else replace(of_model, optimizer=name)

    def file_of(self, target: ProjectTarget) -> str:
        """The path of its spec from the top of the checkout, as sites show it; empty without one."""
        if not target.path:
            return ""
        top = next((each for each in Path(self.here, "x").parents if (each / ".git").exists()), Path(self.here))
        return os.path.relpath(target.path, top).replace(os.sep, "/")


def _no_targets(why: str) -> UsageError:
    hint = f'name them, or write targets = ["…"] below {SECTION}'
    return UsageError(f"there are no networks to check: {why}", hint)
