"""`--quiet`, before or behind a command: results, warnings and errors, no progress and no notes."""

import io
import sys
import time

import pytest

from costcalc import report
from costcalc.cli.app import run
from costcalc.report import progress_bar as progress
from costcalc.report.progress_bar import progress_bar


@pytest.mark.parametrize("words", [["--quiet", "compare", "conv1x1", "lenet5"], ["compare", "conv1x1", "lenet5", "-q"]])
def test_notes_are_left_out(words, capsys):
    assert run([*words, "-f", "csv"]) == 0
    quiet = capsys.readouterr()
    assert run([word for word in words if word not in ("--quiet", "-q")] + ["-f", "csv"]) == 0
    loud = capsys.readouterr()
    assert (quiet.out, quiet.err) == (loud.out, "")
    assert loud.err.startswith("note: a CSV holds one table")


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def has(self, text):
        """Waits until the text is there: another thread writes it."""
        end = time.monotonic() + 60
        while text not in self.getvalue():
            assert time.monotonic() < end
            time.sleep(0.01)
        return True


def on_a_terminal(monkeypatch):
    """A terminal on stderr, and lines of progress without a second of waiting. pytest sets stderr anew for each phase
    of a test, so this is no fixture."""
    monkeypatch.setattr(progress, "SHOWN_AFTER_S", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "stderr", Terminal())
    report.hush(False)
    return sys.stderr


def test_long_work_is_named_until_something_is_printed(monkeypatch, capsys):
    terminal = on_a_terminal(monkeypatch)
    with progress.working("counting"):
        assert terminal.has("counting")
        progress.tell("reading [a]\x1b[31m")
        assert terminal.has("reading [a]\\x1b[31m")
        progress.tell()
        report.put("result")
        shown = terminal.getvalue()
        assert shown.endswith("\x1b[2K")  # the line is gone
        progress.tell("more")
    assert terminal.getvalue() == shown
    assert capsys.readouterr().out == "result"


def test_a_bar_stands_in_place_of_the_line(monkeypatch):
    terminal = on_a_terminal(monkeypatch)
    with progress.working("counting"):
        assert terminal.has("counting")
        with progress_bar() as show:
            show(0.5, "half")
            assert progress._lines[-1].shown is None
        terminal.truncate(0)
        assert terminal.has("counting")
    assert not progress._lines


def test_commands_within_a_command_have_lines_of_their_own(monkeypatch):
    terminal = on_a_terminal(monkeypatch)
    with progress.working("lecture"):
        report.put("")
        with progress.working("show"):
            assert terminal.has("show")
        assert "lecture" not in terminal.getvalue()


@pytest.mark.parametrize("why", ["quiet", "pipe", "closed"])
def test_no_line_without_a_terminal_or_if_quiet(why, monkeypatch):
    terminal = on_a_terminal(monkeypatch)
    report.hush(why == "quiet")
    monkeypatch.setattr(sys, "stderr", {"quiet": terminal, "pipe": io.StringIO(), "closed": None}[why])
    with progress.working("counting"):
        assert not progress._lines
        progress.tell("reading")
    report.hush(False)


def test_a_command_that_takes_longer_says_so(monkeypatch, capsys):
    terminal = on_a_terminal(monkeypatch)
    monkeypatch.setattr("costcalc.cli.options.tell", lambda what="": terminal.has("costcalc show"))
    assert run(["show", "lenet5"]) == 0
    assert "61,706" in capsys.readouterr().out


def test_progress_is_left_out_and_errors_are_not(monkeypatch, capsys):
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
