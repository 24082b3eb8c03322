"""Finding specs: names, presets, paths, and knobs behind an @."""

import copy
import pickle
from fractions import Fraction

import pytest

import costcalc
from costcalc.errors import CostcalcError, SpecError, UnknownName, UsageError
from costcalc.net import apply_settings
from costcalc.spec import library
from costcalc.spec.library import entries, find, parse_settings
from costcalc.spec.list_specs import specs
from costcalc.spec.spec_tree import Knob
from costcalc.text import value_text

TEXT = "name: mine\ntitle: t\nsource: s\nknobs: {r: 8, w: 0.5}\ninput: [3, r, r]\nlayers: [relu]\n"
MODE = Knob("mode", "a", "choice", choices=("a", "b"))
KNOBS = {knob.name: knob for knob in (Knob("r", 8), Knob("w", 1, "real", 0), MODE, Knob("deep", False, "flag"))}
LIST = "see `costcalc list`, or give the path of a spec"


def test_names_and_presets_are_found():
    assert find("resnet").settings == {}
    found = find("resnet50@r=160, stride_on=conv1")
    assert found.spec.name == "resnet"
    assert found.settings["n4"] == 6
    assert (found.settings["r"], found.settings["stride_on"]) == (160, "conv1")
    assert found.label == "resnet50@r=160,stride_on=conv1"


def test_every_entry_is_found_by_its_name():
    listed = entries()
    assert len({entry.name for entry in listed}) == len(listed)
    for entry in listed:
        assert find(entry.name).spec.name == entry.spec


def test_a_path_is_read(tmp_path, monkeypatch):
    path = tmp_path / "a@b" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(TEXT)
    assert find(str(path)).label == str(path)
    monkeypatch.chdir(path.parent)
    found = find("./mine.yaml@r=9,w=1/4")
    assert (found.settings, found.label) == ({"r": 9, "w": Fraction(1, 4)}, "./mine.yaml@r=9,w=1/4")
    monkeypatch.chdir(tmp_path)
    found = find("a@b/mine.yaml@r=9")
    assert (found.settings, found.label) == ({"r": 9}, "a@b/mine.yaml@r=9")
    with pytest.raises(UnknownName, match=r"there is no file 'a@b/yours\.yaml'"):
        find("a@b/yours.yaml")
    with pytest.raises(SpecError, match="more than 10 bytes"):
        find("a@b/mine.yaml", max_bytes=10)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("b0", f"no spec or preset named 'b0'; did you mean efficientnet_b0? {LIST}"),
        (
            "inception",
            "no spec or preset named 'inception'; "
            "did you mean inception_bottleneck, inception_module or inception_naive? "
            f"{LIST}",
        ),
        ("VGG16", f"no spec or preset named 'VGG16'; did you mean 'vgg16'? {LIST}"),
        ("efficientnet_b8", f"no spec or preset named 'efficientnet_b8'; did you mean efficientnet? {LIST}"),
        ("effnet", f"no spec or preset named 'effnet'; did you mean 'efficientnet'? {LIST}"),
        ("resnet5", f"no spec or preset named 'resnet5'; did you mean 'resnet50'? {LIST}"),
        ("qqq", f"no spec or preset named 'qqq'; {LIST}"),
        ("", f"no spec or preset named ''; {LIST}"),
        ("knobs", f"no spec or preset named 'knobs'; {LIST}"),
        ("./nowhere.yaml", "there is no file './nowhere.yaml'"),
        ("resnet@r=64,r=96", "knob 'r' is set twice; set it once"),
        ("resnet@resnet5", "resnet: unknown preset 'resnet5'; did you mean 'resnet50'?"),
        (
            "resnet@resnet51",
            "resnet: unknown preset 'resnet51'; "
            "known: plain18, plain34, resnet101, resnet152, resnet18, resnet34, resnet50",
        ),
        ("resnet50@resnet18", "resnet50 is a preset already; write resnet@resnet18"),
        ("resnet@rr=3", "resnet: unknown knob 'rr'; did you mean 'r'?"),
    ],
)  # fmt: skip
def test_what_cannot_be_found_says_what_can(target, message):
    with pytest.raises((UnknownName, UsageError)) as caught:
        find(target)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("/tmp/", "'/tmp/' is a folder, not a spec"),
        ("./a\0b", "cannot read './a\\x00b': not a path"),
        ("resnet@", "'' sets no knob; write knob=value, as in r=160"),
        ("resnet@r", "'r' sets no knob; write knob=value, as in r=160"),
    ],
)
def test_what_is_no_question_of_names_is_another_error(target, message):
    with pytest.raises(UsageError) as caught:
        find(target)
    assert str(caught.value) == message


def test_a_name_that_is_far_too_long():
    with pytest.raises(CostcalcError) as caught:
        find("a" * 100_000)
    assert len(str(caught.value)) < 300
    with pytest.raises(CostcalcError) as caught:
        find("./" + "a" * 100_000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("texts", "settings"),
    [
        (["r=160"], {"r": 160}), (["w=0.5", "r = 2**4"], {"w": Fraction(1, 2), "r": 16}), (["mode=b"], {"mode": "b"}),
        (["deep=true"], {"deep": True}), (["deep=False"], {"deep": False}), ([], {}),
    ],
)  # fmt: skip
def test_settings(texts, settings):
    assert parse_settings(texts, KNOBS, "x") == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("r=", "'r=' sets no knob; write knob=value, as in r=160"),
        ("r=big", "r=big: unknown name 'big'"),
        ("r=1/0", "r=1/0: 1/0: a division by zero"),
        ("r=2.5", "knob 'r' is a whole number, got 2.5"),
        ("r=__import__('os')", "r=__import__('os'): \"__import__('os')\" calls '__import__', which is not a function"),
        ("mode=c", "knob 'mode' is one of a, b, got 'c'"),
        ("deep=3", "knob 'deep' is true or false, got '3'"),
        ("r=" + "9" * 5000, "r=" + "9" * 59 + "…: "),
    ],
)
def test_settings_that_are_none(text, message):
    with pytest.raises(UsageError) as caught:
        parse_settings([text], KNOBS, "x")
    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 300


def test_settings_are_written_as_they_are_read():
    for value, text in ((160, "160"), (Fraction(1, 2), "0.5"), (True, "true"), ("b", "b")):
        assert value_text(value) == text


@pytest.mark.parametrize("text", ["0.12345678", "1/3", "-2.5", "0.00000000000000000001", "7", "1.4"])
def test_a_value_is_written_exactly(text):
    value = parse_settings([f"w={text}"], {"w": Knob("w", 1, "real", -9)}, "x")["w"]
    assert value_text(value) == text
    assert Fraction(value_text(value)) == value


def test_the_notes_of_a_count_show_each_knob_as_it_was_set():
    notes = costcalc.load("efficientnet", w=1.2345678).cost().notes()
    assert "knobs, which --set changes: r=224, d=1, w=1.2345678, classes=1000, batch=1" in notes


@pytest.mark.parametrize("given", [float("nan"), float("inf"), float("-inf")])
def test_a_float_that_is_no_number_is_refused(given):
    with pytest.raises(UsageError) as caught:
        costcalc.load("mobilenet_v1", w=given)
    assert str(caught.value) == f"knob 'w' is a number, got {given}"


@pytest.mark.parametrize(
    ("knobs", "error", "message"),
    [
        ({"qq": 3}, UnknownName, "mobilenet_v1: unknown knob 'qq'; known: batch, classes, r, w"),
        ({"r": -1}, UsageError, "knob 'r' is at least 1, got -1"),
    ],
)
@pytest.mark.parametrize("make", [costcalc.load, lambda name, **knobs: costcalc.load(name).with_knobs(**knobs)])
def test_what_could_not_be_counted_is_refused_at_once(make, knobs, error, message):
    with pytest.raises(error) as caught:
        make("mobilenet_v1", **knobs)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "shared",
    [
        lambda spec: spec.knobs, lambda spec: spec.presets, lambda spec: spec.blocks, lambda spec: spec.sizes,
        lambda spec: spec.presets["resnet50"].settings, lambda spec: spec.items[0].fields,
        lambda spec: spec.published[0].at, lambda spec: spec.blocks["conv_bn"].parameters, lambda spec: spec.inputs,
    ],
)  # fmt: skip
def test_nobody_can_change_what_the_next_one_loads(shared):
    with pytest.raises((AttributeError, TypeError)):
        shared(costcalc.load("resnet").architecture.spec).clear()
    with pytest.raises(TypeError):
        shared(costcalc.load("resnet").architecture.spec)["r"] = 3


def test_a_network_can_be_copied_and_sent_to_another_process():
    net = costcalc.load("resnet50@r=64")
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):  # noqa: S301  our own bytes
        assert twin.cost().totals == net.cost().totals


def test_what_is_loaded_can_be_kept_in_sets():
    net = costcalc.load("resnet50")
    results = [net.architecture.spec, net.presets["resnet50"], net.published[0], net.cost()]
    results += [costcalc.reconcile(net), costcalc.compare(net, net)]
    assert len({*results, *results}) == 6


@pytest.mark.parametrize(
    "presets", ["presets:\n    small: {r: 4}\n", "presets: {small: {r: 4}}\n", 'presets:\n  "sm\\x61ll": {r: 4}\n'],
)  # fmt: skip
def test_a_preset_is_found_however_it_is_written(tmp_path, monkeypatch, presets):
    (tmp_path / "mine.yaml").write_text(TEXT.replace("input:", f"{presets}input:"))
    caches = (library._paths, library._all_paths, library._head, library._library_spec)
    monkeypatch.setattr(library, "library_folder", lambda: tmp_path)
    for cached in caches:
        cached.cache_clear()
    try:
        assert [entry.name for entry in entries()] == ["mine", "small"]
        assert find("small").settings == {"r": 4}
    finally:
        for cached in caches:
            cached.cache_clear()


def test_of_a_library_no_more_heads_are_read_than_mention_the_name(monkeypatch):
    read = []
    monkeypatch.setattr(library, "_head", lambda stem: read.append(stem) or library.parse_head(library._paths()[stem]))
    assert find("vgg16").spec.name == "vgg"
    assert read == ["vgg"]


def test_a_preset_is_chosen_behind_the_at(tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").write_text(TEXT.replace("input:", "presets: {mine_half: {w: 0.25, about: half}}\ninput:"))
    monkeypatch.chdir(tmp_path)
    net = costcalc.load("mine.yaml@mine_half")
    assert (net.settings, net.label, net.title) == ({"w": Fraction(1, 4)}, "mine.yaml@mine_half", "t (half)")
    found = find("./mine.yaml@mine_half, r=9,w=1/3")
    assert found.settings == {"r": 9, "w": Fraction(1, 3)}
    assert found.label == "./mine.yaml@mine_half,r=9,w=1/3"
    assert find("resnet@resnet50").settings == find("resnet50").settings
    assert costcalc.load("resnet@resnet50,r=160").cost().macs == costcalc.load("resnet50@r=160").cost().macs


def test_what_is_set_later_takes_the_place_of_what_the_target_says():
    net = costcalc.load("mobilenet_v1@r=160,w=0.5").with_texts(["r = 192"])
    assert (net.values["r"], net.label) == (192, "mobilenet_v1@w=0.5,r=192")
    assert costcalc.load("mobilenet_v1@r=160", r=192).label == "mobilenet_v1@r=192"
    with pytest.raises(UsageError, match="--set r stands twice; set it once"):
        apply_settings([net], ["r=160", "r=192"])


def test_a_list_takes_words():
    names = [row["name"] for row in specs("resnet").to_records()]
    assert {"resnet", "resnet50", "plain34", "resnet_cifar"} <= {*names} and "vgg16" not in names
    assert [row["name"] for row in specs("resnet", "101").to_records()] == ["resnet101"]
    with pytest.raises(UnknownName, match="no spec has 'resnet' and 'q7'; see `costcalc list`"):
        specs("resnet", "q7")
    assert {row["lecture"] for row in specs("lecture", "1").to_records()} == {1}
    assert specs("lecture 4").to_records()[0]["name"] == "residual_block"
    with pytest.raises(UsageError, match="an empty word finds everything"):
        specs("")
