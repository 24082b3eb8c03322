"""Names that want to be obeyed by a terminal, read as markup, or run by a browser, and results that hold them."""

import random

from costcalc.drawing.sketch import Box, Sketch, Wire
from costcalc.table import Column, Table

ZERO_WIDTH = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2064\u3164\ufe0f\ufeff\uffa0"
)


BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


OBEYED = [
    "\x1b[31m", "\x1b]8;;https://e.invalid\x1b\\", "\x1b]52;c;aGk=\x07", "\x9b2J", "\x1b[2J", "\x7f", "\r", "\n", "\b",
    "\0", "\x85", "\u2028", "\u2029", "\ud800", "\ue000", "\U000e0001", "\U000e0100", *ZERO_WIDTH, *BIDI,
]  # fmt: skip


def hostile_names(count):
    dice = random.Random(18)
    harmless = ["conv", "relu", "×", "é", "畳", "[bold]", "1", " ", "_"]
    return ["".join(dice.choices(OBEYED, k=dice.randint(1, 3)) + dice.choices(harmless, k=3)) for _ in range(count)]


def table_of(names):
    columns = (Column("name", names[0], "text"), Column("macs", "MACs"), Column("shape", "out", "shape"))
    rows = [{"name": name, "macs": 7, "shape": (1, name)} for name in names]
    return Table(names[0], columns, rows, {"name": names[-1], "macs": 7 * len(names)}, [names[0], names[-1]])


def document_of(names):
    layers = [
        {"name": name, "op": name, "inputs": [names[i - 1]] if i else [], "output_shape": [1, name], "times": 1}
        for i, name in enumerate(names)
    ]
    return {"target": names[0], "layers": layers}


def sketch_of(names):
    """Boxes with these names, each in the frame of the one before it."""
    boxes = [
        Box(f"b{i}", name, (name,), (names[i // 5 * 5],), 0.5, 0.5, layers=(i,), name=name)
        for i, name in enumerate(names)
    ]
    wires = [Wire(f"b{i - 1}", f"b{i}", name) for i, name in enumerate(names) if i]
    return Sketch(names[0], boxes, wires, {name: name for name in names[::5]}, names[1], (names[2],))


def shown_as(format, names):
    """What is written in a format: the sketch of a drawing, or a document."""
    return sketch_of(names) if format in ("mermaid", "dot") else document_of(names)


def names_with_brackets(count=1000):
    dice = random.Random(17)
    parts = [
        "conv", "[relu]", "[/x]", "[bold]", "[", "]", "[link=x]", "[/]", "\\[", ":smile:", "*", "_x_", "`", "~", "$",
        "%", "{", "}", "#", "&amp;", "<b>", "|", "\\", "^", "'", "--", "@", "123", "https://x.y", "=", '"',
    ]  # fmt: skip
    return [f"{i}{''.join(dice.choices(parts, k=dice.randint(1, 5)))}" for i in range(count)]


def xss(count=200):
    seeds = [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "<body onload=x>",
        "'><script src=//e.invalid>", "<a href='javascript:alert(1)'>x</a>", "</td><script>1</script>", "]]>", "<!--",
        "</table><iframe src='https://e.invalid'>", "<style>@import 'https://e.invalid'</style>", "&lt;script&gt;",
        'click n1 href "javascript:x"', '"] --> n9["x', '"]; n9 -> n1; n8 [label="', "end", "n1 --> n2", "`**x**`",
        "%%{init: {}}%%", "<<b>x</b>>", "}\ndigraph {", "\\", '\\"', "\\N", "subgraph x", 'x"]\n    n9["y',
        "https://e.invalid/x.png", "<link rel=stylesheet href=//e.invalid>",
    ]  # fmt: skip
    dice = random.Random(19)
    return [*seeds, *("".join(dice.choices(seeds, k=2)) + str(i) for i in range(count - len(seeds)))]
