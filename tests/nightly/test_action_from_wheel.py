"""The steps of the GitHub action, the installation among them, and the entry of the pre-commit hook, from a wheel of
this tree: what a reader gets, without this checkout on any path."""

import os
import subprocess
import sys
from pathlib import Path

import yaml
from support.action import check_pull_request, pull_request, run_step
from support.paths import ROOT


def test_the_action_and_the_hook_from_a_wheel(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    wheels, runner, clone = tmp_path / "wheels", tmp_path / "runner", pull_request(tmp_path)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(wheels), str(ROOT)]
    subprocess.run(build, check=True)
    (wheel,) = wheels.glob("costcalc-*.whl")
    runner.mkdir()
    installed = run_step("Install costcalc", clone, runner, action_path=str(wheel))
    assert installed.returncode == 0, installed.stdout + installed.stderr
    check_pull_request(clone, runner)
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    words = hook["entry"].split()
    command = [str(runner / "costcalc/bin" / words[0]), *words[1:]]
    env = {"PATH": os.environ["PATH"], "HOME": str(Path.home())}
    done = subprocess.run(command, cwd=clone, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("the budget is broken")
