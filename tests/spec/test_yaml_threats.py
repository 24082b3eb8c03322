"""T3 to T7: what YAML can do to a reader, refused at once and by name."""

import os
import random
import re
import string
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest
import yaml
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from support.confined import confined
from support.hostile import HEAD, LAYERS, billion_laughs, chain, macro_bomb, size_bomb, wide_bomb
from support.sizes import size

from costcalc.errors import Problems, SpecError
from costcalc.spec import yaml_reader
from costcalc.spec.library import library_folder
from costcalc.spec.parse import parse_text
from costcalc.spec.yaml_reader import read

FUZZED = size(4000, 1_000_000)
PROFILED = 20_000  # of them, for their calls: a profile takes four times as long as the case
BATCH = min(FUZZED // 2, 5000)


def refused(cases, **limits):
    """The messages of cases that must all be refused."""
    outcomes = confined("count", cases, **limits)
    assert [case[:100] for case, found in zip(cases, outcomes) if found.kind != "refused"] == []
    return outcomes


def test_t3_bombs_are_refused_at_once():
    cases = [
        billion_laughs(9),
        LAYERS + "  - &x relu\n  - *x",
        macro_bomb(9, 10),
        macro_bomb(200, 10),
        macro_bomb(18, 2),
        macro_bomb(3000, 2),
        chain(60),
        chain(5000),
        size_bomb(50, "{0}**16"),
        size_bomb(1000, "{0}*{0}"),
        size_bomb(1000, "2*{0}"),
        wide_bomb(2000),
    ]
    outcomes = refused(cases, megabytes=100)
    assert max(found.calls for case, found in zip(cases, outcomes) if len(case) < 5000) < 20_000
    assert max(found.calls for found in outcomes) < 1_000_000
    assert "an anchor, &a0" in outcomes[0].text
    assert "the network expands to more than 100,000 layers" in outcomes[2].text
    assert "nests more than 50 deep" in outcomes[6].text
    assert "a number of more than 4096 bits" in outcomes[8].text
    assert "the network expands to more than 100,000 layers" in outcomes[-1].text


@pytest.mark.parametrize("depth", [33, 1_000, 100_000, 450_000])
def test_t4_deep_nesting_is_refused(depth):
    cases = [
        "[" * depth,
        "{" * depth,
        "- " * depth,
        "? " * depth,
        "[" * depth + "]" * depth,
        "{a: " * (depth // 2),
        HEAD + "layers: " + "[" * (depth - 1),
        LAYERS + "  - " * depth + "relu",
        LAYERS + "  " + "- " * depth + "relu",
    ]
    outcomes = refused([case[:999_000] for case in cases], megabytes=300)
    for found in outcomes[:6] if depth > 33 else outcomes[4:5]:
        assert "nested more than 32 levels deep" in found.text
    assert max(found.calls for found in outcomes) < 3_000  # whatever the depth


def test_t4_thirty_two_levels_are_read():
    assert read("a: " + "[" * 31 + "]" * 31, "x.yaml", Problems())
    with pytest.raises(SpecError, match="nested more than 32 levels deep"):
        read("a: " + "[" * 32 + "]" * 32, "x.yaml", Problems())


def of_another_release(events):
    """The same events, and errors in other words."""

    def spoken(text):
        try:
            yield from events(text)
        except yaml.MarkedYAMLError as error:
            error.context, error.problem = "dum", "spiro spero"
            raise

    return spoken


NOT_YAML = {  # what is said about it
    "a: 'x\nb: 1\n": "1:4: not YAML: a text in quotes that does not end; a quote is not closed",
    'a: "x\nb: 1\n': "1:4: not YAML: a text in quotes that does not end; a quote is not closed",
    "a: '\n---\n'": "1:4: not YAML: a text in quotes that does not end; a quote is not closed",
    '"a": 1\nb: "\\q"': (
        "2:5: not YAML: a \\ before a sign that it does not go with; write it twice, or take single quotes"
    ),
    "a:\n\tb: 1": "2:1: not YAML: a tab in an indentation; indent with spaces, not tabs",
    "a: b: c": (
        "1:5: not YAML: a `: ` where no key ends; a text with `: ` stands in quotes; else look at the indentation"
    ),
    "a: {b: c\nd: 1\n": "1:4: not YAML: a { without its }; a { is not closed, or a comma lacks",
    "a: [1, 2\nb: [3]\n": "1:4: not YAML: a [ without its ]; a [ is not closed, or a comma lacks",
    "a: [1, 2}": "1:9: not YAML: a [ without its ]; a [ is not closed, or a comma lacks",
    "a: [b]]": "1:7: not YAML: a ] that nothing opened; remove it, or quote the text",
    "a:\n  - b\n - c\n": (
        "3:2: not YAML: an item where no list is; look at the indentation: items of one list start in one column"
    ),
    "a:\n  - b\n  c: d\n": (
        "3:3: not YAML: a line that is not an item of its list; "
        "look at the indentation: items of one list start in one column"
    ),
    "a:\n  b: 1\n c: 2\n": (
        "3:2: not YAML: a line that is not a key of its mapping; "
        "look at the indentation: keys of one mapping start in one column"
    ),
    "a: 1\nname\nb: 2\n": "2:1: not YAML: a key without its `: `; a key ends in `: `",
    "a: @b": "1:4: not YAML: a text that starts with @; quote a text that starts with this sign",
    "a: > 5\n": "1:4: not YAML: a text that starts with >; quote a text that starts with this sign",
    "a: 'it's'": "1:8: not YAML: something behind a value that has ended; put quotes around the whole value",
    "%MINE x\n---\na: 1": "1:1: not YAML: a directive; remove the line that starts with %",
    "a: " + "[" * 2000: "1:35: nested more than 32 levels deep",
    "é: '['\na: # [\n  b: " + "[ " * 1500: "3:66: nested more than 32 levels deep",
}


@pytest.mark.parametrize("text", NOT_YAML, ids=range(len(NOT_YAML)))
@pytest.mark.parametrize("words", [lambda events: events, of_another_release], ids=["as they are", "others"])
def test_what_is_no_yaml_is_said_in_our_words(text, words, monkeypatch):
    monkeypatch.setattr(yaml_reader, "_events", words(yaml_reader._events))
    with pytest.raises(SpecError) as caught:
        read(text, "x.yaml", Problems())
    assert str(caught.value) == f"x.yaml:{NOT_YAML[text]}"


TAGS = [
    "!!python/object/apply:os.system ['touch canary']", "!!python/object:os.system x", "!!python/name:os.system",
    "!!python/module:os", "!!python/object/new:os.system ['touch canary']", "!!python/tuple [1, 2]",
    "!!python/dict {}", "!!str relu", "!!int 3", "!!float 3", "!!binary aGVsbG8=", "!!set {a, b}", "!!omap [a: 1]",
    "!!timestamp 2001-01-01", "!!null x", "!local x", "!<tag:yaml.org,2002:python/object/apply:os.system> x", "! x",
    "!", "!!merge <<", "! 'x'", "!!map {relu: 3}", "!!seq [relu]",
]  # fmt: skip


def test_t5_every_tag_is_refused(tmp_path):
    assert len(TAGS) >= 20
    cases = [f"{LAYERS}  - {tag}" for tag in TAGS] + [f"{LAYERS}  - linear: {tag}" for tag in TAGS]
    cases += [f"{LAYERS}  - {tag.split()[0]} relu: 3" for tag in TAGS]
    outcomes = refused(cases, cwd=tmp_path)
    assert [found.text for found in outcomes if "a tag, !" not in found.text and "not YAML" not in found.text] == []
    assert sum("a tag, !" in found.text for found in outcomes) >= 60
    assert [*tmp_path.iterdir()] == []


SCALARS = [
    "010", "0o17", "0x1F", "12:30", "1:2:3", "no", "yes", "on", "off", "y", "N", "true", "True", "TRUE", "false",
    "null", "Null", "~", "1e3", "1.5e3", "1e-3", "+12", "-7", "-0", ".5", "5.", "0.1", "1.0", "6.02e+23", "1e", "e3",
    "1.2.3", "0x", "0o8", "12a", "+", "-.5", "nul", "tRUE", "0.1.", "abc", "3 4", "1,000", "00", "-010", "2e0", "0e5",
    "NaN", "inf", "1e+2", "-", "0xg", "1 # c", "'no'", '"12"', "'010'",
]  # fmt: skip


@pytest.mark.parametrize("text", SCALARS)
def test_t6_scalars_are_yaml_1_2(text):
    theirs = YAML(typ="safe", pure=True).load(f"k: {text}")["k"] if text != "-" else "-"
    tree = read(f"k: {text}" if text != "-" else "k: '-'", "x.yaml", Problems())
    ours = tree.entries[0][1].value
    if isinstance(theirs, float):
        assert isinstance(ours, Fraction)
        assert float(ours) == theirs
    else:
        assert (type(ours), ours) == (type(theirs), theirs)


def test_t6_forty_scalars():
    assert len(SCALARS) >= 40


DUPLICATES = [
    "name: y\n" + LAYERS + "  - relu",
    HEAD + "knobs: {a: 1, a: 2}\nlayers: [relu]",
    HEAD + "knobs:\n  a: {default: 1, default: 2}\nlayers: [relu]",
    HEAD + "presets:\n  p: {batch: 1, batch: 2}\nlayers: [relu]",
    HEAD + "sizes: {a: 1, a: 2}\nlayers: [relu]",
    HEAD + "blocks:\n  b: [relu]\n  b: [tanh]\nlayers: [b]",
    LAYERS + "  - linear: {features: 3, features: 4}",
    LAYERS + "  - linear: {features: 3, name: a, name: b}",
    LAYERS + "  - repeat: {times: 3, times: 4, layers: [relu]}",
    LAYERS + "  - {relu: {}, relu: {}}",
    LAYERS + "  - relu\npublished:\n  - {metric: params, value: 3, value: 4, source: s}",
    LAYERS + "  - relu\npublished:\n  - {metric: params, value: 3, at: {batch: 1, batch: 2}, source: s}",
    HEAD + "layers: [relu]\nlayers: [tanh]",
    HEAD.replace("name", "\u00e9") + "e\u0301: 3\nname: x\nlayers: [relu]",
]


@pytest.mark.parametrize("text", DUPLICATES)
def test_t6_a_key_twice_is_refused_at_every_level(text):
    with pytest.raises(SpecError, match="stands twice; first at line"):
        parse_text(text, "x.yaml")
    if text.isascii():
        with pytest.raises(DuplicateKeyError):
            YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize("key", ["[a]", "{a: 1}", "''", "? [a]\n", "~", "3", "1.5", "true"])
def test_t6_keys_are_words(key):
    with pytest.raises(SpecError, match=r"a key must be a word|unknown key|not YAML"):
        parse_text(f"{LAYERS}  - relu\n{key}: 3", "x.yaml")


INVISIBLE = [
    "\u200b", "\u200e", "\u202e", "\u2066", "\ufeff", "\u00ad", "\u2028", "\u2029", "\u0085", "\ue000", "\U000e0041",
    "\x7f", "\x00", "\x1b", "\x9b", "\ud800", "\udfff", "\uffff",
]  # fmt: skip


@pytest.mark.parametrize("sign", INVISIBLE, ids=lambda sign: f"{ord(sign):x}")
def test_t7_signs_that_cannot_be_seen_are_refused(sign):
    escaped = f'"a\\U{ord(sign):08x}b"'
    for form in (f"a{sign}b", f'"a{sign}b"', escaped):
        for text in (
            f"name: x\ntitle: {form}\nsource: s\ninput: [3]\nlayers: [relu]",
            f"{LAYERS}  - relu: {{name: {form}}}",
            f"{LAYERS}  - {form}",
            f"{HEAD}knobs: {{{form}: 3}}\nlayers: [relu]",
            f"{HEAD}sizes: {{{form}: 3}}\nlayers: [relu]",
            f"{LAYERS}  - linear: {form}",
        ):
            with pytest.raises(SpecError) as caught:
                parse_text(text, "x.yaml")
            assert re.match(r"x\.yaml:\d+:\d+: ", str(caught.value))


def test_t7_text_is_strict_utf_8():
    for data, place in (
        (b"name: \xff", "1:7"),
        (b"name: x\ntitle: \xc3\x28", "2:8"),
        (b"a: \xed\xa0\x80", "1:4"),
        (b"\xff\xfen\x00a\x00", "1:1"),
        (b"a: b\r\n\xe9: 1", "2:1"),
        ("é: \ud800".encode("utf-8", "surrogatepass"), "1:4"),
    ):
        with pytest.raises(SpecError) as caught:
            parse_text(data, "x.yaml")
        assert str(caught.value) == f"x.yaml:{place}: not UTF-8 text; save the file as UTF-8"
    with pytest.raises(SpecError, match=r"x\.yaml:1:7: not UTF-8 text"):
        parse_text("name: \ud800", "x.yaml")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_t7_a_mark_and_any_line_end_are_read(end):
    text = "\ufeff" + LAYERS + "  - relu\n  - conv: {chanels: 3}\n"
    with pytest.raises(SpecError) as caught:
        parse_text(text.replace("\n", end), "x.yaml")
    assert str(caught.value) == (
        "x.yaml:7:12: unknown key in conv 'chanels'; did you mean 'channels'? conv has channels, "
        "kernel, stride, padding, dilation, groups, bias"
    )
    mixed = "name: x\r\ntitle: t\rsource: s\ninput: [3]\r\nlayers: [relu, é]"
    with pytest.raises(SpecError, match=r"x\.yaml:5:16: unknown op or block 'é'"):
        parse_text(mixed, "x.yaml")


def test_t7_a_file_that_is_too_large_is_not_read():
    with pytest.raises(SpecError) as caught:
        parse_text("a" * 1_000_001, "x.yaml")
    assert str(caught.value) == "x.yaml:1:1: more than 1,000,000 bytes; raise the limit with --max-bytes"


SEEDS = [path.read_bytes() for path in sorted(library_folder().glob("*.yaml")) if path.stat().st_size < 3000]
SEEDS.append(b"""name: tiny
title: A tiny network
source: "Nobody 2026, Table 1"
knobs:
  r: {default: 32, about: input resolution in pixels}
  w: {default: 1, kind: real, min: 1/4, max: 4, letter: "w'"}
  head: {default: linear, choices: [linear, none]}
  deep: false
presets:
  half: {w: 1/2, about: half as wide}
sizes:
  c1: round_to(24*w, 8)
inputs: {image: [3, r, r], other: [3, r, r]}
blocks:
  unit(channels, stride=1):
    - conv: {channels: channels, kernel: 3, stride: stride, padding: same, bias: false}
    - batch_norm
    - relu
layers:
  - unit: {channels: c1, stride: 2, from: image}
  - repeat: {name: body, times: 3, layers: [unit: c1, add: [[], [sigmoid]]]}
  - add: {name: join, branches: [[], [dropout: 0.1, group: {layers: [tanh]}]]}
  - side: {name: aux, when: deep, layers: [flatten, linear: 3]}
  - conv: {name: a, channels: c1, kernel: [1, 1]}
  - conv: {channels: c1, kernel: 1, shares: a}
  - concat: {from: [a, conv], axis: 1}
  - global_average_pool
  - linear: {name: fc, features: 10, when: head == 'linear'}
published:
  - {metric: params, value: 2.7K, K: 1024, block: body, source: Table 1, at: {w: 0.5}, because: why}
""")
TOKENS = [
    b"[", b"]", b"{", b"}", b": ", b"- ", b"\n", b"? ", b"&a ", b"*a", b"!!str ", b"'", b'"', b"|\n", b">\n", b"#",
    b"%YAML 1.1\n", b"---\n", b"...\n", b"\t", b"\x00", b"\xff", b"\xed\xa0\x80", b"\xe2\x80\xae", b'"\\ud800"', b"~",
    b"null", b"true", b"0", b"-1", b"1e9", b"2147483648", b"99999999999", b"1/0", b"10**9", b"relu", b"add: ",
    b"repeat: ", b"group: ", b"side: ", b"from: ", b"when: ", b"shares: ", b"name: ", b"input", b"batch", b"r", b"c1",
    b"unit", b"lstm: ", b"embedding: ", b"reshape: ", b"transpose: ", b"mat_mul", b"upsample: ", b"partial_conv: ",
    b"layer_norm: ", b"[]", b"{}", b",", b"@", b"`", b"<<: ", b"\r", b"\xef\xbb\xbf", b"0.3", b"same", b"valid",
    b"layers: ", b"times: ", b"branches: ",
]  # fmt: skip


def mutated(dice):
    """A spec of the library, damaged in one to six places."""
    data = dice.choice(SEEDS)
    for _ in range(dice.choice((1, 1, 2, 3, 6))):
        at = dice.randrange(len(data) + 1)
        to = min(len(data), at + dice.choice((1, 1, 2, 5, 20, 100)))
        lines = data.split(b"\n")
        match dice.randrange(9):
            case 0:
                data = data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
            case 1:
                data = data[:at] + data[to:]
            case 2 | 3:
                data = data[:at] + dice.choice(TOKENS) + data[at:]
            case 4:
                lines.insert(dice.randrange(len(lines)), dice.choice(lines))
                data = b"\n".join(lines)
            case 5:
                dice.shuffle(lines) if dice.random() < 0.1 else lines.pop(dice.randrange(len(lines)))
                data = b"\n".join(lines)
            case 6:
                words = [*re.finditer(rb"\w+", data)] or [re.match(b"", data)]
                word = dice.choice(words)
                data = data[: word.start()] + dice.choice([*TOKENS, word[0][::-1], word[0] * 2]) + data[word.end() :]
            case 7:
                other = dice.choice(SEEDS)
                data = data[:at] + other[dice.randrange(len(other)) :]
            case _:
                data = data[:at] + data[at:to] * dice.choice((2, 50)) + data[to:]
    return data


def fuzzed(seed):
    """How many mutated specs were fine, and the most calls that one of them took."""
    dice = random.Random(seed)
    cases = [mutated(dice) for _ in range(BATCH)]
    outcomes = confined("count", cases, seconds=900, megabytes=400, profiled=seed < PROFILED // BATCH)
    for found in outcomes:
        assert found.kind == "ok" or (len(found.text) < 100_000 and set(found.text) & set(string.ascii_letters))
    return sum(found.kind == "ok" for found in outcomes), max(found.calls for found in outcomes)


@pytest.mark.sized
def test_t7_mutated_specs_leave_no_traceback():
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        fine, most = zip(*pool.map(fuzzed, range(FUZZED // BATCH)))
    assert max(most) < 1_000_000
    assert sum(fine) > FUZZED // 50
