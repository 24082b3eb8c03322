"""What to do about an error is data of it, and no part of a text that someone has to read apart."""

import copy

import pytest

from costcalc.errors import (
    CostcalcError,
    Problems,
    ShapeError,
    UnknownName,
    UsageError,
    did_you_mean,
    did_you_mean_any,
    unknown,
)


@pytest.mark.parametrize("kind", [CostcalcError, ShapeError, UsageError, UnknownName])
def test_an_error_says_its_message_and_then_its_hint(kind):
    error = kind("it does not fit", "take a larger one")
    assert str(error) == "it does not fit; take a larger one"
    assert error.said == ("it does not fit", "take a larger one")
    assert str(kind("it does not fit")) == "it does not fit"
    sent = copy.deepcopy(error)
    assert (type(sent), str(sent), sent.said) == (kind, str(error), error.said)


def test_an_unknown_name_has_what_it_may_have_meant_as_its_hint():
    assert unknown("knob", "rr", ["r", "d"]).said == ("unknown knob 'rr'", "did you mean 'r'?")
    assert str(unknown("knob", "x", ["r", "d"], of="resnet")) == "resnet: unknown knob 'x'; known: d, r"


def test_names_are_listed_only_if_wanted():
    assert did_you_mean("x", ["r", "d"], listed=False) == ""
    assert did_you_mean("rr", ["r", "d"], listed=False) == "did you mean 'r'?"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet51", "did you mean zoo:resnet50, resnet18 or resnet34?"),
        ("resnet5O", "did you mean zoo:resnet50, resnet18 or resnet34?"),
        ("RESNET50", "did you mean zoo:resnet50?"),
        ("convnext_tinny", "did you mean zoo:convnext_tiny?"),
        ("vit_b61", "did you mean zoo:vit_b16?"),
        ("resnet", "did you mean zoo:resnet18, resnet34 or resnet50?"),
        ("r", ""),
        ("alexnet", ""),
        ("resnet" * 20, ""),
    ],
)
def test_names_in_which_a_number_is_a_part_like_any_other(name, expected):
    known = ["resnet18", "resnet34", "resnet50", "resnet101_wide", "convnext_tiny", "vit_b16"]
    assert did_you_mean_any(name, known, "zoo:") == expected


def test_a_problem_that_is_noted_of_an_error_has_its_hint():
    def fail():
        raise UsageError("out of range", "at most 3")

    problems = Problems()
    assert problems.attempt(fail) is None
    (problem,) = problems.found
    assert (problem.message, problem.hint) == ("out of range", "at most 3")
