"""What a spec's text means, and the mistakes that the files in broken/ do not make."""

from fractions import Fraction

import pytest

from costcalc.errors import Place, SpecError
from costcalc.expressions import parse
from costcalc.spec.parse import parse_head, parse_text
from costcalc.spec.yaml_reader import read

HEAD = "name: x\ntitle: t\nsource: s\n"
REST = "input: [3, 8, 8]\nlayers: [relu]\n"


def wrong(text):
    with pytest.raises(SpecError) as caught:
        parse_text(text, "x.yaml")
    return [str(problem).removeprefix("x.yaml:") for problem in caught.value.problems]


def test_the_head_is_read():
    spec = parse_text(HEAD + "about: more\nknobs: {r: 8, w: 0.5, deep: true, big: {default: 2, max: 9, letter: N'}}\n"
                      "presets: {p: {r: 9, w: 1/4, about: half}}\n" + REST, "x.yaml")  # fmt: skip
    assert (spec.name, spec.title, spec.source, spec.about) == ("x", "t", "s", "more")
    kinds = {name: (knob.default, knob.kind, knob.low) for name, knob in spec.knobs.items()}
    assert kinds == {
        "r": (8, "integer", 1), "w": (Fraction(1, 2), "real", Fraction(1, 1000)), "deep": (True, "flag", 1),
        "big": (2, "integer", 1), "batch": (1, "integer", 1),
    }  # fmt: skip
    assert (spec.knobs["big"].high, spec.knobs["big"].letter) == (9, "N'")
    assert spec.presets["p"].settings == {"r": 9, "w": Fraction(1, 4)}


def test_the_head_alone_stops_before_the_rest(tmp_path):
    text = HEAD + "knobs: {r: 8}\nsizes: {a: [broken\n"
    (tmp_path / "x.yaml").write_text(text)
    assert parse_head(tmp_path / "x.yaml").knobs["r"].default == 8
    assert wrong(text)


def test_one_value_is_that_of_the_first_field():
    spec = parse_text(HEAD + "input: [3, 8, 8]\nlayers: [linear: 5, {conv: {channels: 3, kernel: [1, 2]}}]", "x.yaml")
    assert {name: value.text for name, value in spec.items[0].fields.items()} == {"features": "5"}
    assert [size.text for size in spec.items[1].fields["kernel"]] == ["1", "2"]


AS_A_LAYER = "as in `- relu` or `- conv: {channels: 64, kernel: 3}`"
NO_OP = "see `costcalc help specs`, or `costcalc help add-an-op` to teach it one"
MESSAGES = {  # what follows the head, and what is said about it
    "sizes: {batch: 3}\n" + REST: ["4:9: 'batch' is a knob already; give the size another name"],
    "sizes: {min: 3}\n" + REST: [
        "4:9: a size cannot be called 'min': expressions know it as something else; rename it"
    ],
    "sizes: [3]\n" + REST: ["4:8: sizes is a mapping, key: value; see `costcalc help specs`"],
    "sizes: {a: b, b: a}\n" + REST: ["4:12: unknown name 'b'; known: batch"],
    "knobs: 3\nsizes: {a: anything}\n" + REST: ["4:8: knobs is a mapping, key: value; see `costcalc help specs`"],
    "knobs: {r: {default: 3, letter: 'x y'}}\n" + REST: ["4:33: letter of r: 'x y' is not a letter; as in n_c'"],
    "knobs: {r: {}}\n" + REST: ["4:9: knob r needs a default"],
    "knobs: {r: }\n" + REST: ["4:12: knob r is a number or an expression; see `costcalc help specs`"],
    "knobs: {r: '2 > 1'}\n" + REST: ["4:12: knob r is a number"],
    "knobs: {r: {default: 3, kind: flag}}\n" + REST: ["4:22: default of r is true or false"],
    "knobs: {r: {default: a, choices: [a, a]}}\n" + REST: ["4:34: choices of r has a word twice"],
    "knobs: {r: {default: 3, kind: integer, choices: [a]}}\n" + REST: [
        "4:40: knob r: choices does not go with kind integer"
    ],
    "knobs: {about: 3}\n" + REST: ["4:9: a knob cannot be called 'about': presets have one; give it another name"],
    "knobs: {r: {defualt: 3}}\n" + REST: ["4:13: unknown key in knob r 'defualt'; did you mean 'default'?"],
    "knobs: {r: {default: 3, min: x}}\npresets: {p: {r: 1}}\n" + REST: ["4:30: unknown name 'x'"],
    "knobs: {r: {default: 3, min: *x}}\n" + REST: ["4:30: an alias, *x; in an expression put quotes around it"],
    "presets: {p: 3}\n" + REST: ["4:14: preset p is a mapping, key: value; see `costcalc help specs`"],
    "presets: {1p: {batch: 2}}\n" + REST: ["4:11: a preset is a name of letters, digits and _ (at most 64), got '1p'"],
    "inputs: {}\nlayers: [relu]": ["4:9: inputs is empty; as in inputs: {image: [3, 224, 224]}"],
    "inputs: {1: [3]}\nlayers: [relu]": ["4:10: an input is a name of letters, digits and _ (at most 64), got '1'"],
    "input: 3\nlayers: [relu]": ["4:8: input is a list, - item; see `costcalc help specs`"],
    "input: [3, [4]]\nlayers: [relu]": ["4:12: input is a number or an expression; see `costcalc help specs`"],
    "input: [3]\nlayers: []": ["5:9: layers is empty; give at least one layer"],
    "input: [3]\nlayers: [{}]": ["5:10: a layer is one op or block; " + AS_A_LAYER],
    "input: [3]\nlayers: relu": ["5:9: layers is a list, - item; see `costcalc help specs`"],
    "input: [3]\nlayers: [3, [relu]]": [
        f"5:10: a layer is one op or block; {AS_A_LAYER}",
        f"5:13: a layer is one op or block; {AS_A_LAYER}",
    ],
    "input: [3]\nlayers: [input, {input: 3}]": [
        f"5:10: unknown op or block 'input'; {NO_OP}",
        f"5:18: unknown op or block 'input'; {NO_OP}",
    ],
    "input: [3]\nlayers:\n  - partial_conv: {kernel: 1, sees: [[" + "0," * 10_001 + "0]]}": [
        "6:38: partial_conv: sees is a list of 10,002 values; at most 10,000"
    ],
    REST + "---\nname: y": ["6:1: a second document; one spec, one file"],
    "about: ''\n" + REST: ["4:8: about is text"],
    "about: [a]\n" + REST: ["4:8: about is text"],
    "input: [3]\nlayers: [relu: {when: }]": ["5:23: when is a number or an expression; see `costcalc help specs`"],
    "blocks:\n  b(c=): [relu]\n" + REST: ["5:3: default of c is a number or an expression; see `costcalc help specs`"],
    "blocks:\n  b(c=d, e): [relu]\ninput: [3]\nlayers: [b: 3]": ["5:3: unknown name 'd'; known: batch"],
    "published: 3\n" + REST: ["4:12: published is a list, - item; see `costcalc help specs`"],
    "input: [3]\nlayers: [relu: !!str {when: true}, linear: &a 3, {*a : 3}]": [
        "5:16: a tag, !!str; specs are plain data: remove it",
        "5:44: an anchor, &a; use `sizes:` or `blocks:` instead",
        "5:51: an alias, *a; in an expression put quotes around it",
    ],
}


@pytest.mark.parametrize("text", MESSAGES, ids=range(len(MESSAGES)))
def test_messages(text):
    assert wrong(HEAD + text) == MESSAGES[text]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a" * 65, f"{'a' * 59 + '…'!r} has a name of more than 64 characters"),
        ("1 + " + "a" * 65, "has a name of more than 64 characters"),
        ("1" * 1001 + "+a", "has 1,003 characters; an expression has at most 1,000"),
        ("True + 1", "True is true, not a number"),
        ("'a' + 1", "'a' is 'a', not a number"),
        ("(1 < 2) + 1", "1 < 2 is true, not a number"),
        ("1 and 2", "1 is 1, neither true nor false"),
        ("1 if 'a' else 2", "'a' is 'a', neither true nor false"),
        ("'a' < 'b'", "words and flags are only equal or not"),
        ("true < 2", "compares a flag with something else"),
        ("true < false", "words and flags are only equal or not"),
        ("'a' == 1", "compares a word with something else"),
        ("min(1, b=2)", "calls min, which takes 2 values"),
        ("ceil()", "calls ceil, which takes 1 value"),
        ("[1]", "has a list, which is not arithmetic; allowed: + - * / // % **, comparisons, if-else, ceil,"),
        ("x.y", "has an attribute, which is not arithmetic"),
        ("b'x'", "has b'x', which is not arithmetic"),
        ("1 = 2", "is not an expression; see `costcalc help specs`"),
        ("", "is not an expression; see `costcalc help specs`"),
        ("é", "has the character 'é', which no expression has; see `costcalc help specs`"),
        ("3 ÷ 2", "has the character '÷', which no expression has; write /"),
        ("64#32", "has a #, and an expression has no comments; a comment of YAML stands behind a space"),
        ("32 # half", "has a #, and an expression has no comments"),
        ("1_0", "has 1_0, which is not a number; write 10"),
        ("2 * 0x_1f", "has 0x_1f, which is not a number; write 0x1f"),
        ("1e1_0", "has 1e1_0, which is not a number; write 1e10"),
        ("1if r > 2 else 3", "has 1if, which is not a number; put a space behind a number"),
        ("0xfor r", "has 0xfor, which is not a number; put a space behind a number"),
        (r"'a\x62' == 'ab'", "has a \\, which no expression has; remove it"),
        ("r'a' == 'a'", "has the prefix 'r' before a text; remove it"),
        ("'a' 'b' == 'ab'", "has a text behind a text; write one"),
        ("'''a''' == 'a'", "has a text behind a text; write one"),
        ("3 \\\n", "is not an expression"),
        ("3;", "is not an expression"),
        ("\xa03", "has the character '\\xa0', which no expression has"),
        ("round_to(20, -8)", "the multiple of round_to must be a whole number from 1 to 2^31, got -8"),
        ("ceil(round_to(10*r, 2.5))", "the multiple of round_to must be a whole number from 1 to 2^31, got 2.5"),
        ("a + b", "a + b: unknown name 'a'; known: r"),
        ("rr", "unknown name 'rr'; did you mean 'r'?"),
    ],
)
def test_expressions_that_are_none(text, message):
    with pytest.raises(SpecError) as caught:
        parse(text, Place("x.yaml", 1, 1)).value({"r": 3})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.1", Fraction(11, 10)), ("1e3", 1000), ("7 // 2", 3), ("-7 // 2", -4), ("7 % 3", 1), ("-7 % 3", 2),
        ("2 ** -2", Fraction(1, 4)), ("+3", 3), ("not 1 > 2", True), ("1 != 2 or 1/0 > 1", True),
        ("1 > 2 and 1/0 > 1", False), ("3 if true else 1/0", 3), ("'a' == 'a'", True), ("'a' != 'a'", False),
        ("true == false", False), ("true != false", True), ("1 <= 1", True), ("2 >= 3", False), ("ceil(7/2)", 4),
        ("floor(7/2)", 3), ("round_to(30, 8)", 32), ("min(2, 3)", 2), ("max(2, 3)", 3), ("(1 +\n 2)", 3), (" r ", 5),
        ("r*w", Fraction(5, 2)), ("0x10 + 0b11 + 0o7", 26), ("1 == 1.0", True),
        ("'#' == '#'", True), ("'1_0' != '10'", True), ("1. + .5 + 1.e1", Fraction(23, 2)), ("1E+1", 10),
        ("'a'=='b'or'c'=='c'", True), ("-1e-1", Fraction(-1, 10)),
    ],
)  # fmt: skip
def test_expressions(text, value):
    found = parse(text, Place("x.yaml", 1, 1)).value({"r": 5, "w": Fraction(1, 2)})
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("line", ["%YAML 1.1", "%YAML 1.2", "%TAG ! tag:example.com,2000:"])
def test_a_directive_is_refused(line):
    said = "a directive of YAML; a spec is YAML 1.2: remove the line that starts with %"
    assert wrong(f"# first\n{line}\n---\n{HEAD}{REST}") == [f"2:1: {said}"]


def test_reading_stops_where_it_is_told():
    from costcalc.errors import Problems

    tree = read("a: 1\nb: 2\nc: [", "x.yaml", Problems(), stop_at=frozenset("b"))
    assert [key.text for key, _ in tree.entries] == ["a"]


def test_more_values_than_a_spec_has_are_refused():
    with pytest.raises(SpecError, match="too many values for one spec; raise the limit with --max-bytes"):
        parse_text("a: [" + "1," * 300_000 + "]", "x.yaml")
