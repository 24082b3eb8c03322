"""T1 and T2: expressions run no code, and no number in them is too large to refuse at once."""

import ast
import random
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.confined import confined
from support.hostile import HOSTILE_NUMBERS, PAYLOADS
from support.sizes import size

from costcalc.errors import Place, SpecError, UsageError
from costcalc.expressions import parse
from costcalc.spec.library import parse_settings
from costcalc.spec.parse import parse_text
from costcalc.spec.spec_tree import Knob

EXPRESSIONS = size(20_000, 5_000_000)
HERE = Place("x.yaml", 1, 1)


def test_t1_no_payload_runs(tmp_path):
    assert len(PAYLOADS) >= 100
    outcomes = confined("value", PAYLOADS, cwd=tmp_path)
    assert [payload for payload, found in zip(PAYLOADS, outcomes) if found.kind == "ok"] == []
    assert [*tmp_path.iterdir()] == []
    assert max(found.calls for found in outcomes) < 1_000


def test_t1_no_payload_runs_from_a_spec(tmp_path):
    quoted = [payload.replace("'", "''") for payload in PAYLOADS]
    layer = "name: x\ntitle: t\nsource: s\ninput: [3, 8, 8]\nlayers:\n  - linear: {{features: '{0}', when: '{0}'}}"
    places = [layer.format(payload) for payload in quoted]
    places += [f"name: x\ntitle: t\nsource: s\nsizes: {{a: '{payload}'}}\nlayers: [relu]" for payload in quoted]
    places += [f"name: x\ntitle: t\nsource: s\nblocks:\n  '{payload}': [relu]\nlayers: [relu]" for payload in quoted]
    places += [f"name: x\ntitle: t\nsource: s\nknobs:\n  '{payload}': 3\nlayers: [relu]" for payload in quoted]
    assert {found.kind for found in confined("count", places, cwd=tmp_path)} == {"refused"}
    assert [*tmp_path.iterdir()] == []


ATOMS = [
    "r", "w", "c", "n", "head", "flag", "x", "1", "0", "2", "3.5", "1e3", "0.1", "16", "'a'", "'linear'", "true",
    "None", "10**9", "1e300", "()", "[]", "r.real", "r[0]", "__import__", "'''", '"', "\\", "#", "0x1f", "1_000", "1j",
    "...", "é", "\u2028", "\x00", "½", "lambda", "import", "99999999999999999999999",
]  # fmt: skip
SIGNS = [
    "+", "-", "*", "/", "//", "%", "**", "<", "<=", "==", "!=", " and ", " or ", " if ", " else ", " in ", "@", "^",
    "&", ",", ".", ":=", "=", " not ", "~", " is ",
]  # fmt: skip


def random_expression(dice, depth=5):
    """Mostly well formed, seldom harmless."""
    if depth == 0 or dice.random() < 0.3:
        return dice.choice(ATOMS)
    left, right = random_expression(dice, depth - 1), random_expression(dice, depth - 1)
    form = dice.randrange(8)
    if form == 0:
        return f"({left}){dice.choice(SIGNS)}({right})"
    if form == 1:
        return f"{dice.choice(['ceil', 'floor', 'round_to', 'min', 'max', 'eval', 'r', 'abs'])}({left}, {right})"
    if form == 2:
        return f"{dice.choice('-+~')}{left}"
    if form == 3:
        return f"({left} if {right} else {dice.choice(ATOMS)})"
    if form == 4 and dice.random() < 0.3:
        return "".join(dice.choice([*ATOMS, *SIGNS, "(", ")"]) for _ in range(dice.randrange(12)))
    return f"{left} {dice.choice(SIGNS[:12])} {right}"


@pytest.mark.sized
def test_t1_random_expressions_are_values_or_refused(tmp_path):
    dice = random.Random(1)
    counts = {"ok": 0, "refused": 0}
    for start in range(0, EXPRESSIONS, 50_000):
        cases = [random_expression(dice) for _ in range(min(50_000, EXPRESSIONS - start))]
        for found in confined("value", cases, cwd=tmp_path):
            counts[found.kind] += 1
            assert found.calls < 3_000
    assert counts["ok"] > EXPRESSIONS // 20
    assert counts["refused"] > EXPRESSIONS // 20
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("where", ["field", "input", "size", "times"])
def test_t2_hostile_numbers_are_refused_at_once(where):
    assert len(HOSTILE_NUMBERS) >= 60
    head = "name: x\ntitle: t\nsource: s\n"
    texts = {
        "field": "input: [3, 8, 8]\nlayers:\n  - linear: {{features: {0}}}",
        "input": "input: [3, 8, {0}]\nlayers: [relu]",
        "size": "sizes:\n  a: {0}\ninput: [3, 8, 8]\nlayers:\n  - linear: a",
        "times": "input: [3, 8, 8]\nlayers:\n  - repeat: {{times: {0}, layers: [relu]}}",
    }
    numbers = [number for number in HOSTILE_NUMBERS if where != "times" or number != "0"]
    form = head + texts[where]
    cases = [
        form.format(number if number[0] in ".-+0123456789" and "(" not in number else f'"{number}"')
        for number in numbers
    ]
    outcomes = confined("count", cases)
    assert [number[:40] for number, found in zip(numbers, outcomes) if found.kind == "ok"] == []
    assert [(number[:40], found.calls) for number, found in zip(numbers, outcomes) if found.calls > 10_000] == []
    assert max(len(found.text) for found in outcomes) < 400


@pytest.mark.parametrize("number", HOSTILE_NUMBERS, ids=range(len(HOSTILE_NUMBERS)))
def test_t2_hostile_settings_are_refused(number):
    knob = Knob("r", 224)
    with pytest.raises((UsageError, SpecError)) as caught:
        parse_settings([f"r={number}"], {"r": knob}, "x")
    assert len(str(caught.value)) < 400


def test_t2_numbers_are_exact():
    for text in ("0.1", "1e-3", "3.14159265358979323846", "1/3", "2**16", "1e300", "0x1f"):
        assert parse(text, HERE).value({}) == Fraction(eval_exactly(text))


def eval_exactly(text):
    if "/" in text:
        return Fraction(text)
    if "**" in text:
        return 2**16
    return int(text.replace("_", ""), 0) if text.startswith("0x") or "_" in text else Fraction(text)


OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "/": lambda a, b: Fraction(a) / b,
}


@st.composite
def expressions(draw, depth=3):
    """(text, value) made side by side; the value is None where it divides by zero."""
    if depth == 0 or draw(st.booleans()):
        number = draw(st.integers(0, 999))
        return str(number), number
    (a, x), (b, y) = draw(expressions(depth - 1)), draw(expressions(depth - 1))
    form = draw(st.sampled_from([*OPERATIONS, "min", "max", "if", "<", "-x"]))
    if x is None or y is None:
        return a, x
    if form in OPERATIONS:
        return f"({a}) {form} ({b})", None if y == 0 and form in "//%" else OPERATIONS[form](x, y)
    if form == "if":
        return f"({a}) if ({a}) < ({b}) else ({b})", x if x < y else y
    if form == "<":
        return f"max({a}, {b}) if ({a}) != ({b}) and not ({a}) > ({b}) else 0", max(x, y) if x < y else 0
    if form == "-x":
        return f"-({a})", -x
    return f"{form}({a}, {b})", min(x, y) if form == "min" else max(x, y)


@settings(max_examples=300, deadline=None)
@given(expressions())
def test_an_expression_is_what_fractions_make_of_it(case):
    text, expected = case
    assume(len(text) <= 1000)
    if expected is None:
        with pytest.raises(SpecError, match="division by zero"):
            parse(text, HERE).value({})
    else:
        found = parse(text, HERE)
        assert found.value({}) == expected
        printed = ast.unparse(found.tree)
        assert ast.dump(parse(printed, HERE).tree) == ast.dump(found.tree)  # parse(print(e)) = e


def test_t1_a_hostile_spec_leaves_the_file_system_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError):
        parse_text("!!python/object/apply:os.system ['touch canary']", "x.yaml")
    assert [*tmp_path.iterdir()] == []
