"""Colours that carry meaning differ for every kind of colour vision and in grey print, and never say it alone."""

import re
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from support import needed
from support.color_vision import DEFICIENT, contrast, distance, luminance, seen

import costcalc
from costcalc.report import terminal

CLEAR = 20  # ΔE*ab: ten times what can just be told apart side by side
VISIONS = ("", *DEFICIENT)
CSS = (Path(costcalc.__file__).parent / "report" / "page" / "page.css").read_text(encoding="utf-8")


def as_hex(color):
    needed.module("matplotlib", "report")
    from matplotlib.colors import to_hex

    return to_hex(color)


def test_the_simulation_is_the_published_one():
    red, green = "#ff0000", "#00ff00"
    assert distance("#000000", "#ffffff") == pytest.approx(100, abs=0.1)
    assert distance(red, green) == pytest.approx(170.6, abs=0.5)
    assert distance(red, green, "deuteranopia") < distance(red, green) / 2
    for vision in VISIONS:
        assert seen("#ffffff", vision) == pytest.approx((1, 1, 1), abs=1e-4)  # rows add up to 1


@pytest.mark.parametrize("vision", VISIONS)
def test_the_colors_of_a_chart_differ(vision):
    needed.module("matplotlib", "report")
    from costcalc.chart.axes import ACCENT, INK, PALE

    colors = [as_hex(color) for color in (INK, PALE, ACCENT, "white")]
    assert min(distance(one, other, vision) for one, other in combinations(colors, 2)) >= CLEAR


@pytest.mark.parametrize("vision", VISIONS)
def test_a_map_is_darker_where_there_is_more(vision):
    from costcalc.chart.draw_heat_map import _pale

    shades = [as_hex(_pale()(step / 8)) for step in range(9)]
    lights = [luminance(seen(shade, vision)) for shade in shades]
    assert all(more < less for less, more in pairwise(lights))
    assert distance(shades[0], shades[4], vision) >= 8
    assert distance(shades[4], shades[8], vision) >= CLEAR
    assert contrast(shades[-1], "#000000") >= 4.5  # numbers stand on it


def test_no_two_series_differ_in_color_alone():
    needed.module("matplotlib", "report")
    from costcalc.chart.draw import LOOKS, MARKERS

    looks = [(look.get("linestyle", "-"), look.get("marker"), look.get("drawstyle")) for look in LOOKS.values()]
    assert len(set(looks)) == len(looks)
    assert len(set(MARKERS)) == len(MARKERS)


@pytest.mark.parametrize("vision", VISIONS)
def test_kinds_of_memory_differ_from_those_they_lie_on(vision):
    from costcalc.analysis.training.timeline import KINDS
    from costcalc.chart.draw_bands import FILLS

    for one, other in pairwise(KINDS):
        assert distance(FILLS[one][0], FILLS[other][0], vision) >= CLEAR
    assert distance(FILLS["buffers"][0], FILLS["activations"][0], vision) >= 8  # at inference, where the key says which
    assert len({FILLS[kind] for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("vision", VISIONS)
def test_bars_side_by_side_differ(vision):
    from costcalc.chart.draw_bars import FILLS

    for one, other in pairwise(FILLS):
        assert distance(one[0], other[0], vision) >= CLEAR or one[1] != other[1]
    assert len(set(FILLS)) == len(FILLS)


@pytest.mark.parametrize("vision", VISIONS)
def test_kinds_of_layers_differ_in_mark_and_in_color(vision):
    from costcalc.chart.draw_roofline import KINDS

    assert len({marker for marker, _ in KINDS}) == len(KINDS)
    for (_, one), (_, other) in combinations(KINDS[:4], 2):  # more kinds are rare, and differ in their marks
        assert distance(as_hex(one), as_hex(other), vision) >= (8 if vision == "greyscale" else CLEAR)


@pytest.mark.parametrize("vision", VISIONS)
def test_the_inks_of_the_page_are_legible_and_differ(vision):
    schemes = re.findall(r":root \{([^}]*)\}", CSS)
    assert len(schemes) == 3  # light, dark and print
    for scheme in schemes:
        inks = dict(re.findall(r"--(\w+): (#\w{6})", scheme))
        assert all(contrast(inks[name], inks["paper"]) >= 4.5 for name in ("ink", "fine", "mark") if name in inks)
        if "mark" in inks:
            assert distance(inks["mark"], inks["ink"], vision) >= CLEAR


def test_a_terminal_says_nothing_by_color_alone():
    """What is coloured are heads, which stand first, and large cells, whose numbers say it."""
    colored = {name for name, style in terminal.STYLES.items() if {*style.split()} - {"bold", "dim"}}
    assert colored == {"head", "large"}
