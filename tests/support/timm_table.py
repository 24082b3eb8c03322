"""The table of timm's architectures in docs, and a sample of it: the smallest network of each of sixty families."""

import csv
import re

from support.paths import ROOT

(TABLE,) = (ROOT / "docs").glob("timm-*.csv")
VERSION = TABLE.stem.removeprefix("timm-")
SAMPLE = 60


def rows():
    """The lines of the table."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return [*csv.DictReader(file)]


def sample():
    """The networks of fewest layers, each of another family."""
    smallest = {}
    for row in sorted(rows(), key=lambda row: (int(row["layers"] or 0), row["name"])):
        smallest.setdefault(re.match("[a-z]+", row["name"])[0], row)
    return [*smallest.values()][::2][:SAMPLE]
