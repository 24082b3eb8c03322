"""The whole site and the documentation: every link and anchor leads somewhere, and all is as small as it should be.

Needs the extra `docs`: python -m pip install -e '.[docs,report]'
"""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import costcalc

ROOT = Path(__file__).parent.parent.parent
MAX_BYTES = 8_000_000  # bytes of the gallery
MOST_OF_A_PAGE = 1_000_000


class Links(HTMLParser):
    """The links and ids of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids |= {found[name] for name in ("id", "name") if found.get(name)}
        self.links |= {found[name] for name in ("href", "src") if found.get(name)}


def broken(folder):
    """Links within a folder that lead nowhere."""
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}
    assert pages
    for path, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if parts.path.startswith("/"):
                there = folder / parts.path.strip("/")
            there = there / "index.html" if there.is_dir() else there
            if not there.is_file() or (parts.fragment and there in pages and parts.fragment not in pages[there].ids):
                yield f"{path.relative_to(folder)}: {link}"


def test_the_gallery_of_every_spec(tmp_path):
    files = costcalc.write_site(tmp_path / "public")
    specs = [entry for entry in costcalc.specs().to_records() if entry["kind"] == "spec"]
    assert len([path for path in files if path.parent.name == "networks"]) == len(specs)
    assert [*broken(tmp_path / "public")] == []
    sizes = {path.name: path.stat().st_size for path in files}
    assert max(sizes.values()) < MOST_OF_A_PAGE
    assert sum(sizes.values()) < MAX_BYTES, f"{sum(sizes.values()):,} bytes"


def test_the_documentation(tmp_path):
    pytest.importorskip("material")
    pytest.importorskip("mkdocstrings")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "docs")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [*broken(tmp_path / "docs")] == []
    assert (tmp_path / "docs" / "gallery" / "index.html").is_file()
    assert "compare" in (tmp_path / "docs" / "reference" / "functions" / "index.html").read_text(encoding="utf-8")
