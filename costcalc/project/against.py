"""The networks of a project beside those of a revision: which file was which, and what each cost there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from costcalc.analysis.cost import numeric_cost
from costcalc.analysis.cost_changes import CHANGED, NEW, REMOVED, REPAIRED, Change, CostChanges, changes_between
from costcalc.errors import CostcalcError, UsageError, shorten
from costcalc.models.knob_texts import split_target
from costcalc.models.model import Model
from costcalc.project.project import Project
from costcalc.project.project_config import NAME, parse_config
from costcalc.project.project_targets import YAML, ProjectTarget, targets_of
from costcalc.project.revision import Revision
from costcalc.spec.library import read_given
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.spec.parse import parse_text
from costcalc.spec.spec_architecture import SpecArchitecture

Costs = dict[str, int]  # by metric


class Past:
    """A project at a revision. Specs there are read as texts; no code of it runs."""

    def __init__(
        self, revision: str, project: Project, *, named: bool, max_layers: int = MAX_LAYERS, max_bytes: int = MAX_BYTES
    ):
        folder = project.config.folder if project.config else Path(project.here)
        self.revision, self.project = Revision(revision, folder, max_bytes), project
        self.max_layers, self.max_bytes = max_layers, max_bytes
        self.gone: list[ProjectTarget] = []  # named by the reader, and there alone
        self.named = named  # does the reader name the targets, and not the file?
        self.remarks: list[str] = []

    def without_gone(self, targets: Sequence[ProjectTarget]) -> list[ProjectTarget]:
        """The targets but those whose files are no longer here, and were there."""
        self.gone = [each for each in targets if each.path and not os.path.exists(each.path) and self._has(each)]
        return [each for each in targets if each not in self.gone]

    def changes(self, pairs: Sequence[tuple[ProjectTarget, Model]], metrics: tuple[str, ...]) -> CostChanges:
        """What has changed since, in these metrics, of targets and their networks of today."""
        theirs = self.gone if self.named else self._targets()
        old = self._old_paths(pairs, theirs)
        self.revision.read([*old.values(), *(target.path for target in theirs if self._has(target))])
        changes: list[Change] = []
        unchanged: list[str] = []
        apart: list[tuple[str, str]] = []
        for target, model in pairs:
            if why := target.not_compared or self._outside(target):
                apart.append((model.label, why))
                continue
            found = self._changes_of(target, model, old.get(target.path, ""), metrics)
            changes += found
            unchanged += [] if found else [model.label]
        removed, unlisted = self._without_twin([target for target, _ in pairs], old, theirs)
        for target in removed:
            changes += self._changes_of_removed(target, pairs, metrics)
        renamed = {
            (self.revision.relative(path), self.project.file_of(target))
            for target, _ in pairs
            if (path := old.get(target.path, target.path)) != target.path
        }
        return CostChanges(
            self.revision.name, self.revision.commit, self.revision.at, metrics, tuple(changes), tuple(unchanged),
            tuple(apart), tuple(sorted(renamed)), tuple(unlisted), tuple(self.remarks),
        )  # fmt: skip

    # --- one network -------------------------------------------------------------------------------------------------

    def _changes_of(self, target: ProjectTarget, model: Model, path: str, metrics: tuple[str, ...]) -> list[Change]:
        """The differences of a network, whose file is at `path` there; empty for a new one."""
        if target.alike or (path == target.path and self.revision.has_text(path, _bytes(path))):
            return []
        file, cost = self.project.file_of(target), numeric_cost(model, "check")
        now = {metric: int(cost.total(metric)) for metric in metrics}
        if not path:
            return changes_between(model.label, NEW, None, now, file=file)
        try:
            before = self._costs(path, split_target(model.label)[2], model, metrics)
        except CostcalcError as error:
            self._remark(model.label, error)
            return changes_between(model.label, REPAIRED, None, now, file=file)
        was = "" if path == target.path else self.revision.relative(path)
        return changes_between(model.label, CHANGED, before, now, was, file)

    def _changes_of_removed(
        self, target: ProjectTarget, pairs: Sequence[tuple[ProjectTarget, Model]], metrics: tuple[str, ...]
    ) -> list[Change]:
        like = pairs[0][1] if pairs else None
        try:
            before = self._costs(target.path, target.given, like, metrics)
        except CostcalcError as error:
            self._remark(target.written, error)
            return []
        return changes_between(target.written, REMOVED, before, None)

    def _costs(self, path: str, given: str, like: Model | None, metrics: tuple[str, ...]) -> Costs:
        """The costs of the spec that was at this path, with the same knobs, dtype and training step."""
        data = self.revision.read([path]).get(path)
        if data is None:
            raise UsageError(f"{self.revision.relative(path)}: {self.revision.why_unread(path)}")
        spec = parse_text(data, f"{self.revision.relative(path)} at {self.revision.name}", max_bytes=self.max_bytes)
        settings = read_given(spec, [part.strip() for part in given.split(",")] if given else [], {})
        model = Model(SpecArchitecture(spec, self.max_layers), settings)
        if like is not None:
            model = model.with_dtype(like.dtype).with_step(like.step)
        cost = numeric_cost(model, "check")
        return {metric: int(cost.total(metric)) for metric in metrics}

    def _remark(self, label: str, error: CostcalcError) -> None:
        first = str(error).split("\n")[0]
        self.remarks.append(f"{label} cannot be counted at {self.revision.name}: {shorten(first, 300)}")

    # --- which file was which ----------------------------------------------------------------------------------------

    def _targets(self) -> list[ProjectTarget]:
        """The targets of the project as it was; those of today if its file was not there or is broken."""
        config = self.project.config
        assert config is not None
        path = str(config.folder / os.path.basename(config.file or NAME))
        today = targets_of(config)
        try:
            data = self.revision.read([path]).get(path)
            there = parse_config(data, f"{config.file} at {self.revision.name}", config.folder) if data else None
            return today if there is None else targets_of(there, self.revision.paths)
        except CostcalcError as error:
            self.remarks.append(f"{shorten(str(error), 300)}; the networks of today are looked for there")
            return today

    def _old_paths(
        self, pairs: Sequence[tuple[ProjectTarget, Model]], theirs: Sequence[ProjectTarget]
    ) -> dict[str, str]:
        """The path that each spec had there. A spec that was not there may be one that is gone: with the same text, or
        of the same name."""
        of_specs = [(target, model) for target, model in pairs if target.path and not target.not_compared]
        specs = {target.path: model for target, model in of_specs if not self._outside(target)}
        old = {path: path for path in specs if self.revision.has(path)}
        if new := {path: model for path, model in specs.items() if path not in old}:
            gone = self._gone_files([*new, *(target.path for target in theirs if target.path)])
            texts = self.revision.read(gone)
            for path, model in new.items():
                here = _bytes(path)
                alike = [at for at, text in texts.items() if text == here]
                alike += [at for at, text in texts.items() if _name_in(text) == model.name]
                if alike:
                    old[path] = alike[0]
                    texts.pop(alike[0])
        return old

    def _gone_files(self, beside: Iterable[str]) -> list[str]:
        """The YAML files that were in the folders of these paths, and are no longer here."""
        folders = dict.fromkeys(map(os.path.dirname, beside))
        paths = (path for folder in folders for path in self._paths(folder))
        return [path for path in paths if path.endswith(YAML) and not os.path.exists(path)]

    def _without_twin(
        self, ours: Sequence[ProjectTarget], old: dict[str, str], theirs: Sequence[ProjectTarget]
    ) -> tuple[list[ProjectTarget], list[str]]:
        """The targets of then that are none of today: those whose file is gone, and the names of the others."""
        twins = {(old.get(target.path, target.path) or target.key[0], target.key[1]) for target in ours}
        twins |= {target.key for target in ours}
        left = [target for target in theirs if target.key not in twins]
        removed = [target for target in left if self._has(target) and not os.path.exists(target.path)]
        removed = [target for target in removed if target.path not in old.values()]
        return removed, [target.written for target in left if target not in removed]

    def _paths(self, folder: str) -> list[str]:
        with suppress(UsageError):  # outside of the repository
            return self.revision.paths(folder)
        return []

    def _has(self, target: ProjectTarget) -> bool:
        is_spec = bool(target.path) and not target.not_compared
        return is_spec and not self._outside(target) and self.revision.has(target.path)

    def _outside(self, target: ProjectTarget) -> str:
        """Why a file has no other side: it is outside of the repository."""
        with suppress(UsageError):
            if target.path:
                self.revision.relative(target.path)
            return ""
        return "its file is outside of the repository"


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(MAX_BYTES + 1)


def _name_in(text: bytes) -> str:
    """The name that a spec has in its head."""
    found = re.search(rb"^name:[ ]*['\"]?(\w+)", text, re.MULTILINE)
    return found[1].decode() if found else ""
