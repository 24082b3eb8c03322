"""`--quiet`, before or behind a command: results, warnings and errors, no progress and no notes."""

import io
import sys

import pytest

from costcalc.cli.app import run
from costcalc.report.progress_bar import progress_bar


@pytest.mark.parametrize("words", [["--quiet", "compare", "conv1x1", "lenet5"], ["compare", "conv1x1", "lenet5", "-q"]])
def test_notes_are_left_out(words, capsys):
    assert run([*words, "-f", "csv"]) == 0
    quiet = capsys.readouterr()
    assert run([word for word in words if word not in ("--quiet", "-q")] + ["-f", "csv"]) == 0
    loud = capsys.readouterr()
    assert (quiet.out, quiet.err) == (loud.out, "")
    assert loud.err.startswith("note: a CSV holds one table")


def test_progress_is_left_out_and_errors_are_not(monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    shown = []
    for words in (["show", "lenet5"], ["show", "lenet5", "-q"]):
        assert run(words) == 0
        monkeypatch.setattr(sys, "stderr", Terminal())
        with progress_bar() as progress:
            progress(0.5, "half")
        shown.append(sys.stderr.getvalue())
        monkeypatch.undo()
    assert shown[0] and not shown[1]
    assert run(["show", "nothing_like_it", "-q"]) == 2
    assert "no spec or preset named" in capsys.readouterr().err
