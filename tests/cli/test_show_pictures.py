"""`show -o` writes drawings, by suffix; what does not go together is said before anything is counted."""

import sys
from xml.etree import ElementTree

import pytest
from support import needed

import costcalc
from costcalc.cli.app import run
from costcalc.report.picture_files import PICTURES, picture_suffix


def shown(words, capsys):
    code = run(words.split())
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "how"),
    [
        ("", {}), ("--depth 1", {"depth": 1}), ("--shade params", {"shade": "params"}),
        ("--every-layer", {"every_layer": True}), ("--width 390", {"width": 390}),
        ("--style volumes", {"style": "volumes"}),
        ("--unroll", {"unrolled": True}), ("--train", {"shade": "train_macs"}),
    ],
)  # fmt: skip
def test_a_drawing_is_what_python_draws(words, how, folder, capsys):
    assert shown(f"show alexnet -o a.svg {words}", capsys) == (0, "", "")
    assert (folder / "a.svg").read_text(encoding="utf-8") == costcalc.load("alexnet").drawing(**how).svg()


def test_a_training_step_shades_what_it_is_asked(folder, capsys):
    words = "show lenet5 -o a.svg --shade saved_bytes --batch 8 --freeze conv1"
    assert shown(words, capsys) == (0, "", "")
    title, *_ = ElementTree.parse(folder / "a.svg").getroot()
    assert title.text.startswith("lenet5@batch=8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("compare lenet5 alexnet -o a.svg", "compare has no .svg file, which is a drawing of `costcalc show`"),
        ("runs list -o a.png", "runs list has no .png file, which is a drawing of `costcalc show`"),
        ("show lenet5 --shade params", "--shade: only drawings have them; add -o FILE.svg"),
        ("show lenet5 --shade seconds -o a.html", "times each layer for a drawing; add -o FILE.svg, .png or .pdf"),
        ("show lenet5 --tree --shade seconds", "--shade seconds times each layer for a drawing"),
        ("show lenet5 --every-layer --width 9 -o a.csv", "--every-layer, --width: only drawings have them"),
        ("show lenet5 -o a.svg --columns name", "--columns: a .svg file has no table; --shade METRIC says what"),
        ("show lenet5 -o a.svg --units M", "--units: a .svg file has no table"),
        ("show lenet5 -o a.svg --style cubes", "unknown style 'cubes'"),
        ("show lenet5 -o a.svg --shade macz", "unknown metric 'macz'; did you mean 'macs'"),
        ("show googlenet -o a.svg --style volumes", "branches at 'max_pool2'"),
        ("show lenet5 -o a.svg --style volumes --depth 1", "leave out depth and every_layer"),
        ("show lenet5 -o no/a.svg", "there is no folder"),
        ("show x.safetensors -o a.svg", "a .safetensors file has tensors and no layers to draw"),
        ("show lenet5 -o a.gif", "has the suffix '.gif'; use one of .txt .json"),
        ("show lenet5 -o a.svg --freeze conv1", "add --train"),
    ],
)  # fmt: skip
def test_what_does_not_go_is_said(words, said, folder, capsys):
    code, out, err = shown(words, capsys)
    assert (code in (2, 3), out) == (True, "") and said in err and err.count("error:") == 1
    assert [*folder.iterdir()] == []


def test_a_format_without_its_package_is_said_before_anything_is_counted(monkeypatch, folder, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, _, err = shown("show nosuch -o a.png", capsys)
    assert code == 3 and "pictures need matplotlib: pip install 'costcalc[report]'" in err
    assert shown("show lenet5 -o a.svg", capsys)[0] == 0


def test_png_and_pdf(folder, capsys):
    needed.module("matplotlib", "report")
    for name, head in (("a.png", b"\x89PNG"), ("a.PDF", b"%PDF")):
        assert shown(f"show conv1x1 -o {name}", capsys) == (0, "", "")
        assert (folder / name).read_bytes()[:4] == head


def test_the_longest_suffix_counts():
    assert picture_suffix("a.SVG") == ".svg" and picture_suffix("a.svg", "csv") == "" and picture_suffix(None) == ""
    assert all(picture_suffix(f"net{suffix}") == suffix for suffix in PICTURES)
