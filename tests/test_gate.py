"""What the gate runs, and what a run says of the tests that it cannot run."""

import subprocess
import sys

from support import needed
from support.pages import blocks
from support.paths import ROOT
from support.terminals import PLAIN

README, GATE = (ROOT / "README.md").read_text(), (ROOT / ".ci" / "run").read_text()


def test_it_runs_the_readmes_test_command():
    _, command = blocks(README, "sh")
    assert GATE.endswith(command)


def test_a_run_without_chromium_says_what_did_not_run_and_how_to_get_it(tmp_path):
    needed.module("selenium", "test")
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/report/test_page_sliders.py"]
    done = subprocess.run(words, cwd=ROOT, env={**PLAIN, "PATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    *_, end = done.stdout.partition("did not run")
    assert "chromium is not installed; apt install chromium" in end
