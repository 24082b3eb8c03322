"""The steps of action.yml, run in a shell as a runner of GitHub runs them."""

import os
import re
import subprocess

import yaml
from support.paths import ROOT
from support.scratch_repo import OWN, ScratchRepo


def steps():
    """The steps by name."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return {step["name"]: step for step in action["runs"]["steps"]}


def run_step(name, folder, runner, **given):
    """The finished process of a step in this folder. `given` are inputs, `base_ref` and `action_path`; `runner` is the
    folder of what a runner keeps."""
    step = steps()[name]
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    known = {f"inputs.{key}": value["default"] for key, value in action["inputs"].items()}
    known |= {f"inputs.{key.replace('_', '-')}": value for key, value in given.items()}
    known |= {f"github.{key}": given.get(key, "") for key in ("base_ref", "action_path")}

    def filled(text):
        return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda match: known[match[1]], text)

    env = {**os.environ, **OWN, "RUNNER_TEMP": str(runner), "GITHUB_STEP_SUMMARY": str(runner / "summary.md")}
    env |= {key: filled(value) for key, value in step.get("env", {}).items()}
    assert "${{" not in step["run"], "what a stranger may write goes through the environment, never into a script"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder / filled(step.get("working-directory", ".")), env=env, capture_output=True, text=True,
    )  # fmt: skip


def pull_request(folder):
    """A shallow clone of a pull request that breaks a budget, as actions/checkout makes one; its folder."""
    made = ScratchRepo(folder / "origin")
    made.spec("nets/a.yaml", 4)
    made.config('specs = ["nets"]', 'metrics = ["params"]', "budgets.params = 150")
    made.commit()
    made.git("checkout", "-q", "-b", "mine")
    made.spec("nets/a.yaml", 6)
    made.write("venv.py", "raise SystemExit('code of a pull request runs')")
    made.write("pip.py", "raise SystemExit('code of a pull request runs')")
    made.write("costcalc.py", "raise SystemExit('code of a pull request runs')")
    made.commit()
    made.git("clone", "-q", "--depth=1", "-b", "mine", f"file://{made.folder}", str(folder / "clone"))
    return folder / "clone"


def check_pull_request(clone, runner):
    """Runs the steps behind the installation, and asserts what they say of the pull request."""
    fetched = run_step("Fetch what is compared with", clone, runner, base_ref="main")
    assert (fetched.returncode, fetched.stderr) == (0, "")
    done = run_step("Check", clone, runner, base_ref="main")
    assert done.stderr == ""
    assert done.returncode == 1
    first, second, last = done.stdout.splitlines()
    assert first == (
        "::error file=nets/a.yaml,line=1,title=params over budget::nets/a.yaml: params 162 > 150, over by 12 (8.0 %25)"
    )
    assert second.startswith("::notice file=nets/a.yaml,line=1,title=cost since origin/main (")
    assert second.endswith("::nets/a.yaml: params 108 → 162 (+50.0 %25)")
    assert last.startswith("the budget is broken, since origin/main (")
    summary = (runner / "summary.md").read_text(encoding="utf-8")
    assert "| nets/a.yaml | params | 108 | 162 | 54 | +50.0 % |" in summary
