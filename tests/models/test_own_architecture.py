"""A reader's own kind of architecture: what docs/own_graph.md asks of it is all that any analysis needs."""

import pytest
from support import needed

import costcalc
from costcalc import Knob, Repeat, add, new_graph, ops


class Mine(costcalc.Architecture):
    """A convolution, and d of them more."""

    name = "mine"
    knobs = {"r": Knob("r", 32), "d": Knob("d", 3)}
    identity = "mine 1"

    def layers(self, values):
        """For any values of the knobs."""
        body, graph = new_graph(), new_graph()
        add(body, "conv", ops.Conv(8, 3, padding="same"), add(body, "in", ops.Input()))
        add(graph, "stem", ops.Conv(8, 3, padding="same"), add(graph, "x", ops.Input([1, 3, values["r"], values["r"]])))
        add(graph, "stage", Repeat(body, values["d"]), "stem")
        return graph


MODEL = costcalc.Model(Mine())
MACS = 32 * 32 * 9 * 8 * (3 + 3 * 8)


@pytest.mark.parametrize("values", [{}, {"r": 8}, {"r": 9, "d": 1}])
def test_numbers_formulas_and_columns_agree(values):
    at = {"r": 32, "d": 3} | values
    macs = at["r"] ** 2 * 9 * 8 * (3 + at["d"] * 8)
    assert costcalc.load(MODEL).with_knobs(**at).macs == macs
    assert costcalc.formula(MODEL)(**at) == macs
    assert costcalc.sweep(MODEL, r=[at["r"]], d=[at["d"]]).to_records()[0]["macs"] == macs


def test_every_other_analysis_takes_it(tmp_path):
    assert costcalc.load(MODEL).macs == MACS
    assert [row["knob"] for row in costcalc.elasticity(MODEL).to_records()] == ["r", "d"]
    assert costcalc.scale(MODEL, "r", macs=MACS).value == 32
    assert costcalc.explain(MODEL).to_records()
    needed.module("jinja2", "report")
    needed.module("matplotlib", "report")
    costcalc.write_page(MODEL, tmp_path / "mine.html", r="16,32")
    assert "closed form" in (tmp_path / "mine.html").read_text(encoding="utf-8")


def test_one_of_a_script_is_swept_in_this_process(monkeypatch):
    """Worker processes import classes, and a class of `__main__` is in no module that they could import."""
    monkeypatch.setattr(Mine, "__module__", "__main__")
    assert len(costcalc.sweep(MODEL, r=[8, 9], workers=2)) == 2
