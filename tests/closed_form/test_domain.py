"""Where a formula holds, and what is left of it without floors."""

from fractions import Fraction

import pytest
import sympy
from support.formulas import SPECS, has_floors, net_of

from costcalc import load
from costcalc.analysis.closed_form.assumptions import default_assumptions, floor_free, parse_assumption
from costcalc.analysis.closed_form.derive import derive
from costcalc.analysis.cost import cost
from costcalc.errors import CostcalcError, UnknownName, UsageError
from costcalc.spec.bind import bind


def builds(net, **knobs):
    """Do the rules build it? The spec's own minimum is not asked."""
    try:
        return bool(cost(bind(net.architecture.spec, {**net.values, **knobs})).layers)
    except CostcalcError:
        return False


# ---- the domain


def test_the_least_image_of_alexnet_follows_from_the_rules():
    net = net_of("alexnet_torchvision")
    (bound,) = derive(net).domain.bounds
    assert bound.low == 63
    assert bound.low_reason == "layer 'features.max_pool3' (max_pool): a window of 3 does not fit into 2"
    assert builds(net, r=63)
    assert not builds(net, r=62)
    assert str(derive(net).domain) == "r ≥ 63"


@pytest.mark.parametrize("name", SPECS)
def test_bounds_are_where_the_count_begins(name):
    net = net_of(name)
    for bound in derive(net).domain.bounds:
        knob = next(knob for knob in net.knobs.values() if (knob.letter or knob.name) == bound.symbol)
        net.with_knobs(**{knob.name: bound.low}).cost()
        with pytest.raises(CostcalcError):
            net.with_knobs(**{knob.name: bound.low - 1}).cost()


def test_an_upper_bound_is_said_too():
    assert str(derive(net_of("lenet5_1998")).domain) == "32 ≤ r ≤ 35"


def test_a_spec_that_promises_too_much_is_corrected(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text("name: small\ntitle: t\nsource: s\nknobs: {r: {default: 9, min: 2}}\ninput: [1, r, r]\n"
                    "layers:\n  - conv: {channels: 2, kernel: 7}\n")  # fmt: skip
    domain = derive(load(str(path))).domain
    assert str(domain) == "r ≥ 7"
    assert domain.lines()[1] == "below r = 7: layer 'conv' (conv): a window of 7 does not fit into 6"


def test_a_condition_on_two_letters_is_a_sentence_and_said_once():
    assert derive(net_of("conv_depthwise_separable")).domain.lines() == ["holds where a window of f fits into n"]


def test_assumptions_are_said_without_those_that_follow():
    assert derive(net_of("mobilenet_v1")).domain.lines() == ["assumes 32·w is a whole number"]


def test_a_formula_that_holds_everywhere_says_so():
    assert derive(net_of("conv1x1")).domain.lines() == ["holds for every value of its knobs"]


# ---- without floors


@pytest.mark.no_cover
@pytest.mark.parametrize("metric", ["macs", "params", "elementwise", "activations"])
@pytest.mark.parametrize("name", SPECS)
def test_without_floors_it_is_the_count_at_multiples(name, metric):
    net = net_of(name)
    formula = derive(net, metric)
    assumptions = default_assumptions(formula)
    if not assumptions:
        assert not has_floors(formula)
        return
    (assumption,) = assumptions
    assert assumption.knob == "r"
    in_k, in_r = floor_free(formula), floor_free(formula, [assumption._replace(symbol="")])
    for free, letter in ((in_k, assumption.symbol), (in_r, "r")):
        symbol = next(x for x in free.expression.free_symbols if x.name == letter)
        rest = free.expression.atoms(sympy.floor, sympy.ceiling)
        assert not any(symbol in atom.free_symbols for atom in rest)
        assert not any(symbol in atom.free_symbols for atom in free.total.atoms(sympy.floor, sympy.ceiling))
    tried = 0
    for k in range(1, 12):
        r = k * assumption.modulus
        try:
            expected = net.with_knobs(r=r).cost().total(metric)
        except CostcalcError:
            continue
        assert in_k(**{assumption.symbol: k}) == in_r(r=r) == expected
        tried += 1
    assert tried


def test_the_modulus_is_the_product_of_the_strides():
    assert [str(a) for a in default_assumptions(derive(net_of("resnet50")))] == ["r = 32·k"]
    assert [str(a) for a in default_assumptions(derive(net_of("lenet5")))] == ["r = 4·k"]
    assert default_assumptions(derive(net_of("inception_naive"))) == []


def test_the_letter_is_no_knob_of_the_spec(tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text("name: two\ntitle: t\nsource: s\nknobs: {r: 8, k: 3}\ninput: [1, r, r]\n"
                    "layers:\n  - conv: {channels: k, kernel: 1, stride: 2}\n")  # fmt: skip
    assert [str(a) for a in default_assumptions(derive(load(str(path))))] == ["r = 2·m"]


def test_resnet50_is_a_polynomial_of_two_terms():
    assert floor_free(derive(net_of("resnet50"))).text == "batch·(83,410,944·k² + 2,048·classes)"


def test_alexnet_is_a_polynomial_in_k_and_the_domain_follows():
    free = floor_free(derive(net_of("alexnet")))
    assert free.text.startswith("batch·(10,821,632·k²") or "k² − " in free.text
    assert str(free.domain) == "k ≥ 3"
    assert free.given == ("r = 32·k",)


def test_a_domain_in_r_is_rounded_up_to_a_multiple():
    formula = derive(net_of("alexnet"))
    assert str(floor_free(formula, [parse_assumption("r%32==0", formula)]).domain) == "r ≥ 96"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("r%32==0", "r a multiple of 32"), ("r = 32*k", "r = 32·k"), (" r % (4*8) == 0 ", "r a multiple of 32"),
     ("d % 1 == 0", "d whole"), ("w=1/4*q", "w = 0.25·q, q whole")],
)  # fmt: skip
def test_assumptions_are_read(text, shown):
    assert str(parse_assumption(text, derive(net_of("efficientnet")))) == shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("r>3", "'r>3' is no assumption; write r%32==0 for a formula in r, or r=32*k for one in k"),
        ("q%2==0", "unknown free knob 'q'"),
        ("r=32*w", "w is a knob or a size already; take another symbol"),
        ("r%0==0", "r can be a multiple of 1, 2, 3, …"),
        ("r%1/2==0", "r can be a multiple of 1, 2, 3, …"),
        ("r%x==0", "unknown name 'x'"),
    ],
)
def test_what_is_no_assumption_is_refused(text, message):
    with pytest.raises(UnknownName if "free knob" in message else UsageError) as caught:
        parse_assumption(text, derive(net_of("efficientnet")))
    assert message in str(caught.value)


def test_whole_widths_and_depths_leave_a_polynomial_of_efficientnet():
    formula = derive(net_of("efficientnet"))
    free = floor_free(formula, [parse_assumption(text, formula) for text in ("d%1==0", "w%1==0", "r%32==0")])
    assert not free.expression.atoms(sympy.Function)
    for d, w, r in ((1, 1, 224), (2, 3, 64), (5, 2, 320)):
        assert free(d=d, w=w, r=r) == net_of("efficientnet").with_knobs(d=d, w=w, r=r).cost().macs


def test_too_small_a_multiple_leaves_floors():
    formula = derive(net_of("resnet50"))
    assert has_floors(floor_free(formula, [parse_assumption("r%16==0", formula)]))
    assert not has_floors(floor_free(formula, [parse_assumption("r%64==0", formula)]))


def test_a_value_that_is_no_multiple_must_be_given():
    free = floor_free(derive(net_of("alexnet")))
    assert free.knobs["k"] is None
    with pytest.raises(UsageError, match="no value for 'k'"):
        free()
    assert free(k=Fraction(7)) == net_of("alexnet").with_knobs(r=224).cost().macs


def test_a_knob_may_be_called_self(tmp_path):
    path = tmp_path / "selfish.yaml"
    head = "name: t\ntitle: t\nsource: s\nknobs: {self: 30}\ninput: [3, self, self]\n"
    path.write_text(f"{head}layers: [conv: {{channels: 8, kernel: 3}}]\n")
    assert str(derive(load(str(path))).domain) == "self ≥ 3"


def test_a_letter_for_a_real_knob_is_whole_and_says_so():
    formula = derive(net_of("efficientnet"))
    assumed = floor_free(formula, [parse_assumption("w=1/4*v", formula)])
    assert assumed.given == ("w = 0.25·v, v whole",)
    code: dict = {}
    exec(assumed.python, code)  # noqa: S102  our own code
    count = code["macs"]
    b0 = {"r": 224, "d": 1, "batch": 1, "classes": 1000}
    assert count(**b0, v=4) == 385_814_752
    with pytest.raises(ValueError, match="v must be whole"):
        count(**b0, v=Fraction(11, 2))
