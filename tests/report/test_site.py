"""The site: every page is there, links lead to files, folders are safe."""

import re

import pytest
from support import needed
from support.links import Links, broken

import costcalc
from costcalc.cli.app import run
from costcalc.errors import UsageError
from costcalc.spec.lecture_titles import LECTURES

needed.module("jinja2", "report")
needed.module("matplotlib", "report")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("site") / "public"
    costcalc.write_site(made, "conv1x1", "lenet5", "resnet50@r=32")
    return made


def test_every_network_has_a_drawing_a_page_and_a_card(folder):
    names = ["conv1x1", "lenet5", "resnet"]
    assert sorted(path.stem for path in (folder / "drawings").iterdir()) == names
    assert sorted(path.stem for path in (folder / "networks").iterdir()) == names
    index = (folder / "index.html").read_text(encoding="utf-8")
    assert "4,816,896 MACs" in index and f"{costcalc.load('lenet5').params:,} params" in index


def test_links_and_anchors_lead_to_what_is_there(folder):
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}
    assert len(pages) == 5 and pages[folder / "index.html"].links >= {"networks/lenet5.html", "lectures.html"}
    assert [*broken(folder)] == []
    out = [link for page in pages.values() for link in page.links if re.match(r"[a-z]+:|/", link)]
    assert all(link.startswith("data:image/") for link in out)


def test_the_lectures_have_all_questions(folder):
    text = (folder / "lectures.html").read_text(encoding="utf-8")
    assert all(f'id="lecture-{number}"' in text for number in range(1, len(LECTURES) + 1))
    assert text.count("<details>") == len(costcalc.lecture().to_records())
    assert "12,443,648" in text


def test_nothing_is_loaded_from_elsewhere(folder):
    for path in folder.rglob("*.html"):
        assert "default-src 'none'" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("there", ["a file", "a folder", "a site"])
def test_what_is_there_stays(there, tmp_path, capsys):
    target = tmp_path / "public"
    if there == "a file":
        target.write_text("mine")
    elif there == "a folder":
        target.mkdir()
        (target / "mine.txt").write_text("mine")
    else:
        costcalc.write_site(target, "conv1x1")
        (target / "index.html").write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert run(["site", "conv1x1", "-o", str(target), *["--replace"] * (there != "a site")]) == 2
    assert re.match(r"error: (there is a site in )?'.*public'", capsys.readouterr().err)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_earlier_site_gives_way(tmp_path):
    costcalc.write_site(tmp_path / "public", "conv1x1")
    files = costcalc.write_site(tmp_path / "public", "lenet5", replace=True)
    assert {path.stem for path in files} == {"index", "lectures", "lenet5", "made-by-costcalc"}


def test_one_name_has_one_page(tmp_path):
    with pytest.raises(UsageError, match="two networks are called resnet; a site has one page for each name"):
        costcalc.write_site(tmp_path / "public", "resnet50", "resnet18")
    assert not (tmp_path / "public").exists()
