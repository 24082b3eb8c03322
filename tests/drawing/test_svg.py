"""Drawings as files: text is text, nothing leads outside, readable in the light and in the dark, the same bytes."""

import os
import random
import re
import subprocess
import sys
from itertools import accumulate, pairwise
from xml.etree import ElementTree

import pytest
from support import needed
from support.color_vision import DEFICIENT, contrast, luminance, seen
from support.hostile_names import xss
from support.paths import DATA, ROOT

import costcalc
from costcalc import ops
from costcalc.drawing.row_ranges import row_ranges
from costcalc.drawing.shapes import LOOKS, MAX_SHADE
from costcalc.errors import MissingExtra, UsageError
from costcalc.table import visible

GOLDEN = DATA / "drawings"
NAMESPACE = "{http://www.w3.org/2000/svg}"
PICTURES = {
    "inception_module.svg": ("inception_module", {}),
    "residual_block.svg": ("residual_block", {"shade": "params"}),
    "lenet5_volumes.svg": ("lenet5", {"style": "volumes"}),
}
RIGHT_TO_LEFT = "شبكة"
NAMES = ["a" * 300, RIGHT_TO_LEFT, "\u202etxt.exe", *xss(60)]


def svg_of(target, **how):
    return costcalc.load(target).drawing(**how).svg()


def hostile_graph(names=NAMES):
    graph = costcalc.new_graph()
    at = costcalc.add(graph, "in & <out>", ops.Input((1, 3, 8, 8)))
    for name in names:
        at = costcalc.add(graph, name, ops.Conv(4, 3, padding=1), at)
    return graph


@pytest.mark.parametrize("file", PICTURES)
def test_golden(file):
    """COSTCALC_UPDATE_GOLDEN=1 writes the pictures of today; look at them."""
    target, how = PICTURES[file]
    if os.environ.get("COSTCALC_UPDATE_GOLDEN"):
        (GOLDEN / file).write_text(svg_of(target, **how), encoding="utf-8")
    assert svg_of(target, **how) == (GOLDEN / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("style", ["blocks", "volumes"])
def test_it_is_plain_xml_that_says_what_it_is(style):
    text = svg_of("alexnet", style=style)
    root = ElementTree.fromstring(text)
    kinds = {element.tag.removeprefix(NAMESPACE) for element in root.iter()}
    assert kinds <= {"svg", "title", "desc", "style", "defs", "marker", "path", "rect", "text", "polyline", "polygon",
                     "g"}  # fmt: skip
    assert "style=" not in text and "var(" not in text and "paint-order" not in text and "@import" not in text
    assert re.findall(r"\w+:/*[\w.]+/[\w./]*", text) == ["http://www.w3.org/2000/svg"]
    assert root.get("role") == "img"
    title, desc = (root.find(f"{NAMESPACE}{kind}") for kind in ("title", "desc"))
    assert root.get("aria-labelledby").split() == [title.get("id"), desc.get("id")] and title.text and desc.text
    texts = [element.text for element in root.iter(f"{NAMESPACE}text")]
    assert "conv1" in texts and not any(text is None or text != text.strip() for text in texts)


def rows_of(text):
    """The numbers that `3-17,20,24-40/8` stands for."""
    for part in text.split(","):
        first, last, step = re.fullmatch(r"(\d+)(?:-(\d+)(?:/(\d+))?)?", part).groups()
        yield from range(int(first), int(last or first) + 1, int(step or 1))


@pytest.mark.parametrize("target", ["resnet50", "googlenet", "mobilenet_v2"])
def test_each_box_says_which_rows_it_holds(target):
    net = costcalc.load(target)
    said = re.findall(r'data-layers="([^"]*)"', net.drawing().svg())
    held = [sorted(placed.box.layers) for placed in net.drawing().data.boxes if placed.box.title != "output"]
    assert held == [sorted(rows_of(text)) for text in said]


def test_rows_of_many_copies_take_few_characters():
    assert row_ranges([5, 3, 4, 20, 9]) == "3-5,9,20"
    copies = [8 * copy + row for copy in range(33_000) for row in (3, 4, 7)]
    assert row_ranges(copies, 33_000) == "3-263995/8,4-263996/8,7-263999/8"
    rng = random.Random(19)
    for most in (1, 2, 5):
        numbers = list(accumulate(rng.choices(range(1, most + 1), k=200)))
        assert [*rows_of(row_ranges(numbers))] == numbers
        assert sorted(rows_of(row_ranges(numbers, 50))) == numbers


def test_ids_differ_on_one_page():
    drawing = costcalc.load("conv1x1").drawing()
    texts = [drawing.svg(name) for name in ("a", "b")]
    ids = [{*re.findall(r' id="([^"]+)"', text)} for text in texts]
    assert len(ids[0] | ids[1]) == 6
    assert all({*re.findall(r"url\(#([^)]+)\)", text)} == {f"{name}-head"} for name, text in zip("ab", texts))


@pytest.mark.parametrize("style", ["blocks", "volumes"])
def test_hostile_names_stay_text(style):
    names = NAMES if style == "blocks" else NAMES[:18]
    text = svg_of(hostile_graph(names), style=style, **({"every_layer": True} if style == "blocks" else {}))
    root = ElementTree.fromstring(text)
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on")} and "href" not in attributes
    assert {element.tag.removeprefix(NAMESPACE) for element in root.iter()}.isdisjoint({"script", "img", "a", "image"})
    hovers = " ".join(element.text or "" for element in root.iter(f"{NAMESPACE}title"))
    assert "a" * 300 in hovers and visible(NAMES[2]) in hovers and NAMES[2] not in text
    assert RIGHT_TO_LEFT in hovers
    shown = [*root.iter(f"{NAMESPACE}text")]
    assert all(element.get("unicode-bidi") == "isolate" for element in shown)
    assert max(len(element.text) for element in shown) < 80


def mixed(over, under, share):
    """A colour over another, as hexadecimal."""
    pairs = ((int(color[i : i + 2], 16) for color in (over, under)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


def test_text_is_readable_on_the_darkest_shade_and_on_four_frames():
    look = LOOKS
    light = mixed(look["shade"].fill, look["box"].fill, MAX_SHADE)
    dark = mixed(look["shade"].dark_fill, look["box"].dark_fill, MAX_SHADE)
    assert contrast(look["ink"].fill, light) > 6.5 and contrast(look["ink"].dark_fill, dark) > 6.5
    frame, night = look["paper"].fill, look["paper"].dark_fill
    for _ in range(4):
        frame, night = mixed("#000000", frame, 0.04), mixed("#ffffff", night, 0.04)
    assert contrast(look["fine"].fill, frame) > 6.5 and contrast(look["fine"].dark_fill, night) > 6.5
    assert contrast(look["wire"].stroke, frame) > 4.5 and contrast(look["wire"].dark_stroke, night) > 4.5


@pytest.mark.parametrize("deficiency", [*DEFICIENT])
def test_shades_keep_their_order_however_they_are_seen(deficiency):
    steps = [mixed(LOOKS["shade"].fill, "#ffffff", MAX_SHADE * share / 5) for share in range(6)]
    lights = [luminance(seen(color, deficiency)) for color in steps]
    assert lights == sorted(lights, reverse=True) and all(a - b > 0.05 for a, b in pairwise(lights))


def test_the_same_bytes_with_every_hash_seed():
    code = "import costcalc, hashlib; t = ''.join(costcalc.load(n).drawing().svg() for n in ('lenet5', 'resnet50'))"
    code += "; print(hashlib.sha256(t.encode()).hexdigest())"
    seen_hashes = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        ).stdout
        for seed in ("0", "7")
    }  # fmt: skip
    assert len(seen_hashes) == 1


def test_png_and_pdf_are_drawn_from_the_same_shapes(tmp_path):
    needed.module("matplotlib", "report")
    drawing = costcalc.load("residual_block").drawing()
    for suffix, head in ((".png", b"\x89PNG"), (".pdf", b"%PDF")):
        path = tmp_path / f"a{suffix}"
        drawing.save(path)
        first = path.read_bytes()
        drawing.save(path)
        assert first[:4] == head and path.read_bytes() == first
    width, height = (int.from_bytes((tmp_path / "a.png").read_bytes()[at : at + 4], "big") for at in (16, 20))
    assert (width, height) == (int(drawing.width * 2), int(drawing.height * 2))


def test_a_format_without_its_package_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    drawing = costcalc.load("conv1x1").drawing()
    drawing.save(tmp_path / "a.svg")
    with pytest.raises(MissingExtra, match=r"costcalc\[report\]"):
        drawing.save(tmp_path / "a.png")
    with pytest.raises(UsageError, match=r"a drawing is one of .svg .png .pdf"):
        drawing.save(tmp_path / "a.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]


def test_a_notebook_shows_it():
    drawing = costcalc.load("conv1x1").drawing()
    assert drawing._repr_svg_() == drawing.svg()
    assert repr(drawing).startswith("<costcalc.Drawing 'conv1x1")
