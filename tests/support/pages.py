"""README.md and the pages of docs/, and the blocks in them."""

import os
import re

from support.paths import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


UPDATE = bool(os.environ.get("COSTCALC_UPDATE_DOCS"))


def blocks(text, language):
    return [match[2] for match in FENCE.finditer(text) if match[1] == language]
