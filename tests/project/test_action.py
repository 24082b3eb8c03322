"""The GitHub action and the hook of pre-commit. tests/nightly/test_action_from_wheel.py installs them from a wheel."""

import sys

import pytest
import yaml
from support.action import check_pull_request, pull_request, run_step, steps
from support.paths import ROOT

from costcalc.cli.app import COMMANDS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell")


@pytest.fixture
def runner(tmp_path):
    """A runner's folder, with costcalc as it is here."""
    script = tmp_path / "runner/costcalc/bin/costcalc"
    script.parent.mkdir(parents=True)
    script.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -P -m costcalc "$@"\n')
    script.chmod(0o755)
    return tmp_path / "runner"


def test_a_pull_request_that_breaks_a_budget(tmp_path, runner):
    check_pull_request(pull_request(tmp_path), runner)


def test_inputs_are_words_of_a_command(tmp_path, runner):
    """A name that a shell would run, and one that is an option."""
    (runner / "costcalc/bin/costcalc").write_text('#!/bin/sh\nfor word in "$@"; do echo "<$word>"; done\n')
    more = {"targets": "lenet5\n$(touch x); `touch x`\n--config=x\n", "max": "macs=1M\nparams=2M\n", "against": "none"}
    done = run_step("Check", tmp_path, runner, base_ref="main", **more)
    assert done.stdout.splitlines() == [
        "<check>", "<--format>", "<github>", "<--max=macs=1M>", "<--max=params=2M>", "<-->", "<lenet5>",
        "<$(touch x); `touch x`>", "<--config=x>",
    ]  # fmt: skip
    assert not (tmp_path / "x").exists()


def test_bad_input_is_the_exit_code_of_the_step(tmp_path, runner):
    (runner / "costcalc/bin/costcalc").write_text('#!/bin/sh\necho "error: $*" >&2\nexit 2\n')
    done = run_step("Check", tmp_path, runner)
    assert (done.returncode, done.stderr) == (2, "error: check --format github --\n")
    assert not (runner / "summary.md").exists()


def test_the_action_asks_for_no_secret_and_the_hook_runs_a_command():
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert not any(word in text for word in ("secrets.", "github.token", "pull_request_target", "event."))
    assert "python3 -I -m venv" in steps()["Install costcalc"]["run"]
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["entry"] == "costcalc check" and hook["pass_filenames"] is False
    assert "check" in {command.__name__ for command in COMMANDS}
