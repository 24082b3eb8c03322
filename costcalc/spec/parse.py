"""A tree of YAML becomes a Spec; every problem is collected, each with its place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

from costcalc.dims import LARGEST
from costcalc.errors import Place, Problem, SpecError, UnknownName, did_you_mean, unknown
from costcalc.ops import OPS, field_kinds
from costcalc.spec.expressions import FUNCTIONS, NAME, Expression, constant
from costcalc.spec.expressions import parse as parse_expression
from costcalc.spec.model import Block, Item, Knob, Preset, Published, Spec, Value
from costcalc.spec.reader import MAX_BYTES, Mapping, Node, Scalar, Sequence, read

HEAD = ("name", "title", "source", "about", "knobs", "presets")
TOP = (*HEAD, "sizes", "input", "inputs", "blocks", "layers", "published")
JOINS = ("add", "mul", "concat")
STRUCTURES = ("group", "repeat", "side")
EXTRAS = ("name", "from", "when", "shares")
METRICS = ("params", "weights", "norm", "macs", "connections")
SIGNATURE = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\((.*)\))?\s*", re.DOTALL)
FIGURE = re.compile(r"[0-9]{1,3}(,[0-9]{3})+|[0-9]+(\.[0-9]+)?[KMGB]?")


def parse_file(path: str | Path, *, head_only: bool = False, max_bytes: int = MAX_BYTES) -> Spec:
    """The Spec in a file. Raises SpecError with all its problems, or FileNotFoundError and its like."""
    with open(path, "rb") as file:
        data = file.read(max_bytes + 1)
    return parse_text(data, str(path), head_only=head_only, max_bytes=max_bytes)


def parse_text(data: bytes | str, file: str, *, head_only: bool = False, max_bytes: int = MAX_BYTES) -> Spec:
    """The Spec in a text; with `head_only` no further than its knobs and presets. `file` names it in messages."""
    stop_at = frozenset(TOP) - frozenset(HEAD) if head_only else frozenset()
    parser = _Parser(read(data, file, max_bytes=max_bytes, stop_at=stop_at), file, head_only)
    spec = parser.spec()
    if parser.problems:
        raise SpecError(parser.problems)
    return spec


class _Parser:
    """Walks the tree once. What is wrong goes into `problems`; parsing goes on with what is right."""

    def __init__(self, top: Mapping, file: str, head_only: bool):
        self.top, self.file, self.head_only = top, file, head_only
        self.problems: list[Problem] = []
        self.blocks: dict[str, Block] = {}

    # --- small readers -------------------------------------------------------------------------------------------

    def wrong(self, place: Place, message: str, hint: str = "") -> None:
        self.problems.append(Problem(place, message, hint))

    def entries(self, node: Node, what: str, known: Iterable[str] | None = None) -> dict[str, tuple[Scalar, Node]]:
        """The entries of a mapping by key; keys that are not `known` are reported."""
        if not isinstance(node, Mapping):
            self.wrong(node.place, f"{what} is a mapping, key: value", "see docs/specs.md")
            return {}
        found = {}
        for key, value in node.entries:
            if known is not None and key.text not in known:
                self.wrong(key.place, unknown(f"key in {what}", key.text, known))
            else:
                found[key.text] = (key, value)
        return found

    def items_of(self, node: Node, what: str) -> list[Node]:
        if isinstance(node, Sequence):
            return node.items
        self.wrong(node.place, f"{what} is a list, - item", "see docs/specs.md")
        return []

    def text(self, node: Node, what: str) -> str:
        if isinstance(node, Scalar) and node.text:
            bad = next((sign for sign in node.text if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co")), None)
            if bad is None or bad in "\n\t":
                return node.text
            self.wrong(node.place, f"{what} has an invisible character, U+{ord(bad):04X}", "remove it")
            return ""
        self.wrong(node.place, f"{what} is text")
        return ""

    def word(self, node: Node, what: str) -> str:
        """A name: letters, digits and _, up to 64 of them, not starting with a digit."""
        text = node.text if isinstance(node, Scalar) else ""
        if NAME.fullmatch(text):
            return text
        shown = f", got {text[:40]!r}" if text else ""
        self.wrong(node.place, f"{what} is a name of letters, digits and _ (at most 64){shown}")
        return ""

    def attempt(self, function: Callable[..., Any], *args: Any, otherwise: Any = None) -> Any:
        """The function's value, or `otherwise` with its problems noted."""
        try:
            return function(*args)
        except SpecError as error:
            self.problems += error.problems
            return otherwise

    def expression(self, node: Node, what: str) -> Expression:
        if not isinstance(node, Scalar) or node.value is None:
            self.wrong(node.place, f"{what} is a number or an expression")
            return constant(1, node.place)
        if isinstance(node.value, str):
            parsed: Expression = self.attempt(parse_expression, node.value, node.place, otherwise=None)
            return parsed or constant(1, node.place)
        return constant(node.value, node.place)

    def value(self, node: Node, what: str) -> Value:
        """An expression, or nested lists of them."""
        if isinstance(node, Sequence):
            return tuple(self.value(item, what) for item in node.items)
        return self.expression(node, what)

    def number(self, node: Node, what: str) -> Any:
        value = self.expression(node, what)
        return self.attempt(value.value, {}, otherwise=1)

    # --- the head ------------------------------------------------------------------------------------------------

    def spec(self) -> Spec:
        top = self.entries(self.top, "a spec", TOP)
        needed = ["name", "title", "source"] + ([] if self.head_only else ["layers"])
        for key in needed:
            if key not in top:
                self.wrong(self.top.place, f"a spec needs {key!r}", "see docs/specs.md")
        if not self.head_only and ("input" in top) == ("inputs" in top):
            self.wrong(self.top.place, "a spec needs 'input', or 'inputs' for several")
        head = {key: self.text(top[key][1], key) for key in ("title", "source", "about") if key in top}
        name = self.word(top["name"][1], "name") if "name" in top else ""
        knobs = self.knobs(top["knobs"][1]) if "knobs" in top else {}
        knobs.setdefault("batch", Knob("batch", 1, about="examples at once"))
        presets = self.presets(top["presets"][1], knobs) if "presets" in top else {}
        if self.head_only:
            return Spec(name, head.get("title", ""), head.get("source", ""), self.file, head.get("about", ""), knobs, presets)  # fmt: skip
        sizes = self.sizes(top["sizes"][1], knobs) if "sizes" in top else {}
        if "blocks" in top:
            self.read_blocks(top["blocks"][1])
        return Spec(
            name, head.get("title", ""), head.get("source", ""), self.file, head.get("about", ""), knobs, presets, sizes,
            self.inputs(top), self.blocks, self.layers(top["layers"][1]) if "layers" in top else (),
            self.published(top["published"][1], knobs, presets) if "published" in top else (),
        )  # fmt: skip

    def knobs(self, node: Node) -> dict[str, Knob]:
        found: dict[str, Knob] = {}
        for key, value in self.entries(node, "knobs").values():
            name = self.word(key, "a knob")
            if name in FUNCTIONS:
                self.wrong(key.place, f"{name!r} is a function", "give the knob another name")
            elif name:
                found[name] = self.knob(name, key.place, value)
        return found

    def knob(self, name: str, place: Place, node: Node) -> Knob:
        if not isinstance(node, Mapping):
            default = node.value if isinstance(node, Scalar) and isinstance(node.value, bool) else self.number(node, f"knob {name}")  # fmt: skip
            knob = Knob(name, default, self.guess(default), place=place, low=0 if isinstance(default, Fraction) else 1)
            return self.checked(knob, node.place)
        known = ("default", "kind", "min", "max", "choices", "about", "letter")
        given = self.entries(node, f"knob {name}", known)
        if "default" not in given:
            self.wrong(place, f"knob {name} needs a default")
            return Knob(name, 1, place=place)
        choices = tuple(self.word(c, "a choice") for c in self.items_of(given["choices"][1], "choices")) if "choices" in given else ()  # fmt: skip
        default_node = given["default"][1]
        if choices:
            default, kind = self.text(default_node, f"default of {name}"), "choice"
        elif isinstance(default_node, Scalar) and isinstance(default_node.value, bool):
            default, kind = default_node.value, "flag"
        else:
            default = self.number(default_node, f"default of {name}")
            kind = self.text(given["kind"][1], "kind") if "kind" in given else self.guess(default)
            if kind not in ("integer", "real"):
                self.wrong(given["kind"][1].place, unknown("kind of knob", kind, ["integer", "real", "flag", "choice"]))
                kind = self.guess(default)
        low = self.number(given["min"][1], "min") if "min" in given else (1 if kind == "integer" else Fraction(1, 1000))
        high = self.number(given["max"][1], "max") if "max" in given else LARGEST
        texts = {key: self.text(given[key][1], key) for key in ("about", "letter") if key in given}
        knob = Knob(name, default, kind, low, high, choices, texts.get("about", ""), texts.get("letter", ""), place)
        return self.checked(knob, default_node.place)

    def checked(self, knob: Knob, place: Place) -> Knob:
        try:
            knob.check(knob.default)
        except UnknownName as error:
            self.wrong(place, f"default: {error}")
        return knob

    @staticmethod
    def guess(default: Any) -> str:
        return "flag" if isinstance(default, bool) else "integer" if isinstance(default, int) else "real"

    def presets(self, node: Node, knobs: dict[str, Knob]) -> dict[str, Preset]:
        found = {}
        for key, value in self.entries(node, "presets").values():
            name = self.word(key, "a preset")
            given = self.entries(value, f"preset {name}")
            about = self.text(given.pop("about")[1], "about") if "about" in given else ""
            found[name] = Preset(name, self.settings(given, knobs), about, key.place)
        return found

    def settings(self, given: dict[str, tuple[Scalar, Node]], knobs: dict[str, Knob]) -> dict[str, Any]:
        settings = {}
        for name, (key, node) in given.items():
            if name not in knobs:
                self.wrong(key.place, unknown("knob", name, knobs))
                continue
            literal = isinstance(node, Scalar) and (knobs[name].kind == "choice" or isinstance(node.value, bool))
            value = (node.text if knobs[name].kind == "choice" else node.value) if literal else self.number(node, name)  # type: ignore[union-attr]
            try:
                settings[name] = knobs[name].check(value)
            except UnknownName as error:
                self.wrong(node.place, str(error))
        return settings

    def sizes(self, node: Node, knobs: dict[str, Knob]) -> dict[str, Expression]:
        found = {}
        for key, value in self.entries(node, "sizes").values():
            name = self.word(key, "a size")
            if name in knobs or name in FUNCTIONS:
                self.wrong(key.place, f"{name!r} is a {'knob' if name in knobs else 'function'} already", "give it another name")  # fmt: skip
            elif name:
                found[name] = self.expression(value, name)
        return found

    def inputs(self, top: dict[str, tuple[Scalar, Node]]) -> dict[str, tuple[Expression, ...]]:
        if "input" in top:
            return {"input": self.shape(top["input"][1], "input")}
        if "inputs" not in top:
            return {}
        listed = self.entries(top["inputs"][1], "inputs").values()
        return {self.word(key, "an input"): self.shape(value, key.text) for key, value in listed}

    def shape(self, node: Node, what: str) -> tuple[Expression, ...]:
        return tuple(self.expression(item, what) for item in self.items_of(node, what))

    # --- blocks and layers ---------------------------------------------------------------------------------------

    def read_blocks(self, node: Node) -> None:
        for key, value in self.entries(node, "blocks").values():
            match = SIGNATURE.fullmatch(key.text)
            if not match or not NAME.fullmatch(match[1]):
                self.wrong(key.place, f"{key.text[:60]!r} is no block", "write name(parameter, parameter=default)")
                continue
            name = match[1]
            if name in OPS or name in STRUCTURES or name in self.blocks:
                self.wrong(key.place, f"{name!r} is {'a block' if name in self.blocks else 'an op'} already", "give the block another name")  # fmt: skip
                continue
            parameters = self.parameters(match[2] or "", key.place)
            self.blocks[name] = Block(name, parameters, self.layers(value), key.place)

    def parameters(self, text: str, place: Place) -> dict[str, Expression | None]:
        found: dict[str, Expression | None] = {}
        for part in text.split(",") if text.strip() else []:
            name, equals, default = (piece.strip() for piece in part.partition("="))
            if not NAME.fullmatch(name) or name in found or name in EXTRAS:
                self.wrong(place, f"{part.strip()[:40]!r} is no parameter", "write name or name=default, each once")
                continue
            found[name] = self.attempt(parse_expression, default, place) if equals else None
        return found

    def layers(self, node: Node) -> tuple[Item, ...]:
        found = (self.item(item) for item in self.items_of(node, "layers"))
        return tuple(item for item in found if item is not None)

    def item(self, node: Node) -> Item | None:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return Item(node.text, node.place) if self.known_kind(node.text, node.place) else None
        if not isinstance(node, Mapping) or len(node.entries) != 1:
            extra = node.entries[1][0].place if isinstance(node, Mapping) and len(node.entries) > 1 else node.place
            self.wrong(extra, "a layer is one op or block: `- relu` or `- conv: {channels: 64, kernel: 3}`", "indent the fields of a layer below it")  # fmt: skip
            return None
        key, value = node.entries[0]
        if not self.known_kind(key.text, key.place):
            return None
        if key.text in STRUCTURES or key.text in JOINS:
            return self.structure(key, value)
        return self.call(key, value)

    def known_kind(self, kind: str, place: Place) -> bool:
        known = [*(name for name in OPS if name != "input"), *self.blocks, *STRUCTURES]
        if kind in known:
            return True
        self.wrong(place, unknown("op or block", kind, known) if did_you_mean(kind, known).startswith("did") else f"unknown op or block {kind[:64]!r}; see docs/specs.md, or docs/add_an_op.md to teach it one")  # fmt: skip
        return False

    def call(self, key: Scalar, node: Node) -> Item:
        kind = key.text
        names = list(self.blocks[kind].parameters) if kind in self.blocks else list(field_kinds(OPS[kind]))
        if not isinstance(node, Mapping):
            if not names:
                self.wrong(node.place, f"{kind} has no fields")
                return Item(kind, key.place)
            return Item(kind, key.place, positional=self.value(node, names[0]))
        given = self.entries(node, kind, [*names, *EXTRAS])
        fields = {name: self.field(kind, name, value) for name, (_, value) in given.items() if name not in EXTRAS}
        places = {name: value.place for name, (_, value) in given.items()}
        return Item(kind, key.place, fields, places=places, **self.extras(given))

    def field(self, kind: str, name: str, node: Node) -> Value:
        """A field's value; a word the field knows (`same`) stands for itself."""
        if isinstance(node, Scalar) and kind in OPS and node.text in field_kinds(OPS[kind])[name].words:
            return constant(node.text, node.place)
        return self.value(node, f"{kind}: {name}")

    def extras(self, given: dict[str, tuple[Scalar, Node]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if "name" in given:
            found["name"] = self.word(given["name"][1], "name")
        if "from" in given:
            node = given["from"][1]
            listed = node.items if isinstance(node, Sequence) else [node]
            found["sources"] = tuple(self.path(one, "from") for one in listed)
        if "when" in given:
            found["when"] = self.expression(given["when"][1], "when")
        if "shares" in given:
            found["shares"] = self.path(given["shares"][1], "shares")
        return found

    def path(self, node: Node, what: str) -> str:
        """`conv`, or `stage1.conv`."""
        text = node.text if isinstance(node, Scalar) else ""
        if text and all(re.fullmatch(r"\w{1,64}", part) for part in text.split(".")):
            return text
        self.wrong(node.place, f"{what} is the name of a layer")
        return ""

    def structure(self, key: Scalar, node: Node) -> Item | None:
        kind = key.text
        if kind in JOINS:
            return self.join(key, node)
        own = ("layers", "times") if kind == "repeat" else ("layers",)
        given = self.entries(node, kind, [*own, *(e for e in EXTRAS if e != "shares")])
        if "layers" not in given or ("times" not in given and kind == "repeat"):
            self.wrong(key.place, f"{kind} needs {' and '.join(map(repr, own))}")
            return None
        fields = {"times": self.expression(given["times"][1], "times")} if kind == "repeat" else {}
        return Item(kind, key.place, fields, branches=(self.layers(given["layers"][1]),), **self.extras(given))

    def join(self, key: Scalar, node: Node) -> Item | None:
        kind = key.text
        if isinstance(node, Sequence):
            return Item(kind, key.place, branches=self.branch_lists(node, kind))
        names = list(field_kinds(OPS[kind]))
        given = self.entries(node, kind, [*names, "branches", *(e for e in EXTRAS if e != "shares")])
        fields = {name: self.field(kind, name, value) for name, (_, value) in given.items() if name in names}
        branches = self.branch_lists(given["branches"][1], kind) if "branches" in given else None
        if branches is None and "from" not in given:
            self.wrong(key.place, f"{kind} needs branches, or `from` with the layers to join")
            return None
        return Item(kind, key.place, fields, branches=branches, **self.extras(given))

    def branch_lists(self, node: Node, kind: str) -> tuple[tuple[Item, ...], ...]:
        branches = tuple(self.layers(branch) for branch in self.items_of(node, f"branches of {kind}"))
        if len(branches) < 2:
            self.wrong(node.place, f"{kind} joins two or more branches, got {len(branches)}")
        return branches

    # --- published figures ---------------------------------------------------------------------------------------

    def published(self, node: Node, knobs: dict[str, Knob], presets: dict[str, Preset]) -> tuple[Published, ...]:
        found = (self.figure(item, knobs, presets) for item in self.items_of(node, "published"))
        return tuple(figure for figure in found if figure is not None)

    def figure(self, node: Node, knobs: dict[str, Knob], presets: dict[str, Preset]) -> Published | None:
        given = self.entries(node, "a published figure", ["metric", "value", "preset", "at", "block", "K", "source", "because"])  # fmt: skip
        lacking = [key for key in ("metric", "value", "source") if key not in given]
        if lacking:
            self.wrong(node.place, f"a published figure needs {' and '.join(map(repr, lacking))}")
            return None
        texts = {key: self.text(pair[1], key) for key, pair in given.items() if key not in ("at", "block")}
        if texts["metric"] not in METRICS:
            self.wrong(given["metric"][1].place, unknown("metric", texts["metric"], METRICS))
        if not FIGURE.fullmatch(texts["value"]):
            self.wrong(given["value"][1].place, f"{texts['value'][:30]!r} is no figure", "digits, and K, M, G or B: 61,706 or 5.3M")  # fmt: skip
            return None
        if texts.get("K", "1000") not in ("1000", "1024"):
            self.wrong(given["K"][1].place, "K is 1000 or 1024")
        if "preset" in texts and texts["preset"] not in presets:
            self.wrong(given["preset"][1].place, unknown("preset", texts["preset"], presets))
            return None
        at = self.settings(self.entries(given["at"][1], "at"), knobs) if "at" in given else {}
        block = self.path(given["block"][1], "block") if "block" in given else ""
        return Published(texts["metric"], texts["value"], texts["source"], texts.get("preset", ""), at, block,
                         1024 if texts.get("K") == "1024" else 1000, texts.get("because", ""), node.place)  # fmt: skip
