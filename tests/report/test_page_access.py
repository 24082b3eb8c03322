"""Who can read a page: by keyboard, by a screen reader, on a phone, in the dark and on paper."""

from pathlib import Path

import pytest
from support import needed
from support.moved_pages import made, moved, opened

import costcalc
from costcalc import ops

needed.module("jinja2", "report")

PAIR = ("inception_naive", "inception_bottleneck")
FIRST = ("120,422,400", "12,443,648", "2,408,448 + 10,035,200", "÷9.68", "154.839 (4,800/31)", "16")


@pytest.fixture
def screen(driver):
    """Sets the size of the screen and whether it is dark."""

    def sized(width, height, scheme="light"):
        about = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", about)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    yield sized
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize(("targets", "scheme"), [(PAIR, "light"), (PAIR, "dark"), (("resnet50",), "light")])
def test_axe_finds_nothing_to_mend(driver, screen, tmp_path, targets, scheme):
    """Labels, roles, headings, landmarks and contrast, by the rules of axe-core."""
    axe = Path(needed.module("axe_core_python", "test").__file__).with_name("axe.min.js").read_text(encoding="utf-8")
    screen(1280, 900, scheme)
    opened(driver, tmp_path, made(*targets))
    driver.execute_script(axe)
    driver.execute_script("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    found = driver.execute_async_script(
        "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then((all) => done("
        "all.violations.map((one) => [one.id, one.nodes.length, one.nodes[0].html.slice(0, 200),"
        " one.nodes[0].failureSummary])));"
    )
    assert found == []


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
def test_the_lecture_is_seen_without_scrolling(driver, screen, tmp_path, width, height):
    screen(width, height)
    opened(driver, tmp_path, made(*PAIR))
    below = driver.execute_script(
        """const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), ends = {};
        for (let node = walk.nextNode(); node; node = walk.nextNode()) {
          const range = document.createRange();
          range.selectNodeContents(node);
          const box = range.getBoundingClientRect(), text = node.textContent.trim();
          if (box.height) ends[text] = Math.min(ends[text] ?? 1e9, box.bottom);
        }
        return arguments[0].map((text) => ends[text]);""",
        FIRST,
    )
    assert all(end is not None and end <= height for end in below), [*zip(FIRST, below)]
    wide = driver.execute_script("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1]


def test_a_long_name_does_not_widen_a_page(driver, screen, tmp_path):
    """An imported module may have one of any length."""
    graph = costcalc.new_graph(name="own")
    costcalc.add(graph, "x", ops.Input([1, 3, 16, 16]))
    costcalc.add(graph, "y" * 300, ops.Conv(4, 3), "x")
    costcalc.add(graph, "last", ops.Conv(4, 1), "y" * 300)
    screen(390, 844)
    opened(driver, tmp_path, made(graph))
    wide = driver.execute_script("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1]


def test_sliders_by_keyboard(driver, tmp_path):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    opened(driver, tmp_path, made("efficientnet"))
    slider = driver.find_element(By.ID, "slider-0")
    slider.send_keys(Keys.ARROW_RIGHT)
    assert driver.find_element(By.ID, "box-0").get_attribute("value") == "225"
    assert slider.get_attribute("aria-valuetext") == "225"
    assert driver.find_element(By.ID, "total-0-0").text == f"{costcalc.load('efficientnet', r=225).cost().macs:,}"


def test_boxes_by_keyboard(driver, tmp_path):
    """One stop of the Tab key for a drawing; arrows go from box to box and tell what each costs."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    opened(driver, tmp_path, made("inception_bottleneck"))
    first = driver.find_element(By.CSS_SELECTOR, '.drawing .node[tabindex="0"]')
    first.send_keys(Keys.ARROW_DOWN)
    note = driver.find_element(By.ID, "box-note-0")
    assert note.text == "reduce: 3,088 params, 2,408,448 MACs; as it is set: receptive field 1×1"
    driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert note.text.startswith("conv: 12,832 params, 10,035,200 MACs; as it is set: receptive field 5×5")
    assert len(driver.find_elements(By.CSS_SELECTOR, '.drawing .node[tabindex="0"]')) == 1


def test_what_a_box_costs_follows_the_sliders(driver, tmp_path):
    """Also while it is not pointed at any more."""
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By

    data = opened(driver, tmp_path, made("inception_module"))
    at = {knob["name"]: number for number, knob in enumerate(data["knobs"])}
    name = driver.execute_script(
        "const box = [...shownDrawing(0)[0].querySelectorAll('.node')].find((box) => box.textContent.trim()"
        ".startsWith('conv3x3')); box.id = 'seen'; return box.querySelector('title').textContent;"
    )
    ActionChains(driver).move_to_element(driver.find_element(By.ID, "seen")).perform()
    note = driver.find_element(By.ID, "box-note-0")
    assert note.text == name.strip()
    for r, text in ((14, "14"), (31, "31"), (28, "28")):
        driver.execute_async_script(
            """const [number, text, done] = arguments, slider = document.getElementById(`slider-${number}`);
            slider.value = text;
            slider.dispatchEvent(new Event("input"));
            requestAnimationFrame(() => requestAnimationFrame(done));""",
            at["r"], text,
        )  # fmt: skip
        rows = costcalc.load("inception_module", r=r).cost().layers
        macs = sum(row.costs["macs"] for row in rows if str(row.name).startswith("conv3x3."))
        assert f", {macs:,} MACs" in note.text, r


def test_what_a_box_costs_is_gone_with_its_drawing(driver, tmp_path):
    from selenium.webdriver.common.by import By

    opened(driver, tmp_path, made("resnet50"))
    driver.execute_script("shownDrawing(0)[0].querySelector('.node').focus()")
    note = driver.find_element(By.ID, "box-note-0")
    assert note.text.startswith("input: ")
    driver.find_element(By.CSS_SELECTOR, ".folds input:not(:checked)").click()
    assert note.text == ""


def test_boxes_by_keyboard_without_sliders(driver, tmp_path):
    """What a box costs is seen beside it, also where the end of its drawing is far below."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    graph = costcalc.new_graph(name="tall")
    last = costcalc.add(graph, "x", ops.Input([1, 3, 16, 16]))
    for layer in range(40):
        last = costcalc.add(graph, f"block{layer}.conv", ops.Conv(4 + layer, 3, padding=1), last)
    opened(driver, tmp_path, made(graph))
    driver.find_element(By.CSS_SELECTOR, '.drawing .node[tabindex="0"]').send_keys(Keys.ARROW_DOWN)
    note = driver.find_element(By.ID, "box-note-0")
    assert note.text == "block0.conv: 112 params, 27,648 MACs; as it is set: receptive field 3×3"
    bottom, height = driver.execute_script("return [arguments[0].getBoundingClientRect().bottom, innerHeight]", note)
    assert bottom <= height


def test_a_narrow_screen_shows_the_drawing_that_fits(driver, screen, tmp_path):
    screen(390, 844)
    opened(driver, tmp_path, made("resnet50"))
    seen = driver.execute_script(
        """const drawing = [...document.querySelectorAll(".drawing")].find((one) => one.clientWidth);
        const names = [...document.querySelectorAll(".bars tbody th")].map((th) => th.clientHeight);
        return [drawing.dataset.drawing, drawing.scrollWidth <= drawing.clientWidth, Math.max(...names) < 40];"""
    )
    assert seen == ["d0-0", True, True]
    screen(1280, 800)
    opened(driver, tmp_path, made("resnet50"))
    assert driver.execute_script("return document.querySelector('[name=fold-0]:checked').value") == "d0-1"


def test_the_title_of_a_network_is_in_a_heading_and_not_in_its_drawing(driver, tmp_path):
    title = costcalc.load("resnet50").title
    assert made("resnet50")[1].count(title) > 1 and f">{title}</text>" not in made("resnet50")[1]
    opened(driver, tmp_path, made(*PAIR))
    heads = driver.execute_script("return [...document.querySelectorAll('#drawing h3')].map((one) => one.textContent)")
    assert heads == [f"{name} {costcalc.load(name).title}" for name in PAIR]


def test_another_fold_is_moved_too(driver, tmp_path):
    data = opened(driver, tmp_path, made("resnet50"))
    assert data["knobs"][0]["name"] == "r"
    driver.execute_script("document.querySelector('.folds input').click()")
    found = moved(driver, [["112"]], "box")[0]
    there = {block.name: block.costs["macs"] for block in costcalc.load("resnet50", r=112).cost().fold(1, ["macs"])}
    assert sum(text.startswith("conv2_x: ") and f", {there['conv2_x']:,} MACs" in text for text in found["drawings"][0])


def test_on_paper_everything_is_open_and_light(driver, screen, tmp_path):
    opened(driver, tmp_path, made(*PAIR))
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": features})
    shown = driver.execute_script(
        "return [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,"
        "getComputedStyle(document.getElementById('knobs')).display,"
        "getComputedStyle(document.querySelector('.drawing .paper')).fill]"
    )
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    assert shown == ["rgb(255, 255, 255)", "rgb(0, 0, 0)", "none", "rgb(255, 255, 255)"]


@pytest.mark.parametrize("targets", [PAIR, ("resnet50",), ("efficientnet",)])
def test_on_paper_nothing_is_wider_than_a_sheet(driver, screen, tmp_path, targets):
    """Else Chromium shrinks the whole page. A large drawing comes behind the plots, on a sheet of its own."""
    screen(718, 1000)  # A4 without its margins
    opened(driver, tmp_path, made(*targets))
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    wide, tops = driver.execute_script(
        """const top = (id) => document.getElementById(id).getBoundingClientRect().top;
        return [document.documentElement.scrollWidth, ["bars", "curves", "drawing"].map(top)];"""
    )
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert wide <= 718
    assert (tops == sorted(tops)) == (len(targets) == 1)
