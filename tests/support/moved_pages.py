"""Pages in a browser: made once, opened, moved by their sliders, and read."""

from functools import cache

import costcalc
from costcalc.report.page.page import sweep_page

MOVE = """
const [positions, kind] = arguments;
const at = (id) => document.getElementById(id);
const texts = (query) => [...document.querySelectorAll(query)].map((element) => element.textContent);
return positions.map((position, number) => {
  position.forEach((text, i) => {
    at(`${kind}-${i}`).value = text;
    at(`${kind}-${i}`).dispatchEvent(new Event("input"));
  });
  showParts();
  if (number === positions.length - 1) showMaps();
  return {
    boxes: [...document.querySelectorAll("[id^=box-]:not(p)")].map((box) => box.value),
    totals: data.networks.map((_, i) => texts(`[id^=total-${i}-]`)),
    factors: data.networks.map((_, i) => texts(`[id^=factor-${i}-]`)),
    parts: data.networks.map((_, i) => texts(`[id^=part-${i}-]`)),
    drawings: data.networks.map((_, i) =>
      [...shownDrawing(i)[0].querySelectorAll("text, .node title")].map((element) => element.textContent)),
    rest: data.networks.map((_, i) => at(`rest-${i}`).textContent),
    evens: texts("[id^=even-]:not([id^=even-now])"),
    reason: at("no-network").textContent,
    curves: data.curves.map(({ slider, at: texts }, number) => ({
      now: [...at(`curve-${number}`).querySelectorAll(".now")].map((one) => one.getAttribute("cy")),
      path: [...at(`curve-${number}`).querySelectorAll(".curve")].map((path) => path.getAttribute("d")),
    })),
    maps: data.maps.map((_, number) =>
      [...at(`map-${number}`).querySelectorAll(".cells rect")].map((cell) => cell.getAttribute("fill-opacity"))),
  };
});
"""
# The texts and shapes that differ between a page as it is written and after its script has run: there are none.
SAME = """
const written = new DOMParser().parseFromString(arguments[0], "text/html");
const texts = (page) => [...page.querySelectorAll("td, .node title, svg text, figcaption, b, .sum, p, option")]
  .filter((element) => !element.closest("noscript")).map((element) => element.textContent.trim());
const NAMES = ["class", "fill-opacity", "width", "d", "cx", "cy", "x", "y", "style"];
const MOVED = ".shade, .bar, .cells rect, .plot .curve, .plot .now, .plot .even, .plot .tick, .rail span";
const shapes = (page) => [...page.querySelectorAll(MOVED)]
  .map((element) => NAMES.map((name) => (element.getAttribute(name) ?? "").replace(/[: ;]/g, "")).join("|")).sort();
return [texts, shapes].flatMap((read) => {
  const [before, after] = [read(written), read(document)];
  const apart = before.map((text, i) => [text, after[i]]).filter(([a, b]) => a !== b);
  return before.length === after.length ? apart : [[before.length, after.length], ...apart];
});
"""


@cache
def made(*targets, **options):
    """A page and its text."""
    page = costcalc.page(*targets, **options)
    return page, page.html()


@cache
def made_with_sweep(target, axes=()):
    """A page with a sweep and its text."""
    page = sweep_page(costcalc.load(target), dict(axes))
    return page, page.html()


def opened(driver, folder, page_and_text):
    """Opens a page; the data that its script reads."""
    page, text = page_and_text
    (folder / "page.html").write_text(text, encoding="utf-8")
    driver.get((folder / "page.html").as_uri())
    return page.data()


def moved(driver, positions, kind="slider"):
    """What the page shows at each of these positions: numbers of steps of its sliders, or texts of its boxes."""
    return driver.execute_script(MOVE, positions, kind)
