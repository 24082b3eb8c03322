"""`[tool.costcalc]`: what it says, what is refused, and that it is data only."""

import os

import pytest

import costcalc
from costcalc.errors import UsageError
from costcalc.project.project import Project
from costcalc.project.project_config import KEYS, find_config, parse_config

WHOLE = """
[tool.costcalc]
targets = ["lenet5", "mobilenet_v1@w=0.5"]
specs = ["nets"]
units = "M,MiB"
metrics = ["macs", "peak_bytes"]
dtype = "float16"
optimizer = "adam"

[tool.costcalc.budgets]
macs = "0.15G"
params = 2_000_000
train_peak_bytes = 1e9

[tool.costcalc.budgets.lenet5]
macs = "500K"
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, with one for specs, and a function that writes its pyproject.toml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()
    return lambda text: (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")


def test_every_key_is_read(here, tmp_path):
    here(WHOLE)
    found = find_config(tmp_path)
    assert (found.targets, found.specs) == (("lenet5", "mobilenet_v1@w=0.5"), ("nets",))
    assert (found.units, found.dtype, found.optimizer) == ("M,MiB", "float16", "adam")
    assert found.metrics == ("macs", "peak_bytes")
    assert found.budgets == {"macs": 150_000_000, "params": 2_000_000, "train_peak_bytes": 10**9}
    assert found.own_budgets == {"lenet5": {"macs": 500_000}}
    assert {name for name in KEYS if f"{name} =" in WHOLE or f".{name}" in WHOLE} == {*KEYS}


def test_budgets_are_for_all_for_one_and_for_a_call(here):
    here(WHOLE)
    found = {(each.target, each.metric): each for each in costcalc.check(params="1M").budgets}
    net = costcalc.load("lenet5", dtype="float16").with_step(costcalc.TrainStep("adam"))
    assert found["lenet5", "macs"].budget == 500_000
    assert found["mobilenet_v1@w=0.5", "macs"].budget == 150_000_000
    assert {each.budget for (_, metric), each in found.items() if metric == "params"} == {10**6}
    assert found["lenet5", "train_peak_bytes"].value == net.cost().total("train_peak_bytes")
    assert "0.4165 M 0.5000 M" in " ".join(str(costcalc.check()).split())  # of lenet5, in the units of the file


def test_the_nearest_file_with_the_section_counts(here, tmp_path, monkeypatch):
    here(WHOLE)
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other\n")  # none of ours, and broken
    monkeypatch.chdir(tmp_path / "a" / "b")
    assert find_config(tmp_path / "a" / "b").folder == tmp_path
    assert costcalc.check().source == os.path.join("..", "..", "pyproject.toml")
    (tmp_path / "mine.toml").write_text('[tool.costcalc]\ntargets = ["lenet5"]\nbudgets.macs = 1')
    assert not costcalc.check(config="../../mine.toml").ok
    with pytest.raises(UsageError, match=r"no pyproject.toml here has \[tool.costcalc\]"):
        costcalc.check(config=False, macs=1)


def test_specs_of_a_folder_have_names(here, tmp_path):
    text = "name: own\ntitle: t\nsource: s\npresets: {wide: {w: 3}}\nknobs: {w: 1}\ninput: [4]\nlayers: [linear: w]\n"
    text = text.replace("presets: {wide: {w: 3}}\nknobs: {w: 1}", "knobs: {w: 1}\npresets: {wide: {w: 3}}")
    for name in ("own", "other"):
        (tmp_path / f"nets/{name}.yaml").write_text(text.replace("own", name))
    (tmp_path / "nets/notes.txt").write_text("")
    here('[tool.costcalc]\nspecs = ["nets"]\nbudgets.params = 100\nbudgets."nets/own.yaml".params = 1')
    assert [each.target for each in costcalc.check().budgets] == ["nets/other.yaml", "nets/own.yaml"]
    assert [each.target for each in costcalc.check().broken] == ["nets/own.yaml"]
    here('[tool.costcalc]\nspecs = ["nets"]\nbudgets."nets/own.yaml".params = 100')
    assert (costcalc.check().ok, costcalc.check().unbudgeted) == (True, ("nets/other.yaml",))
    assert "without a budget: nets/other.yaml" in str(costcalc.check())
    here('[tool.costcalc]\nspecs = ["nets"]\ntargets = ["own", "own@wide", "own"]\nbudgets."own@wide".macs = 5')
    found = costcalc.check(params=1)
    assert [(each.target, each.metric, each.value) for each in found.budgets] == [
        ("own", "params", 5), ("own@wide", "macs", 12), ("own@wide", "params", 15)]  # fmt: skip
    assert {each.file for each in found.budgets} == {"nets/own.yaml"}
    assert costcalc.check("own", macs=1).budgets[0].value == 4
    (tmp_path / "nets/lenet5.yaml").write_text(text.replace("own", "lenet5"))
    with pytest.raises(UsageError, match=r"'lenet5' is in nets/lenet5.yaml and in the library; write its path"):
        costcalc.check("lenet5", macs=1)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('targets = ["lenet5"\n[a]', "pyproject.toml: not TOML: Unclosed array (at line 3, column 1)"),
        ('targts = ["lenet5"]', "pyproject.toml: [tool.costcalc] has no key 'targts'; did you mean 'targets'?"),
        ('targets = "lenet5"', 'pyproject.toml: targets is a list of texts, as in targets = ["…"]'),
        ("units = 3", 'pyproject.toml: units is a text, as in units = "…"'),
        ('units = "Mb"', "pyproject.toml: units: unknown unit 'Mb'; did you mean 'MB'?"),
        ('dtype = "flot16"', "pyproject.toml: dtype: unknown dtype 'flot16'; did you mean 'float16'?"),
        ('optimizer = "adm"', "pyproject.toml: optimizer: unknown optimizer 'adm'; did you mean 'adam'?"),
        ('metrics = ["mac"]', "pyproject.toml: metrics: unknown metric 'mac'; did you mean 'macs'?"),
        ("budgets = 3", "pyproject.toml: budgets is a table"),
        ('budgets.mac = "1M"', "pyproject.toml: budgets: unknown metric 'mac'; did you mean 'macs'?"),
        ('budgets.macs = "1MB"', "pyproject.toml: budgets: 'macs=1MB' is not a budget: MB is a unit of bytes"),
        ("budgets.macs = {max = 3}", 'pyproject.toml: budgets.macs is a table; write macs = "400M"'),
        ("budgets.macs = true", "pyproject.toml: budgets.macs is a number, or a text"),
        ("budgets.macs = [1]", "pyproject.toml: budgets.macs is a number, or a text"),
        ("budgets.macs = nan", "pyproject.toml: budgets: a budget of macs is a number, got nan"),
        ("budgets.macs = 4.5", "pyproject.toml: budgets: 'macs=4.5' is not a budget: macs is a whole number"),
        ('budgets.macs = "4.5"', "did you mean 4.5G?; write macs=400M or params=6,000,000"),
        ('specs = ["nodir"]', "pyproject.toml: specs: there is no folder 'nodir'"),
        ('targets = ["lenet"]', "pyproject.toml: targets: no spec or preset named 'lenet'; did you mean 'lenet5'?"),
        ('targets = ["lenet5@c=3"]', "pyproject.toml: targets: lenet5: unknown knob 'c'"),
        ("budgets.macs = -1", "pyproject.toml: budgets.macs is below 0"),
        (f"budgets.macs = {'9' * 5000}", "pyproject.toml: not TOML: a number has too many digits"),
        (f"units = {'[' * 5000}", "pyproject.toml: not TOML: it nests too deep"),
        ("budgets.lenet.macs = 1", "pyproject.toml: budgets: unknown target 'lenet'; did you mean 'lenet5'?"),
        ("", "there is no budget to check; give one"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(here, refused, lines, said):
    targets = "" if "targ" in lines else 'targets = ["lenet5"]\n'
    here(f"[tool.costcalc]\n{targets}{lines}\n")
    refused("check", said)


def test_other_texts_are_no_project(tmp_path):
    assert parse_config(b"[tool.other\n", "f", tmp_path) is None
    assert parse_config(b"[other]\nname = 'costcalc'", "f", tmp_path) is None
    assert parse_config(b"tool = 3 # costcalc", "f", tmp_path) is None
    for data, said in ((b"\n# costcalc \xff", "f:2: this is not UTF-8"), (b"#costcalc" * 200_000, "f has more than")):
        with pytest.raises(UsageError, match=said):
            parse_config(data, "f", tmp_path)


@pytest.mark.parametrize("line", ["check", "check --max macs=1", "check lenet5", "check --config pyproject.toml"])
def test_a_file_that_is_broken_is_said_where_it_is_missed(here, refused, tmp_path, line):
    here("hello")
    refused(line, "pyproject.toml: not TOML: Expected '=' after a key")
    (tmp_path / "pyproject.toml").write_bytes(WHOLE.encode("utf-16"))
    refused(line, "pyproject.toml:1: this is not UTF-8")
    here("hello")
    assert costcalc.check("lenet5", macs="1G").ok  # nothing of it is asked


def test_the_file_is_named_only_if_a_budget_is_from_it(here):
    here('[tool.costcalc]\nbudgets.macs = "20G"')
    assert costcalc.check("lenet5").source == "pyproject.toml"
    assert costcalc.check("lenet5", params="1M").source == "pyproject.toml"
    assert costcalc.check("lenet5", macs="5G").source == ""


def test_of_two_spellings_the_first_is_the_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("name: a\ntitle: t\nsource: s\ninput: [4]\nlayers: [linear: 1]\n")
    found = costcalc.check("a.yaml", "lenet5", "./a.yaml", macs=1)
    assert [each.target for each in found.budgets] == ["a.yaml", "lenet5"]


@pytest.mark.parametrize("where", ['targets = ["{}"]', '[tool.costcalc.budgets."{}"]\nmacs = 1'])
@pytest.mark.parametrize("target", ["nets.py:make", "C:/nets/my.py:make@batch=2", "sub/my.py:Net"])
def test_nothing_in_it_names_code(here, refused, where, target):
    here("[tool.costcalc]\n" + where.format(target))
    said = "would run a file; take it out, nothing in this file runs code; the command line may name it"
    refused("check --max macs=1", said)
    refused(f"check {target} --max macs=1", said)  # named twice


def test_files_of_a_project_are_found_from_a_folder_below(here, tmp_path, monkeypatch):
    here('[tool.costcalc]\ntargets = ["c.json", "hf:c/d.json@tokens=8", "m.onnx@batch=2", "timm:x"]')
    for name in ("c.json", "c/d.json", "m.onnx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path / "c")
    found = Project.find().targets()
    assert [each.loadable for each in found] == ["../c.json", "hf:d.json@tokens=8", "../m.onnx@batch=2", "timm:x"]
    assert [each.label(each.loadable) for each in found][1] == "hf:c/d.json@tokens=8"


@pytest.mark.parametrize("path", ["../a.yaml", "/etc/passwd", "a/../../b.yaml", "link/a.yaml", "hf:/etc/config.json"])
@pytest.mark.parametrize("where", ['targets = ["{}"]', 'specs = ["{}"]'])
def test_paths_lie_below_the_folder(here, refused, tmp_path, path, where):
    if not os.path.lexists("link"):
        os.symlink(tmp_path.parent, "link")
    here("[tool.costcalc]\n" + where.format(path.removeprefix("hf:" if "specs" in where else "")))
    refused("check --max macs=1", "is not below the folder of this file")
