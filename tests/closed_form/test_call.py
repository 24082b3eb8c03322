"""A formula is a function of its knobs: what it says at their values is what the count is there."""

from fractions import Fraction

import numpy as np
import pytest

import costcalc
from costcalc.errors import ShapeError, UnknownName, UsageError

SETTINGS = [{"r": 256}, {"w": 1.1, "d": 1.2, "r": 240}, {"batch": 8, "classes": 10}, {}]


@pytest.mark.parametrize("metric", ["macs", "params", "activations"])
@pytest.mark.parametrize("settings", SETTINGS)
def test_it_is_the_count(metric, settings):
    net = costcalc.load("efficientnet")
    assert net.formula(metric)(**settings) == net.with_knobs(**settings).cost().total(metric)


def test_of_arrays_it_is_an_array_of_counts():
    net = costcalc.load("efficientnet")
    rs, ws = np.array([224, 240, 300]), np.array([1.0, 1.1, 1.2])
    counts = [net.with_knobs(r=int(r), w=float(w)).cost() for r, w in zip(rs, ws, strict=True)]
    assert net.formula()(r=rs, w=ws).tolist() == [count.macs for count in counts]
    assert net.formula("params")(r=rs, w=ws).tolist() == [count.params for count in counts]
    assert net.formula("params")(r=rs).tolist() == [net.params] * 3  # which does not depend on r
    grid = net.formula()(r=rs[:, None], w=ws[None, :])
    assert grid.shape == (3, 3)
    assert grid[2, 1] == net.with_knobs(r=300, w=1.1).macs


def test_an_array_never_wraps_around():
    net = costcalc.load("conv_normal")
    widths = np.array([10**7, 10**8])
    found = net.formula()(n_c=widths, batch=10**9)
    assert found.dtype == object
    assert found.tolist() == [net.with_knobs(n_c=int(width), batch=10**9).macs for width in widths]


def test_it_says_what_it_cannot_do():
    net = costcalc.load("resnet50@r=224")
    with pytest.raises(UnknownName, match="r is set to 224 in this formula; take that of a network"):
        net.formula()(r=256)
    with pytest.raises(UnknownName, match=r"unknown knob 'clases'; did you mean 'classes'\?"):
        net.formula()(clases=3)
    with pytest.raises(UsageError, match=r"'batch' is a whole number, got 0\.5"):
        net.formula()(batch=0.5)
    with pytest.raises(UsageError, match="knob 'r' is at least 67, got 62"):
        costcalc.formula("alexnet")(r=np.array([224, 62]))
    with pytest.raises(ShapeError, match="the formula holds for r a multiple of 32, not for 100"):
        costcalc.formula("mobilenet_v1", assume=["r%32==0"])(r=100)
    with pytest.raises(UsageError, match="the formula has no value for 'k'; give one: k=…"):
        costcalc.formula("mobilenet_v1", assume=["r=48*k"])()


def test_it_has_the_forms_of_algebra_and_no_method_that_does_nothing():
    found = costcalc.formula("conv_depthwise_separable", "params")
    assert found.text == "n_c·(f² + n_c')"
    assert found._repr_latex_() == found.latex
    assert found.latex.startswith(r"\begin{align*}")
    assert str(found.domain) == "where a window of f fits into n"
    assert not hasattr(found, "subs")
    assert found.expression.subs("nothing", 1) == found.expression
    assert Fraction(found()) == costcalc.load("conv_depthwise_separable").params


def test_the_one_without_floors_stands_beside_it():
    found = costcalc.formula("mobilenet_v1")
    assert found.without_floors.given == ("r = 32·k",)
    assert found.without_floors(k=7) == found(r=224) == costcalc.load("mobilenet_v1").macs
    assert found.without_floors.without_floors is None
    assert costcalc.formula("conv_normal").without_floors is None


def test_values_may_be_text_or_exact_wholes():
    found = costcalc.formula("vgg16")
    assert found(r="256") == found(r=Fraction(256)) == found(r=256.0) == found(r=256)
    assert str(costcalc.formula("mobilenet_v1").domain) == "32·w is a whole number"


def test_a_ratio_is_a_function_too():
    separable, normal = (costcalc.load(f"conv_{name}") for name in ("depthwise_separable", "normal"))
    found = costcalc.ratio(separable, normal)
    assert found() == found.value == Fraction(1, 5) + Fraction(1, 9)
    knobs = {"n_c_out": 16, "f": 5}
    assert found(**knobs) == Fraction(*(model.with_knobs(**knobs).macs for model in (separable, normal)))
    assert [*found(f=np.array([3, 5]))] == [found(f=3), found(f=5)]
    with pytest.raises(UnknownName, match="unknown knob 'q'"):
        found(q=3)
    with pytest.raises(UnknownName, match="is set to"):
        costcalc.ratio("resnet50@r=224", "resnet18@r=224")(r=64)
