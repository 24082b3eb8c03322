"""What `mkdocs build` adds to the pages of docs/: the README as the first page, a reference from docstrings, and the
gallery of `costcalc site`."""

import os
import re
from collections import defaultdict
from pathlib import Path
from posixpath import normpath

from mkdocs.structure.files import File, Files

import costcalc

ROOT = Path(__file__).resolve().parent.parent
SOURCE = "https://github.com/costcalc/costcalc/blob/main/"
ABOUT = {
    "functions": "What a line of Python can do; every command of the command line is one of these.",
    "results": "What functions return. Each prints as its command does, and becomes records, frames and files.",
    "networks": "Networks, their knobs, and layer graphs.",
    "errors": "What is raised, and what to do next.",
    "ops": "Every op: its shapes, its fields and its source.",
}
OF_NETWORKS = ("costcalc.models", "costcalc.graph", "costcalc.dims", "costcalc.train_step")


def on_files(files: Files, config: object) -> Files:
    """Adds the pages that are made here."""
    for name, text in pages():
        files.append(File.generated(config, name, content=text))
    return files


def pages():
    """The name and the text of each page that is made."""
    yield "index.md", index()
    names = defaultdict(list)
    for name in costcalc.__all__:
        names[kind_of(name)].append(f"{costcalc.MODULES[name]}.{name}")
    names["ops"] = sorted(f"{op.__module__}.{op.__qualname__}" for op in costcalc.ops.OPS.values() if is_ours(op))
    titles = {kind: kind.capitalize() for kind in ABOUT}
    listed = "\n".join(f"- [{titles[kind]}]({kind}.md): {about}" for kind, about in ABOUT.items())
    yield "reference/index.md", f"# Reference\n\nFrom the docstrings of `import costcalc`.\n\n{listed}\n"
    for kind, about in ABOUT.items():
        entries = "\n\n".join(f"::: {name}" for name in sorted(names[kind], key=lambda name: name.rpartition(".")[2]))
        yield f"reference/{kind}.md", f"# {titles[kind]}\n\n{about}\n\n{entries}\n"


def is_ours(op: type) -> bool:
    """Is this an op that costcalc brings?"""
    return op.__module__.startswith("costcalc.")


def kind_of(name: str) -> str:
    """The page of a public name."""
    value, module = getattr(costcalc, name), costcalc.MODULES[name]
    if isinstance(value, type) and issubclass(value, Exception):
        return "errors"
    if module.startswith(OF_NETWORKS):
        return "networks"
    if not isinstance(value, type) and callable(value):
        return "functions"
    if isinstance(value, type) and issubclass(value, costcalc.Result):
        return "results"
    return "networks" if isinstance(value, type) else "modules"


def index() -> str:
    """The README, with its links as they are from docs/."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.sub(r"\]\(docs/", "](", text)


def on_page_markdown(markdown: str, page: object, **_: object) -> str:
    """Links out of docs/, to specs, tests and code, lead to the repository."""
    here = os.path.dirname(f"docs/{page.file.src_uri}")

    def link(found: re.Match[str]) -> str:
        there = normpath(f"{here}/{found[1]}")
        inside = there.startswith("docs/") or re.match(r"[a-z]+:|#", found[1])
        return found[0] if inside or not (ROOT / there).exists() else f"]({SOURCE}{there})"

    return re.sub(r"\]\(([^)#\s]+)\)", link, markdown)


def on_post_build(config: object, **_: object) -> None:
    """Writes the gallery into the finished site."""
    costcalc.write_site(Path(config.site_dir) / "gallery", replace=True)
