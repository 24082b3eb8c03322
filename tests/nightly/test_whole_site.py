"""The whole site and the documentation: every link and anchor leads somewhere, and all is as small as it should be.

Needs the extra `docs`: python -m pip install -e '.[docs,report]'
"""

import subprocess
import sys
from pathlib import Path

import pytest
from support.links import broken

import costcalc

ROOT = Path(__file__).parent.parent.parent
MAX_GALLERY_BYTES, MAX_FILE_BYTES = 8_000_000, 1_000_000


def test_the_gallery_of_every_spec(tmp_path):
    files = costcalc.write_site(tmp_path / "public")
    specs = [costcalc.load(entry["name"]) for entry in costcalc.specs().to_records() if entry["kind"] == "spec"]
    of_each = [{(*net.at_preset(name).values_but(net.size_knobs).items(),) for name in net.presets} for net in specs]
    as_set = [(*net.values_but(net.size_knobs).items(),) for net in specs]
    pages = sum(len({*settings, own}) for settings, own in zip(of_each, as_set, strict=True))
    assert len([path for path in files if path.parent.name == "networks"]) == pages > len(specs)
    assert [*broken(tmp_path / "public")] == []
    sizes = {path.name: path.stat().st_size for path in files}
    assert max(sizes.values()) < MAX_FILE_BYTES
    assert sum(sizes.values()) < MAX_GALLERY_BYTES, f"{sum(sizes.values()):,} bytes"


def test_the_documentation(tmp_path):
    pytest.importorskip("material")
    pytest.importorskip("mkdocstrings")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "docs")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [*broken(tmp_path / "docs")] == []
    assert (tmp_path / "docs" / "gallery" / "index.html").is_file()
    assert "compare" in (tmp_path / "docs" / "reference" / "functions" / "index.html").read_text(encoding="utf-8")
