"""A tree of YAML becomes a Spec; every problem is collected, each with its place."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection
from pathlib import Path
from typing import Any

from costcalc.errors import REPORTED, Problems
from costcalc.models.gc_pause import gc_paused
from costcalc.spec.knobs import Knobs, new_name, read_knobs, read_presets
from costcalc.spec.lecture_titles import LECTURES
from costcalc.spec.limits import MAX_BYTES
from costcalc.spec.node_reader import Entries, NodeReader
from costcalc.spec.published import read_published
from costcalc.spec.spec_tree import Spec, Value
from costcalc.spec.yaml_reader import Mapping, Node, Sequence, read

HEAD_KEYS = ("name", "title", "source", "about", "lecture", "knobs", "presets")
BODY = ("sizes", "input", "inputs", "blocks", "layers", "published")
TOP = (*HEAD_KEYS, *BODY)
MAX_AXES = 16


def parse_file(path: str | Path, *, max_bytes: int = MAX_BYTES, problems: Problems | None = None) -> Spec:
    """The Spec in a file. Raises SpecError with all its problems, or OSError."""
    return parse_text(bytes_of(path, max_bytes), str(path), max_bytes=max_bytes, problems=problems)


def parse_text(data: bytes | str, file: str, *, max_bytes: int = MAX_BYTES, problems: Problems | None = None) -> Spec:
    """The Spec in a text; `file` names it in messages. Raises SpecError with all its problems.

    With `problems` it adds them there instead, and Reported replaces the invalid parts of the Spec.
    """
    found = Problems() if problems is None else problems
    with gc_paused():
        parser = _Parser(read(data, file, found, max_bytes=max_bytes), file, found)
        spec = parser.whole(*parser.head(["layers"]))
    if problems is None:
        found.raise_any()
    return spec


def parse_head(path: str | Path, *, max_bytes: int = MAX_BYTES) -> Spec:
    """The Spec of the head of a file, up to its presets. It does not read the rest, and so is much faster."""
    problems = Problems()
    data, file = bytes_of(path, max_bytes), str(path)
    with gc_paused():
        tree = read(data, file, problems, max_bytes=max_bytes, stop_at=frozenset(BODY))
        about, _ = _Parser(tree, file, problems).head([])
    problems.raise_any()
    return Spec(**about)


def bytes_of(path: str | Path, max_bytes: int) -> bytes:
    """The bytes of a file, one more than allowed at most. Raises OSError, also for a pipe or a device."""
    kind = os.stat(path).st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind) or str(path).startswith(("/dev/stdin", "/dev/fd/"))):
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file")  # it may never end
    with open(path, "rb") as file:
        return file.read(max_bytes + 1)


class _Parser:
    """Reads the top level of the tree; a module of its own reads each part."""

    def __init__(self, tree: Mapping, file: str, problems: Problems):
        self.reader, self.report = NodeReader(problems), problems.add
        self.tree, self.file = tree, file
        self.top: Entries = {}

    def head(self, also: list[str]) -> tuple[dict[str, Any], Knobs | None]:
        """The fields of a Spec in its head, and its knobs, None if unreadable. `also`: required keys besides."""
        self.refuse_pipeline()
        self.top = self.reader.entries(self.tree, "a spec", TOP)
        self.check_keys([*HEAD_KEYS[:3], *also])
        texts = {key: self.reader.text(self.top[key][1], key) or "" for key in HEAD_KEYS[1:4] if key in self.top}
        name = self.reader.word(self.top["name"][1], "name") if "name" in self.top else ""
        knobs = self.knobs()
        presets = read_presets(self.reader, self.top["presets"][1], knobs) if "presets" in self.top else {}
        if name in presets:
            self.report(presets[name].place, f"the preset {name!r} has the name of the spec", "give it another name")
        about: dict[str, Any] = {"name": name or "", "title": "", "source": "", **texts, "file": self.file}
        about["lecture"] = self.lecture()
        return {**about, "knobs": knobs or {}, "presets": presets}, knobs

    def lecture(self) -> int:
        """The number of its lecture; 0 for none."""
        if "lecture" not in self.top:
            return 0
        node = self.top["lecture"][1]
        number = self.reader.number(node, "lecture")
        if number is not None and number not in range(1, len(LECTURES) + 1):
            self.report(node.place, f"lecture is 1 to {len(LECTURES)}", "`costcalc list` has their titles")
        return int(number or 0)

    def whole(self, about: dict[str, Any], knobs: Knobs | None) -> Spec:
        """The Spec from its head and the rest."""
        from costcalc.spec.layer_reader import LayerReader  # it imports all ops, which a list of specs does not need

        sizes = self.sizes(knobs)
        names = None if sizes is None or knobs is None else {**knobs, **sizes}
        layers = LayerReader(self.reader, names)
        if "blocks" in self.top:
            layers.read_blocks(self.top["blocks"][1])
        inputs = self.inputs(names)
        items = layers.read(self.top["layers"][1]) if "layers" in self.top else ()
        if "layers" in self.top and not items and not self.reader.problems:
            self.report(self.top["layers"][1].place, "layers is empty", "give at least one layer")
        figures: Any = ()
        if "published" in self.top:
            figures = read_published(self.reader, self.top["published"][1], knobs, about["presets"])
        about |= {"sizes": sizes or {}, "inputs": inputs, "blocks": layers.blocks, "items": items}
        return Spec(**about, published=figures, unsure=frozenset(layers.unsure))

    def refuse_pipeline(self) -> None:
        """Stops at the steps of an augmentation pipeline, as nothing else in its file is what a network needs."""
        keys = {key.text: key for key, _ in self.tree.entries}
        if "steps" in keys and "layers" not in keys:
            message = "this is an augmentation pipeline, not a network"
            self.reader.problems.stop(keys["steps"].place, message, f"see `costcalc augment {self.file}`")

    def check_keys(self, needed: list[str]) -> None:
        """Reports missing keys, and keys of the head that stand below it."""
        for key in needed:
            if key not in self.top:
                self.report(self.tree.place, f"a spec needs {key!r}", "see `costcalc help specs`")
        if "layers" in needed and ("input" in self.top) == ("inputs" in self.top):
            self.report(self.tree.place, "a spec needs 'input', or 'inputs' for several", "as in input: [3, 224, 224]")
        body = next((place for place, key in enumerate(self.top) if key in BODY), len(self.top))
        for key in [*self.top][body:]:
            if key in HEAD_KEYS:
                self.report(
                    self.top[key][0].place, f"{key!r} stands below the head", f"first come {', '.join(HEAD_KEYS)}"
                )

    def knobs(self) -> Knobs | None:
        """The knobs; None if they are unreadable: then no name is reported as unknown."""
        node = self.top["knobs"][1] if "knobs" in self.top else Mapping(self.tree.place)
        found = read_knobs(self.reader, node)
        return found if isinstance(node, Mapping) else None

    def sizes(self, knobs: Knobs | None) -> dict[str, Value] | None:
        """The sizes in order; None if they are unreadable."""
        if "sizes" not in self.top:
            return {}
        node = self.top["sizes"][1]
        found: dict[str, Value] = {}
        known: dict[str, Any] | None = None if knobs is None else {**knobs}
        for key, value in self.reader.entries(node, "sizes").values():
            name = new_name(self.reader, key, "a size")
            if name and knobs is not None and name in knobs:
                self.report(key.place, f"{name!r} is a knob already", "give the size another name")
            elif name:
                found[name] = self.reader.expression_or_reported(value, f"size {name}", known)
                if known is not None:
                    known[name] = None
        return found if isinstance(node, Mapping) else None

    def inputs(self, names: dict[str, Any] | None) -> dict[str, tuple[Value, ...]]:
        """The shape of one example by the name of its input."""
        if "input" in self.top:
            return {"input": self.shape(self.top["input"][1], "input", names)}
        if "inputs" not in self.top:
            return {}
        node = self.top["inputs"][1]
        if isinstance(node, Mapping) and not node.entries:
            self.report(node.place, "inputs is empty", "as in inputs: {image: [3, 224, 224]}")
        found = {}
        for key, value in self.reader.entries(node, "inputs").values():
            name = self.reader.word(key, "an input") or ""
            found[name] = self.shape(value, f"input {name}", names)
        return found

    def shape(self, node: Node, what: str, names: Collection[str] | None) -> tuple[Value, ...]:
        axes = self.reader.items(node, what)
        if isinstance(node, Sequence) and len(axes) > MAX_AXES:
            self.report(node.place, f"{what} has at most {MAX_AXES} sizes after the batch, got {len(axes)}")
        if not isinstance(node, Sequence) or len(axes) > MAX_AXES:
            return (REPORTED,)
        return tuple([self.reader.expression_or_reported(axis, what, names) for axis in axes])
