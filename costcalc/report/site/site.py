"""The site: a gallery of every spec, a page for each, and the lectures.

write_site("public")
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from costcalc.analysis.cost import cost_of
from costcalc.analysis.picture.network_sketch import network_sketch
from costcalc.analysis.sweep.progress import Progress, no_progress
from costcalc.drawing import Drawing
from costcalc.drawing.sheet_layout import laid_out
from costcalc.errors import UsageError
from costcalc.files import check_folder, explaining_write_errors
from costcalc.lectures.lecture_tour import lecture_tour
from costcalc.net import Net, Target, load
from costcalc.report.page.page_template import check_template, page_templates
from costcalc.report.site.network_pages import NetworkPages, file_name
from costcalc.spec.lecture_titles import LECTURES
from costcalc.spec.library import entries
from costcalc.table import cell, short_text
from costcalc.version import __version__

HERE = Path(__file__).parent
MARK = "made-by-costcalc.txt"  # in the folder of a site: it may be replaced
CARD_SIZE = (280.0, 184.0)  # px, in which a card shows its drawing (site.css)
MAX_CARD_BOXES = 12  # of a card's drawing, unless a network has more of depth 1


@dataclass(frozen=True)
class Card:
    """A spec in the gallery."""

    name: str
    file: str  # its name, without a suffix
    title: str
    lecture: int
    params: str
    macs: str
    exactly: str
    presets: tuple[str, ...]


def write_site(
    folder: Path | str, *targets: Target, replace: bool = False, progress: Progress = no_progress
) -> list[Path]:
    """Writes the site of these networks, by default of every spec of the library, and returns its files.

    All links are relative, so that it opens from a disk. The folder is made, or is empty; with `replace` an earlier
    site in it gives way. Raises UsageError for another folder and for two networks of one name, MissingExtra without
    jinja2, OSError, and what `load` raises.
    """
    target = Path(folder)
    _check_target(target, replace)
    check_template()
    nets = [load(each) for each in targets or [entry.name for entry in entries() if entry.kind == "spec"]]
    _check_names(nets)
    with explaining_write_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".costcalc-site-") as made:
            built = Path(made) / "site"
            for name, text in _files(nets, progress):
                path = built / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="\n")
            if target.exists():
                shutil.rmtree(target)
            built.rename(target)
    return sorted(path for path in target.rglob("*") if path.is_file())


def _check_target(folder: Path, replace: bool) -> None:
    """Raises UsageError for a folder with something in it that is not a site of ours, or that may not give way."""
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.is_dir() and (folder / MARK).is_file():
        if not replace:
            raise UsageError(f"there is a site in {str(folder)!r} already; --replace puts the new one in its place")
        return
    if folder.exists():
        what = "is not empty" if folder.is_dir() else "is a file"
        raise UsageError(f"{str(folder)!r} {what}; give a new folder, or an empty one")
    if folder.parent.exists():
        with explaining_write_errors(folder):
            check_folder(folder)


def _check_names(nets: Sequence[Net]) -> None:
    """Raises UsageError for two networks of one name, which is that of their files."""
    names = [file_name(net.name) for net in nets]
    for name in names:
        if names.count(name) > 1:
            raise _two_are_called(name)


def _two_are_called(name: str) -> UsageError:
    return UsageError(f"two networks are called {name}; a site has one page for each name")


def _files(nets: Sequence[Net], progress: Progress) -> Iterator[tuple[str, str]]:
    """The name and the text of each file."""
    lectures = {entry.name: entry.lecture for entry in entries()}
    cards, addresses, names = [], dict[str, str](), {file_name(net.name) for net in nets}
    for done, net in enumerate(nets):
        progress(done / len(nets), net.name)
        cards.append(_card(net, lectures.get(net.name)))
        own = file_name(net.name)
        yield f"drawings/{own}.svg", _drawing(net)
        found = NetworkPages.of(net)
        addresses |= {**found.addresses, net.name: f"{own}.html"}
        for name, text in found.html(_links(lectures.get(net.name))):
            if name in names and name != own:
                raise _two_are_called(name)
            names.add(name)
            yield f"networks/{name}.html", text
    render = _renderer()
    yield "index.html", render("gallery.html", groups=_groups(cards), count=len(cards))
    yield "lectures.html", render("lecture_pages.html", lectures=_lectures(addresses))
    yield MARK, f"costcalc {__version__}\n"


def _card(net: Net, lecture: int | None) -> Card:
    cost = cost_of(net)
    exactly = f"{cell(cost.params, 'int')} params, {cell(cost.macs, 'int')} MACs"
    numbers = short_text(int(cost.params)), short_text(int(cost.macs))
    return Card(net.name, file_name(net.name), net.title, lecture or 0, *numbers, exactly, tuple(net.presets))


def _drawing(net: Net) -> str:
    """The drawing of a card, which has the title beside it: folded as far as can be seen in its size."""
    sketch = network_sketch(cost_of(net))
    if len(sketch.boxes) > MAX_CARD_BOXES:
        sketch = network_sketch(cost_of(net), depth=1)
    return Drawing.of(laid_out(replace(sketch, title="", notes=()), sheet=CARD_SIZE)).svg()


def _groups(cards: Sequence[Card]) -> list[tuple[str, list[Card]]]:
    """The cards by lecture, those of none last."""
    titles = {number: f"{number} {title}" for number, title in enumerate(LECTURES, 1)}
    numbers = sorted({card.lecture for card in cards}, key=lambda number: number or len(LECTURES) + 1)
    return [(titles.get(number, "more"), [card for card in cards if card.lecture == number]) for number in numbers]


def _links(lecture: int | None) -> list[tuple[str, str]]:
    """What the page of a network has at its top: its texts and addresses."""
    questions = [(f"Questions of lecture {lecture}", f"../lectures.html#lecture-{lecture}")] if lecture else []
    return [("All networks", "../index.html"), *questions]


def _lectures(addresses: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each lecture with its questions, each with the pages of the networks that its command names."""
    tour = lecture_tour()
    found: list[dict[str, Any]] = []
    for number in tour.numbers:
        questions = [(question, _named(question.command, addresses)) for question in tour.questions_of(number)]
        found.append({"number": number, "title": LECTURES[number - 1], "questions": questions})
    return found


def _named(command: str, addresses: Mapping[str, str]) -> list[tuple[str, str]]:
    """The networks that a command names, each once, and their addresses."""
    names = dict.fromkeys(word.partition("@")[0] for word in command.split())
    return [(name, addresses[name]) for name in names if name in addresses]


def _renderer() -> Callable[..., str]:
    environment: Any = page_templates(HERE)
    shared: Mapping[str, Any] = {"css": (HERE / "site.css").read_text(encoding="utf-8"), "version": __version__}
    return lambda name, **parts: str(environment.get_template(name).render({**shared, **parts}))
