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
    assert sorted(path.stem for path in (folder / "networks").iterdir()) == sorted([*names, "plain18", "resnet18"])
    index = (folder / "index.html").read_text(encoding="utf-8")
    assert "4,816,896 MACs" in index and f"{costcalc.load('lenet5').params:,} params" in index


def test_links_and_anchors_lead_to_what_is_there(folder):
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}
    assert len(pages) == 7 and pages[folder / "index.html"].links >= {"networks/lenet5.html", "lectures.html"}
    assert [*broken(folder)] == []
    out = [link for page in pages.values() for link in page.links if re.match(r"[a-z]+:|/", link)]
    assert all(link.startswith("data:image/") for link in out)


def test_the_menu_of_a_page_has_every_preset(folder):
    """One that sliders do not reach is on a page of its own, with the other presets that are set as it is."""
    presets = {*costcalc.load("resnet").presets}
    for stem, own in (("resnet", {"50", "101", "152"}), ("resnet18", {"18", "34"}), ("plain18", {"18", "34"})):
        text = (folder / "networks" / f"{stem}.html").read_text(encoding="utf-8")
        here = {*re.findall(r'<option value="\d+" id="preset-(\w+)"', text)}
        there = dict(re.findall(r'<option value="([^"]*\.html#[^"]*)">(\w+)<', text))
        assert here == {stem.rstrip("0123456789") + number for number in own}
        assert here | {*there.values()} == presets and not here & {*there.values()}
        for address, name in there.items():
            file, _, fragment = address.partition("#")
            assert f'id="{fragment}">{name}<' in (folder / "networks" / file).read_text(encoding="utf-8")
    text = (folder / "networks" / "resnet18.html").read_text(encoding="utf-8")
    assert "<h1>resnet18@r=32</h1>" in text and f"{costcalc.load('resnet18', r=32).macs:,}" in text


def test_pages_lead_back_and_questions_lead_to_pages(folder):
    assert Links((folder / "networks" / "resnet18.html").read_text(encoding="utf-8")).links >= {
        "../index.html", "../lectures.html#lecture-4", "plain18.html#preset-plain18",
    }  # fmt: skip
    asked = Links((folder / "lectures.html").read_text(encoding="utf-8")).links
    assert asked >= {f"networks/{end}" for end in ("lenet5.html", "resnet18.html#preset-resnet34", "conv1x1.html")}
    alone = costcalc.page("resnet").html()
    assert not Links(alone).links
    names = ("plain18, plain34, resnet18 and resnet34", "costcalc show plain18 -o plain18.html")
    said = "{} set block and shortcut, which have no slider: <code>{}</code>.".format(*names)
    assert said in alone


def test_a_page_of_presets_takes_no_name_of_another(tmp_path):
    """And a spec without a file has no command for its presets."""
    spec = "name: bold\ntitle: t\nsource: s\ninput: [3, 8, 8]\nlayers: [conv: {channels: 4, kernel: 3}]\n"
    knobs = "knobs: {s: 8, wide: {default: false, kind: flag}}\npresets:\n  bold: {wide: true}\ninput:"
    own = spec.replace("bold", "own", 1).replace("input:", knobs).replace("4,", "4 if wide else 2,")
    with pytest.raises(UsageError, match="two networks are called bold; a site has one page for each name"):
        costcalc.write_site(tmp_path / "public", own, spec)
    assert "bold sets wide, which has no slider." in re.sub("<wbr>", "", costcalc.page(own).html())
    (tmp_path / "own.yaml").write_text(own)
    html = costcalc.page(str(tmp_path / "own.yaml"), metrics="macs").html()
    assert f"<code>costcalc show {tmp_path}/own.yaml@bold -o bold.html</code>" in html


def test_numbers_of_cards_keep_their_units(folder):
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert "25.56\xa0M&nbsp;params, " in text and "7&nbsp;presets: " in text


def test_choosing_a_preset_opens_its_page(folder, driver):
    """With the pointer at once; with the keys, which choose one after another, by Enter."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.wait import WebDriverWait
    from support.browser import errors

    def is_at(address):
        WebDriverWait(driver, 10).until(lambda _: driver.current_url.endswith(address))
        name = address.partition("#preset-")[2] or "resnet152"
        number = driver.find_element(By.ID, "total-0-0").text
        assert number == f"{costcalc.load(name, r=32).macs:,}"

    driver.get((folder / "networks" / "resnet.html").as_uri())
    menu = driver.find_element(By.ID, "settings")
    for _ in range(5):
        menu.send_keys(Keys.ARROW_DOWN)
    assert driver.find_element(By.ID, "own-page").text == "Open the page of plain34"
    is_at("resnet.html")  # the last one on the way
    menu.send_keys(Keys.ENTER)
    is_at("plain18.html#preset-plain34")
    choose = """settings.dispatchEvent(new Event("pointerdown"));
      settings.value = [...settings.options].find((one) => one.text === arguments[0]).value;
      settings.dispatchEvent(new Event("change"));"""
    for name, address in (("resnet34", "resnet18.html#preset-resnet34"), ("resnet101", "resnet.html#preset-resnet101")):
        driver.execute_script(choose, name)
        is_at(address)
    assert errors(driver) == []


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
