"""`--ops FILE.py` of every command: runs files that define ops."""

from __future__ import annotations

import sys
from pathlib import Path

OPTION = "--ops"


def run_ops_files(arguments: list[str]) -> list[str]:
    """Runs the files that `--ops` names, each with a line on stderr, and returns the other words."""
    words, files = [], []
    left = iter(arguments)
    for word in left:
        if word == OPTION:
            files.append(next(left, ""))
        elif word.startswith(f"{OPTION}="):
            files.append(word.partition("=")[2])
        else:
            words.append(word)
    for file in files:
        from costcalc.ops.plugins import check_file, run_file
        from costcalc.table import visible

        check_file(Path(file))
        print(f"running {visible(file)}, which {OPTION} names", file=sys.stderr)
        run_file(Path(file))
    return words
