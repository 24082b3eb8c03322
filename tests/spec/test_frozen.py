"""`frozen: true` on an item of a spec."""

import pytest

import costcalc

SPEC = """
name: partly
title: Partly frozen
source: a test
input: [3, 16, 16]
blocks:
  unit(channels):
    - conv: {channels: channels, kernel: 3, padding: same}
    - relu
layers:
%s
  - flatten
  - linear: 10
"""


@pytest.mark.parametrize(
    ("layers", "frozen"),
    [
        ("  - conv: {channels: 4, kernel: 3, frozen: true}", 4 * 27 + 4),
        ("  - unit: {channels: 4, frozen: true}", 4 * 27 + 4),
        ("  - unit: {channels: 4, frozen: false}", 0),
        (
            "  - repeat: {times: 3, frozen: true, layers: [conv: {channels: 3, kernel: 3, padding: same}]}",
            3 * (3 * 27 + 3),
        ),
        ("  - group: {name: stem, frozen: true, layers: [unit: {channels: 4}, unit: {channels: 4}]}", 112 + 4 * 36 + 4),
        ("  - add: {frozen: true, branches: [[unit: {channels: 3}], []]}", 3 * 27 + 3),
    ],
)
def test_it_keeps_the_weights_of_all_that_stands_in_it(layers, frozen):
    cost = costcalc.load(SPEC % layers).cost()
    assert cost.total("frozen_params") == frozen
    assert cost.total("trainable_params") == cost.params - frozen


def test_a_pattern_freezes_more():
    model = costcalc.load(
        SPEC % "  - conv: {channels: 4, kernel: 3, frozen: true}\n  - conv: {name: b, channels: 4, kernel: 3}"
    )
    assert model.cost().total("frozen_params") == 112
    assert model.with_step(costcalc.TrainStep(freeze="b.bias")).cost().total("frozen_params") == 116
    assert model.with_step(costcalc.TrainStep(freeze="b")).cost().total("frozen_params") == 112 + 148


def test_it_is_true_or_false():
    with pytest.raises(costcalc.SpecError, match="frozen"):
        costcalc.load(SPEC % "  - conv: {channels: 4, kernel: 3, frozen: yes}")
