"""What is left open never becomes a number: values of blocks and sizes, columns whose points differ in validity."""

import numpy as np
import pytest

import costcalc
from costcalc import load, ops
from costcalc.analysis.closed_form.formula import derive
from costcalc.errors import ShapeError, SpecError


@pytest.fixture
def spec(tmp_path):
    """Writes a spec and loads it."""

    def write(knobs, layers, shape="[a]", more="", name="net"):
        path = tmp_path / f"{name}.yaml"
        head = f"name: {name}\ntitle: t\nsource: s\nknobs: {knobs}\n{more}input: {shape}\n"
        path.write_text(f"{head}layers:\n{layers}")
        return load(str(path))

    return write


# ---- conditions that are values

BLOCK = "blocks:\n  b(on):\n  - linear: {features: 3, bias: on}\n"


@pytest.mark.parametrize(
    ("more", "layer"),
    [
        (BLOCK, "- b: {on: r > 5}\n"),
        ("sizes: {on: r > 5}\n", "- linear: {features: 3, bias: on}\n"),
        ("", "- linear: {features: 3, bias: r > 5}\n"),
    ],
)
def test_an_undecided_value_is_refused_and_no_layer_is_lost(spec, more, layer):
    net = spec("{r: 9}", f"{layer}- linear: {{features: 7, bias: false}}\n", "[1, r]", more)
    assert net.cost().params == 3 * 9 + 3 + 7 * 3
    with pytest.raises(SpecError, match="cannot decide r > 5 while its letters are free; set them"):
        derive(net, "params")


def test_a_column_that_decides_both_ways_is_said_to(spec):
    net = spec("{r: 9}", "- linear: {features: 3 if r > 5 else 4, bias: false}\n", "[1, r]")
    with pytest.raises(SpecError, match=r"r > 5 holds at some points of a column and not at others; count them apart"):
        net.with_knobs(r=np.array([3, 9])).cost()
