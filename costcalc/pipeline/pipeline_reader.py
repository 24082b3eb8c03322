"""A tree of YAML becomes a PipelineSpec; every problem is collected, each with its place."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from costcalc.errors import Problems, Reported, did_you_mean, unknown
from costcalc.expressions import constant
from costcalc.ops.base import field_kinds
from costcalc.pipeline.pipeline_spec import MAX_STEPS, Item, PipelineSpec, Value
from costcalc.pipeline.step_base import STEPS
from costcalc.spec.knobs import Knobs, read_knobs
from costcalc.spec.node_reader import Entries, NodeReader
from costcalc.spec.published import read_published
from costcalc.spec.yaml_reader import Mapping, Node, Scalar, Sequence

KEYS = ("name", "title", "source", "about", "knobs", "input", "steps", "published")
REQUIRED = ("name", "title", "source", "input", "steps")
DOCS = "see `costcalc help augmentation`"


def is_pipeline_tree(tree: Mapping) -> bool:
    """Does it have steps, and no layers?"""
    keys = {key.text for key, _ in tree.entries}
    return "steps" in keys and "layers" not in keys


def read_pipeline(tree: Mapping, file: str, problems: Problems) -> PipelineSpec:
    """The spec of a pipeline; `file` names it in messages. Adds to `problems`, and leaves out what is invalid."""
    return _PipelineReader(tree, file, problems).whole()


class _PipelineReader:
    def __init__(self, tree: Mapping, file: str, problems: Problems):
        self.reader, self.report = NodeReader(problems), problems.add
        self.tree, self.file = tree, file
        self.names: dict[str, Any] | None = None  # of knobs; None if they are unreadable

    def whole(self) -> PipelineSpec:
        before = len(self.reader.problems)
        top = self.reader.entries(self.tree, "a pipeline", KEYS)
        for key in REQUIRED:
            if key not in top and len(self.reader.problems) == before:
                self.report(self.tree.place, f"a pipeline needs {key!r}", DOCS)
        texts: dict[str, Any] = {
            key: self.reader.text(top[key][1], key) or "" for key in ("title", "source", "about") if key in top
        }
        texts["name"] = (self.reader.word(top["name"][1], "name") if "name" in top else "") or ""
        knobs = self.knobs(top)
        about: dict[str, Any] = {"title": "", "source": "", **texts, "file": self.file}
        about["knobs"] = {name: knob for name, knob in (knobs or {}).items() if knob}
        about["input"] = self.input(top["input"][1]) if "input" in top else ()
        about["items"] = self.steps(top["steps"][1]) if "steps" in top else ()
        if "published" in top:
            about["published"] = read_published(self.reader, top["published"][1], knobs, ())
        return PipelineSpec(**about)

    def knobs(self, top: Entries) -> Knobs | None:
        """The knobs. There is no knob `batch` unless the file has one, since a pipeline takes one image."""
        node = top["knobs"][1] if "knobs" in top else Mapping(self.tree.place)
        found = read_knobs(self.reader, node)
        if not isinstance(node, Mapping):
            return None
        given = {key.text for key, _ in node.entries}
        found = {name: knob for name, knob in found.items() if name in given}
        self.names = {**found}
        return found

    def input(self, node: Node) -> tuple[Any, ...]:
        axes = self.reader.items(node, "input")
        if isinstance(node, Sequence) and len(axes) != 3:
            self.report(node.place, f"input has the sizes of one image, got {len(axes)}", "as in input: [3, 256, 256]")
            return ()
        found = [self.reader.expression(axis, "input", self.names) for axis in axes]
        return tuple(axis for axis in found if axis is not None) if None not in found else ()

    def steps(self, node: Node) -> tuple[Item | None, ...]:
        listed = self.reader.items(node, "steps")
        if isinstance(node, Sequence) and not listed:
            self.report(node.place, "steps is empty", "give at least one step, as in - horizontal_flip")
        if len(listed) > MAX_STEPS:
            self.report(node.place, f"steps has {len(listed):,} steps; at most {MAX_STEPS}")
            return ()
        return tuple(map(self.item, listed))

    def item(self, node: Node) -> Item | None:
        """`- horizontal_flip`, `- random_crop: 224`, or `- rotation: {degrees: 30}`."""
        if isinstance(node, Scalar):
            return self.known(node, Mapping(node.place))
        if not isinstance(node, Mapping) or len(node.entries) != 1:
            self.reader.unless_reported(node, "a step is a name, or name: fields", DOCS)
            return None
        key, given = node.entries[0]
        return self.known(key, given)

    def known(self, key: Scalar, given: Node) -> Item | None:
        """The item of a known step."""
        if key.text not in STEPS:
            self.report(key.place, *unknown("step", key.text, STEPS).said)
            return None
        kinds = field_kinds(STEPS[key.text])
        before = len(self.reader.problems)
        if isinstance(given, Mapping):
            entries = self.reader.entries(given, key.text, kinds, lambda name: self.hint(key.text, name))
            needed = [field.name for field in fields(STEPS[key.text]) if field.default is MISSING]
            self.reader.require(key.text, needed, entries, key.place, before)
        elif not kinds:
            self.reader.unless_reported(given, f"{key.text} has no fields", f"write - {key.text}")
            return None
        else:
            first = next(iter(kinds))
            entries = {first: (key, given)}
        values = {name: self.value(key.text, name, value) for name, (_, value) in entries.items()}
        return Item(key.text, key.place, values) if len(self.reader.problems) == before else None

    def hint(self, kind: str, name: str) -> str:
        known = field_kinds(STEPS[kind])
        return did_you_mean(name, known) or f"{kind} has no fields"

    def value(self, kind: str, name: str, node: Node) -> Value:
        """An expression, a list of them, or a word that the field takes."""
        what, field = f"{kind}: {name}", field_kinds(STEPS[kind])[name]
        if isinstance(node, Scalar) and node.text in field.words:
            return constant(node.text, node.place)
        if field.name == "word":
            hint = did_you_mean(node.text, field.words, listed=False) if isinstance(node, Scalar) else ""
            self.reader.unless_reported(node, f"{what} must be {field.plain_name}", hint)
            return Reported(node.place)
        if isinstance(node, Sequence):
            return tuple(self.reader.expression_or_reported(one, what, self.names) for one in node.items)
        return self.reader.expression_or_reported(node, what, self.names)
