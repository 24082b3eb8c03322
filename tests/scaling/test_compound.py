"""The compound line: each point is its count, the law beside it is the paper's, and φ is solved for exactly."""

import itertools
import json
import random
from fractions import Fraction

import pytest
from mpmath import mp

import costcalc
from costcalc.analysis.metrics import USUAL
from costcalc.analysis.scaling.along import costs_at
from costcalc.analysis.scaling.compound import largest_phi
from costcalc.analysis.scaling.phi import CompoundLaw, read_law
from costcalc.cli.app import run
from costcalc.errors import CostcalcError, NothingFits, UsageError


def test_phi_3_by_hand():
    """1.2³ = 1.728, 1.1³ = 1.331, 224·1.15³ = 340.676"""
    found = costcalc.compound("efficientnet", 3)
    point = next(row for row in found.to_records() if row["what"] == "scaled")
    assert (point["d"], point["w"], point["r"]) == (Fraction(1728, 1000), Fraction(1331, 1000), 341)
    cost = costcalc.load("efficientnet@d=1.728,w=1.331,r=341").cost()
    assert (point["params"], point["macs"], point["activations"]) == (cost.params, cost.macs, cost.total("activations"))
    assert found.model.cost().macs == cost.macs
    assert point["promised"] == (Fraction(12, 10) * Fraction(11, 10) ** 2 * Fraction(115, 100) ** 2) ** 3
    assert point["times"] == Fraction(cost.macs, 385_814_752)
    assert point["error"] == (point["promised"] - point["times"]) / point["times"]
    assert [row["what"] for row in found.to_records()] == ["base", "efficientnet_b3", "scaled", "efficientnet_b4"]


def test_a_fraction_of_phi():
    at = CompoundLaw().at(costcalc.load("efficientnet"), Fraction(1, 2))
    assert at == {"d": Fraction(1095, 1000), "w": Fraction(1049, 1000), "r": 240}  # 1.0954, 1.0488, 240.21
    assert costcalc.compound("efficientnet", "1/2").law.at(costcalc.load("efficientnet"), 0.5) == at
    assert CompoundLaw().at(costcalc.load("efficientnet@w=1/3"), 0) == {"d": 1, "w": Fraction(1, 3), "r": 224}


@pytest.mark.parametrize(
    ("r", "gamma", "phi", "grown"),
    [
        (50, "1.25", 1, 63), (50, "1.5625", "1/2", 63), (50, "1.23", 1, 62), (200, "1.15", 2, 265),
        (100, "1.44", "1/2", 120), (50, "1.2499", 1, 62),
    ],
)  # fmt: skip
def test_halves_go_up_though_roots_are_no_fractions(r, gamma, phi, grown):
    assert CompoundLaw(gamma=Fraction(gamma)).at(costcalc.load("efficientnet", r=r), Fraction(phi))["r"] == grown


@mp.workdps(40)
def test_every_value_is_the_nearest_step():
    """No further off than half of one, by forty digits."""
    net, rng = costcalc.load("efficientnet"), random.Random(3)
    for _ in range(2000):
        law = CompoundLaw(*(Fraction(rng.randint(1000, 2000), 1000) for _ in range(3)))
        phi = Fraction(rng.randint(1, 9000), 1000)
        at, powers = law.at(net, phi), {k: mp.mpf(b.numerator) / b.denominator for k, b in law.bases.items()}
        for knob, grain in (("d", 1000), ("w", 1000), ("r", 1)):
            exactly = net.values[knob] * grain * powers[knob] ** (mp.mpf(phi.numerator) / phi.denominator)
            assert abs(at[knob] * grain - Fraction(str(mp.nstr(exactly, 30)))) <= Fraction(1, 2)


def test_the_law_of_the_paper():
    assert float(CompoundLaw().product) == pytest.approx(1.92, abs=0.001)
    assert CompoundLaw().promised(2) == CompoundLaw().product ** 2
    assert CompoundLaw().promised(Fraction(1, 2)) == pytest.approx(float(CompoundLaw().product) ** 0.5, rel=1e-14)
    assert CompoundLaw(1, 1, 2).product == 4
    assert CompoundLaw().formula() == "d = 1.2^φ, w = 1.1^φ, r = 1.15^φ"


# ---- points along a line


def test_along_a_line_each_point_is_its_count():
    axes = {"r": (224, 333, 64), "d": (1, Fraction(11, 10), 3), "w": (2, Fraction(1, 3), Fraction(1111, 1000))}
    found = costs_at(costcalc.load("efficientnet"), axes, USUAL)
    for at, point in enumerate(zip(*axes.values(), strict=True)):
        cost = costcalc.load("efficientnet", **dict(zip(axes, point, strict=True))).cost()
        for metric in USUAL[:-1]:
            assert found.values[metric][at] == cost.total(metric)
    huge = costs_at(costcalc.load("resnet50"), {"r": (2**30, 224), "batch": (2**31, 1)}, ["macs"])
    assert huge.values["macs"].tolist() == [costcalc.load("resnet50", r=2**30, batch=2**31).cost().macs, 4089184256]


# ---- solved for φ


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("law", "budget"),
    [
        (CompoundLaw(), {"macs": 700_000_000}), (CompoundLaw(), {"macs": 400_000_000, "params": 6_000_000}),
        (CompoundLaw(1, 1, Fraction(13, 10)), {"activations": 25_000_000}), (CompoundLaw(), {"params": 5_288_548}),
    ],
)  # fmt: skip
def test_every_phi_up_to_the_largest_keeps_the_budget(law, budget):
    net = costcalc.load("efficientnet")
    phi = largest_phi(net, law, budget)

    def keeps(step):
        cost = net.at(law.at(net, Fraction(step, 1000))).cost()
        return all(cost.total(name) <= most for name, most in budget.items())

    assert phi * 1000 < 800
    assert all(keeps(step) for step in range(int(phi * 1000) + 1))
    assert not keeps(phi * 1000 + 1)


def test_a_ceiling_of_depth_is_passed_at_once():
    """At φ = 0.003 d is 1.001, and every stage has a layer more: 1.48 times the MACs, by the law 1.002."""
    found = costcalc.compound("efficientnet", macs=400_000_000)
    rows = {row["what"]: row for row in found.to_records()}
    assert (found.phi, found.after) == (Fraction(2, 1000), Fraction(3, 1000))
    assert rows["next step"]["macs"] == 569_651_680 == costcalc.load("efficientnet@d=1.001").cost().macs
    assert rows["next step"]["d"] == Fraction(1001, 1000)
    assert rows["next step"]["promised"] == pytest.approx(1.92**0.003, rel=1e-4)


def test_past_a_chunk_and_where_there_is_no_such_network(tmp_path):
    net = costcalc.load("efficientnet")
    for macs in (2 * 10**9, 5 * 10**9):
        phi = largest_phi(net, CompoundLaw(), {"macs": macs})
        cost = [net.at(CompoundLaw().at(net, at)).cost().macs for at in (phi, phi + Fraction(1, 1000))]
        assert phi > 1
        assert cost[0] <= macs < cost[1]
    path = tmp_path / "narrow.yaml"
    path.write_text(
        "name: narrow\ntitle: t\nsource: s\nknobs:\n  r: {default: 32, max: 100}\n  d: {default: 1, kind: real}\n"
        "  w: {default: 1, kind: real}\ninput: [3, r, r]\nlayers:\n  - conv: {channels: ceil(8*w), kernel: 3}\n"
    )
    narrow = costcalc.load(str(path))
    phi = largest_phi(narrow, CompoundLaw(), {"macs": 10**12})
    assert CompoundLaw().at(narrow, phi)["r"] == 100
    assert CompoundLaw().at(narrow, phi + Fraction(1, 1000))["r"] == 101


def test_it_shows_itself(capsys):
    law = ["--alpha", "1.2", "--beta", "1.1", "--gamma", "1.15"]
    assert run(["scale", "efficientnet", "--compound", "phi=3", *law]) == 0
    as_default = capsys.readouterr().out
    assert run(["scale", "efficientnet", "--compound", "phi=3"]) == 0
    assert capsys.readouterr().out == as_default
    assert "d = 1.2^φ, w = 1.1^φ, r = 1.15^φ times those of efficientnet" in as_default
    assert "d and w to thousandths, r to whole numbers, halves up" in as_default
    assert run(["scale", "efficientnet", "--compound", "phi", "--max", "macs=1G", "-f", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["phi"] == 1.042
    assert document["law"] == {"alpha": 1.2, "beta": 1.1, "gamma": 1.15, "product": 1.92027}
    assert [row["what"] for row in document["rows"] if row["phi"]] == ["fits", "next step"]
    found = costcalc.compound("efficientnet@r=128", phi=2)
    assert repr(found) == "<costcalc.Compound efficientnet@r=128: φ = 2, d = 1.44, w = 1.21, r = 169>"
    assert "1.44" in found._repr_html_()
    assert found.to_records()[0]["r"] == 128


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--compound phi=-1", "phi is at least 0, got -1: start from a smaller base"),
        ("--compound phi=nan", "phi=nan: unknown name 'nan'"), ("--compound phi=1e999", "phi=1e999"),
        ("--compound phi=", "write phi=3, or phi"), ("--compound alpha=3", "write phi=3, or phi"),
        ("--compound phi", "no φ and no budget"), ("--compound phi=5000", "phi is at most 1,000, got 5000"),
        ("--compound phi=1000", "knob 'd' is at most 2147483648, got 2^263"),
        ("--compound phi=3 --max macs=1G", "φ is given, and there is nothing to solve for"),
        ("--compound phi=3 --alpha 0.5", "alpha is at least 1, got 0.5: the law makes networks larger"),
        ("--compound phi=3 --gamma -2", "gamma is at least 1, got -2"),
        ("--compound phi=3 --beta x", "beta=x: unknown name"),
        (
            "--compound phi --max macs=1M",
            "no φ keeps this budget: at φ = 0, which is efficientnet itself, it has macs = 385,814,752",
        ),
        ("--compound phi --max macs=1G --alpha 1 --beta 1 --gamma 1", "no φ makes a network larger"),
        ("--compound phi=3 --free r", "it cannot be combined with --free, --grid and --top"),
    ],
)  # fmt: skip
def test_what_is_refused(refused, words, message):
    refused(f"scale efficientnet {words}", message)


def test_what_python_refuses():
    for error, call in (
        (UsageError, lambda: costcalc.compound("efficientnet", float("nan"))),
        (UsageError, lambda: costcalc.compound("efficientnet", 1, alpha=float("inf"))),
        (UsageError, lambda: costcalc.compound("efficientnet", True)), (UsageError, lambda: read_law(alpha=-1)),
        (UsageError, lambda: costcalc.compound("mobilenet_v2", 1)),
        (UsageError, lambda: costcalc.compound("resnet50", 1)),
        (NothingFits, lambda: costcalc.compound("efficientnet", params=1)),
    ):  # fmt: skip
        with pytest.raises(error):
            call()
    for given in itertools.product([None], [float("nan"), "", "2**99", "d"]):
        with pytest.raises(CostcalcError):
            read_law(*given)
