"""`[tool.costcalc]` of a pyproject.toml: networks, their budgets, and how they are counted.

It is data only: nothing in it names code to run.

find_config(Path.cwd())
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from costcalc.analysis.metric_limits import read_limit
from costcalc.analysis.metric_names import read_metrics
from costcalc.analysis.metrics import METRICS
from costcalc.dtype import read_dtype
from costcalc.errors import CostcalcError, UsageError, did_you_mean, shorten, why
from costcalc.importers.targets import runs_file
from costcalc.models.knob_texts import split_target
from costcalc.table.units import read_units
from costcalc.train_step import TrainStep

NAME, SECTION = "pyproject.toml", "[tool.costcalc]"
MAX_BYTES = 1_000_000
KEYS = ("budgets", "dtype", "metrics", "optimizer", "specs", "targets", "units")


@dataclass(frozen=True)
class ProjectConfig:
    """What a project says of its networks. `folder` is that of the file; paths are relative to it."""

    file: str
    folder: Path
    targets: tuple[str, ...] | None = None
    specs: tuple[str, ...] = ()
    budgets: Mapping[str, int] = field(default_factory=dict)  # of every network
    own_budgets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # of one, by its target
    units: str = ""
    metrics: tuple[str, ...] | None = None
    dtype: str | None = None
    optimizer: str | None = None

    def check_folders(self) -> None:
        """Raises UsageError for a folder of specs that does not exist."""
        for name in self.specs:
            if not (self.folder / name).is_dir():
                raise UsageError(f"{self.file}: specs: there is no folder {shorten(name)!r}")


def find_config(start: Path) -> ProjectConfig | None:
    """The nearest pyproject.toml with our section, in this folder or one above it. Raises UsageError for one that is
    broken."""
    for folder in (start, *start.parents):
        path = folder / NAME
        if path.is_file():
            found = read_config(path)
            if found is not None:
                return found
    return None


def read_config(path: Path, *, named: bool = False) -> ProjectConfig | None:
    """The section of this file; None without one. Raises UsageError; for a file that is broken and has no word of ours
    only if the reader `named` it."""
    shown = os.path.relpath(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {shown!r}: {why(error)}") from None
    if named:
        _tree(data, shown)
    return parse_config(data, shown, path.absolute().parent)


def parse_config(data: bytes, file: str, folder: Path) -> ProjectConfig | None:
    """The section in the bytes of a file; None without one. Raises UsageError, which names the file and what is
    wrong."""
    if b"costcalc" not in data.replace(b"\0", b""):  # another tool's broken file is no concern of ours
        return None
    section = _tree(data, file).get("tool", {})
    section = section.get("costcalc") if isinstance(section, dict) else None
    return None if section is None else _SectionReader(file, folder).config(section)


def why_unread(start: Path) -> str:
    """Why the nearest pyproject.toml, in this folder or one above it, is not TOML; empty if it is or there is none."""
    path = next((folder / NAME for folder in (start, *start.parents) if (folder / NAME).is_file()), None)
    if path is None:
        return ""
    try:
        with open(path, "rb") as file:
            _tree(file.read(MAX_BYTES + 1), os.path.relpath(path))
    except UsageError as error:
        return str(error)
    except OSError:
        pass
    return ""


def _tree(data: bytes, file: str) -> dict[str, Any]:
    """The bytes of a file as TOML. Raises UsageError."""
    if len(data) > MAX_BYTES:
        raise UsageError(f"{file} has more than {MAX_BYTES:,} bytes")
    try:
        return tomllib.loads(data.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{file}:{line}: this is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:  # its words have the line
        raise UsageError(f"{file}: not TOML: {shorten(str(error), 200)}") from None
    except ValueError:
        raise UsageError(f"{file}: not TOML: a number has too many digits") from None
    except RecursionError:
        raise UsageError(f"{file}: not TOML: it nests too deep") from None


class _SectionReader:
    """Reads the section of a file, key by key."""

    def __init__(self, file: str, folder: Path):
        self.file, self.folder = file, folder

    def config(self, section: Any) -> ProjectConfig:
        section = self.table(section, SECTION)
        for key in section:
            if key not in KEYS:
                raise UsageError(f"{self.file}: {SECTION} has no key {shorten(key)!r}", did_you_mean(key, KEYS))
        found = ProjectConfig(self.file, self.folder)
        if "targets" in section:
            found = replace(found, targets=tuple(map(self.target, self.texts(section, "targets"))))
        if "specs" in section:
            found = replace(found, specs=tuple(self.inside(text, "specs") for text in self.texts(section, "specs")))
        found = replace(
            found, units=self.word(section, "units", read_units) or "", dtype=self.word(section, "dtype", read_dtype),
            optimizer=self.word(section, "optimizer", TrainStep),
        )  # fmt: skip
        if "metrics" in section:
            names = self.attempt("metrics", read_metrics, self.texts(section, "metrics"))
            found = replace(found, metrics=names)
        return self.with_budgets(found, self.table(section.get("budgets", {}), "budgets"))

    def with_budgets(self, found: ProjectConfig, given: Mapping[str, Any]) -> ProjectConfig:
        """A number or text is the budget of a metric; a table has those of the target that it is called by."""
        of_all = {name: value for name, value in given.items() if not isinstance(value, dict)}
        own = {}
        for name, limits in given.items():
            if isinstance(limits, dict):
                if name in METRICS:
                    raise UsageError(f'{self.file}: budgets.{name} is a table; write {name} = "400M"')
                own[self.target(name, "budgets")] = self.limits(limits, f"budgets.{name}")
        return replace(found, budgets=self.limits(of_all, "budgets"), own_budgets=own)

    def limits(self, given: Mapping[str, Any], where: str) -> dict[str, int]:
        limits = {}
        for name, most in given.items():
            if not isinstance(most, (str, int, float)) or isinstance(most, bool):
                raise UsageError(f'{self.file}: {where}.{name} is a number, or a text as in "400M" or "16MB"')
            is_fraction = isinstance(most, float) and math.isfinite(most) and most % 1 != 0
            limits[name] = self.attempt(where, read_limit, name, repr(most) if is_fraction else most)
            if limits[name] < 0:
                raise UsageError(f"{self.file}: {where}.{name} is below 0")
        return limits

    def target(self, text: str, where: str = "targets") -> str:
        """A target that names no code and lies in the project."""
        if "\n" in text or not text.strip():
            raise UsageError(f"{self.file}: {where}: {shorten(text)!r} is no target")
        if runs_file(text):
            hint = "take it out, nothing in this file runs code; the command line may name it"
            raise UsageError(f"{self.file}: {where}: {shorten(text)!r} would run a file; {hint}")
        path = split_target(text)[0].removeprefix("hf:")
        if "/" in path or "\\" in path:
            self.inside(path, where)
        return text

    def inside(self, text: str, where: str) -> str:
        """A path below the folder of the file, also where links lead."""
        root = os.path.realpath(self.folder)
        path = os.path.realpath(os.path.join(root, text)) if "\0" not in text else ""
        if os.path.isabs(text) or os.path.commonpath([root, path or os.sep]) != root:
            raise UsageError(f"{self.file}: {where}: {shorten(text)!r} is not below the folder of this file")
        return text

    def table(self, value: Any, what: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise UsageError(f"{self.file}: {what} is a table")
        return value

    def texts(self, section: Mapping[str, Any], key: str) -> Sequence[str]:
        value = section[key]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise UsageError(f'{self.file}: {key} is a list of texts, as in {key} = ["…"]')
        return value

    def word(self, section: Mapping[str, Any], key: str, read: Callable[[str], Any]) -> str | None:
        """A text that `read` takes; None without the key."""
        text = section.get(key)
        if text is None:
            return None
        if not isinstance(text, str):
            raise UsageError(f'{self.file}: {key} is a text, as in {key} = "…"')
        self.attempt(key, read, text)
        return text

    def attempt(self, where: str, read: Callable[..., Any], *args: Any) -> Any:
        """The value; an error of ours with the file and the key before it."""
        try:
            return read(*args)
        except CostcalcError as error:
            raise UsageError(f"{self.file}: {where}: {error}") from None
