"""What tests of several rooms check alike, and what a run says at its end of the tests that did not run."""

import os
import shlex
from collections import Counter

import pytest
from hypothesis import settings
from support import needed

# Before torch is imported: threads of two processes that share two cores wait for each other at every barrier.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from costcalc import load
from costcalc.analysis.closed_form import deadline
from costcalc.cli.app import run

# The gate says the same of the same code, however slow and busy its machine is. New examples are found with
# --hypothesis-profile default.
settings.register_profile("gate", deadline=None, derandomize=True, database=None)
settings.load_profile("gate")
SHORT_SECONDS = {"TURN_SECONDS": 0.005, "LOAD_SECONDS": 0.01, "QUICK_SECONDS": 0.02, "DEFAULT_SECONDS": 0.02}
deadline.SECONDS = 300.0  # ten for readers; who imports it does so later


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    """No colours and no width but those that a test asks for."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def short_turns(monkeypatch, tmp_path):
    """A turn of 5 ms in place of 100, 20 ms of them in place of seconds, and a store of the test's own."""
    needed.module("torch", "torch")
    from costcalc.torch_backend import measure, worker

    # the server of workers imports once what those that train would each import
    monkeypatch.setattr(worker, "PRELOADED", worker.PRELOADED_TO_TRAIN)
    for name, seconds in SHORT_SECONDS.items():
        monkeypatch.setattr(measure, name, seconds)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # those of a gate that share its cores wait for each other
    monkeypatch.setenv("COSTCALC_STORE", str(tmp_path / "runs.db"))


@pytest.fixture
def spec(tmp_path):
    """Writes a spec and loads it."""

    def write(knobs, layers, shape="[a]", more="", name="net"):
        path = tmp_path / f"{name}.yaml"
        head = f"name: {name}\ntitle: t\nsource: s\nknobs: {knobs}\n{more}"
        path.write_text(f"{head}input: {shape}\nlayers:\n{layers}")
        return load(str(path))

    return write


@pytest.fixture
def spec_file(tmp_path):
    """Writes a spec of these layers and gives its path."""

    def write(size, *layers, head=""):
        path = tmp_path / "it.yaml"
        listed = "".join(f"  - {layer}\n" for layer in layers)
        path.write_text(f"name: it\ntitle: t\nsource: s\n{head}input: {size}\nlayers:\n{listed}")
        return str(path)

    return write


@pytest.fixture
def refused(capsys):
    """Asserts that a command line ends with 2, or with 1 where nothing keeps a budget; and that it prints a message and
    nothing else."""

    def check(line, message):
        assert run(shlex.split(line)) == (1 if message.startswith("no ") and "keeps this budget" in message else 2)
        out, err = capsys.readouterr()
        assert out == ""
        assert message in err

    return check


def pytest_terminal_summary(terminalreporter):
    """A skipped test is no passed one: how many did not run, why, and how to get what they need."""
    skipped = terminalreporter.stats.get("skipped", ())
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    if reasons:
        terminalreporter.section("did not run")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count} test{'s' * (count > 1)}: {reason}")
