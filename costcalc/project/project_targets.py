"""Targets of a project: which file each of them means, here and at a revision."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from costcalc.errors import UsageError, shorten
from costcalc.importers.targets import HF, is_import, is_onnx, runs_file
from costcalc.models.knob_texts import labelled, split_target
from costcalc.project.project_config import ProjectConfig
from costcalc.spec.library import library_path

YAML = (".yaml", ".yml")
Files = Callable[[str], Sequence[str]]  # the paths of the files in a folder; none for a folder that does not exist


class ProjectTarget(NamedTuple):
    """A target as it was written, and the file that it names, if it names one: a path without `..`."""

    written: str
    path: str = ""
    alike: bool = False  # is it of the library, and the same at every revision?
    given_object: Any = None  # in Python, in place of a text

    @property
    def given(self) -> str:
        """What stands behind its @."""
        return split_target(self.written)[2]

    @property
    def loadable(self) -> Any:
        """The target as `load` takes it in this folder."""
        if not self.path:
            return self.written if self.given_object is None else self.given_object
        head = HF if self.written.startswith(HF) else ""
        return head + "@".join(filter(None, (_shown(self.path), self.given)))

    @property
    def key(self) -> tuple[str, str]:
        """Equal for targets that mean the same network."""
        name, given = split_target(labelled(self.written))[::2]
        return (self.path or name, given)

    def label(self, loaded: str) -> str:
        """The label of a loaded network, which has all that is set, with the name that was written."""
        given = split_target(loaded)[2]
        return loaded if not self.path else "@".join(filter(None, (split_target(self.written)[0], given)))

    @property
    def not_compared(self) -> str:
        """Why it has no other side; empty if it has one."""
        if self.given_object is not None:
            return "it was given in Python"
        if runs_file(self.written):
            return "it runs code, and code of another revision is never run"
        if is_onnx(self.written) or self.written.startswith(HF):
            return "of another revision only specs are read"
        made = "an installed package makes it, and a revision of this repository does not say which"
        return made if is_import(self.written) else ""


def files_here(folder: str) -> list[str]:
    """The files of a folder on this disk."""
    try:
        return sorted(entry.path for entry in os.scandir(folder) if entry.is_file())
    except OSError:
        return []


def target_of(written: Any, folder: str, specs: Sequence[str] = (), files: Files = files_here) -> ProjectTarget:
    """What a target means. Paths are relative to `folder`; names are those of specs in the folders `specs`, else of the
    library. Raises UsageError for a name that two of them have."""
    if not isinstance(written, (str, os.PathLike)) or "\n" in str(written):
        return ProjectTarget(f"<{type(written).__name__} {id(written)}>", given_object=written)
    written = os.fspath(written)
    name = split_target(written)[0]
    if written.startswith(HF) or is_onnx(written):
        return ProjectTarget(written, _joined(folder, name.removeprefix(HF)))
    if is_import(written):
        return ProjectTarget(written)
    if re.search(r"[./\\]", name):
        return ProjectTarget(written, _joined(folder, name))
    found = [path for path in _specs_in(folder, specs, files) if Path(path).stem == name]
    in_library = library_path(name) is not None
    if len(found) > 1 or (found and in_library):
        places = [*(os.path.relpath(path, folder) for path in found), *(["the library"] if in_library else [])]
        raise UsageError(f"{shorten(name)!r} is in {' and in '.join(places)}; write its path")
    return ProjectTarget(written, found[0]) if found else ProjectTarget(written, alike=True)


def targets_of(config: ProjectConfig, files: Files = files_here) -> list[ProjectTarget]:
    """The targets of a project: those that it names, else every spec in its folders of specs."""
    folder = str(config.folder)
    if config.targets is None:
        paths = _specs_in(folder, config.specs, files)
        found = [ProjectTarget(os.path.relpath(path, folder).replace(os.sep, "/"), path) for path in paths]
    else:
        found = [target_of(text, folder, config.specs, files) for text in config.targets]
    return each_once(found)


def each_once(targets: Sequence[ProjectTarget]) -> list[ProjectTarget]:
    """The targets without those that mean the same network as one before."""
    found: dict[tuple[str, str], ProjectTarget] = {}
    for target in targets:
        found.setdefault(target.key, target)
    return [*found.values()]


def _specs_in(folder: str, specs: Sequence[str], files: Files) -> list[str]:
    paths = (path for name in specs for path in files(_joined(folder, name)))
    return sorted(path for path in paths if path.endswith(YAML))


def _joined(folder: str, path: str) -> str:
    return os.path.normpath(os.path.join(folder, path))


def _shown(path: str) -> str:
    """A path as a reader of this folder writes it."""
    shown = os.path.relpath(path)
    return shown if re.search(r"[./\\]", shown) else os.path.join(os.curdir, shown)
