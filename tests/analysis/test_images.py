"""Axes are shown in their order, but for images and feature maps: papers write those h×w×c."""

import pytest

import costcalc
from costcalc import ops, report

SPEC = """
name: x
title: t
source: s
inputs: {image: [3, 8, 8], scores: [12, 16, 64]}
layers:
  - dropout: {from: image}
  - conv: {channels: 4, kernel: 3, padding: same}
  - global_average_pool
  - linear: {name: gate, features: 4}
  - reshape: {name: per_channel, size: [4, 1, 1]}
  - mul: {from: [conv, per_channel]}
  - concat: {from: [mul, conv]}
  - linear: {name: along_the_width, features: 10}
  - reshape: {name: tokens, from: concat, size: [8, 16, 4]}
  - softmax: {from: scores}
  - transpose: {from: scores, order: [0, 1, 3, 2]}
  - mat_mul: {from: [softmax, transpose]}
  - relu
"""
SHOWN = {
    "dropout": "8×8×3", "conv": "8×8×4", "global_average_pool": "4", "gate": "4", "per_channel": "1×1×4",
    "mul": "8×8×4", "concat": "8×8×8", "along_the_width": "8×8×10", "tokens": "8×16×4", "softmax": "12×16×64",
    "transpose": "12×64×16", "mat_mul": "12×16×16", "relu": "12×16×16",
}  # fmt: skip


@pytest.fixture
def cost(tmp_path):
    (tmp_path / "x.yaml").write_text(SPEC)
    return costcalc.load(str(tmp_path / "x.yaml")).cost()


def shapes(table, key):
    """Cells of a column by layer, as they are printed."""
    at = [column.key for column in table.columns].index(key)
    return {row["name"]: table.texts(row)[at] for row in table.rows}


def test_only_images_have_their_channels_last(cost):
    assert shapes(cost.table(), "output_shape") == shapes(cost.table(1), "output_shape") == SHOWN
    assert shapes(cost.table(), "input_shape") == {
        "dropout": "8×8×3", "conv": "8×8×3", "global_average_pool": "8×8×4", "gate": "4", "per_channel": "4",
        "mul": "8×8×4", "concat": "8×8×4", "along_the_width": "8×8×8", "tokens": "8×8×8", "softmax": "12×16×64",
        "transpose": "12×16×64", "mat_mul": "12×16×64", "relu": "12×16×16",
    }  # fmt: skip


CHANNELS_LAST_WITHIN = """
name: y
title: t
source: s
input: [3, 8, 8]
layers:
  - conv: {channels: 4, kernel: 3, padding: same}
  - transpose: {name: out, order: [0, 2, 3, 1]}
  - linear: {features: 6}
  - transpose: {name: back, order: [0, 3, 1, 2]}
  - conv: {name: after, channels: 4, kernel: 1}
  - transpose: {name: out2, order: [0, 2, 3, 1]}
  - transpose: {name: back2, order: [0, 3, 1, 2]}
  - add: {from: [back2, after]}
  - transpose: {name: end, order: [0, 2, 3, 1]}
"""


def test_what_is_moved_back_is_an_image_again(tmp_path):
    """As in ConvNeXt, whose linear layers have the channels last: an image is what a convolution reads, and what is
    added to one."""
    (tmp_path / "y.yaml").write_text(CHANNELS_LAST_WITHIN)
    found = shapes(costcalc.load(str(tmp_path / "y.yaml")).cost().table(), "output_shape")
    assert found == {
        "conv": "8×8×4", "out": "8×8×4", "linear": "8×8×6", "back": "8×8×6", "after": "8×8×4", "out2": "8×8×4",
        "back2": "8×8×4", "add": "8×8×4", "end": "8×8×4",
    }  # fmt: skip


@pytest.mark.parametrize("format", ["table", "markdown", "latex"])
def test_every_format_shows_them_alike(cost, format):
    text = report.text([cost.table()], cost.to_dict(), format).replace(r"$\times$", "×")
    for name, shape in SHOWN.items():
        name = name.replace("_", r"\_") if format == "latex" else name
        assert any(name in line and shape in line for line in text.splitlines()), name


def test_a_csv_has_the_axes_of_the_tensor(cost):
    text = report.text([cost.table()], cost.to_dict(), "csv")
    assert "\nconv,conv,3x8x8,4x8x8," in text and "\nmat_mul,mat_mul,12x16x64,12x16x16," in text


def test_json_and_python_have_the_axes_of_the_tensor(cost):
    layers = {layer["name"]: layer["output_shape"] for layer in cost.at_depth(1).to_dict()["layers"]}
    assert (layers["conv"], layers["mat_mul"]) == ([1, 4, 8, 8], [1, 12, 16, 16])
    assert {fold.name: fold.output_shape for fold in cost.fold(1)}["conv"] == (1, 4, 8, 8)


def test_explain_multiplies_in_the_same_order(tmp_path):
    (tmp_path / "x.yaml").write_text(SPEC)
    how = {(row["name"], row["metric"]): row["how"] for row in costcalc.explain(str(tmp_path / "x.yaml")).to_records()}
    assert how["conv", "MACs"] == "8·8·4 · 3·3·3"
    assert how["global_average_pool", "elementwise"] == "8·8·4"
    assert how["mat_mul", "MACs"] == "12·16·16 · 64"
    assert how["along_the_width", "MACs"] == "8·8·10 · 8"


def test_an_op_says_how_it_is_shown():
    with pytest.raises(TypeError) as caught:
        ops.op(type("Odd", (ops.ReLU,), {"layout": "images"}))
    assert str(caught.value) == "op Odd: layout 'images' is not one of image, plain, same"
