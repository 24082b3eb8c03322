"""Ops and specs of installed packages, and of a file that the command line names; a spec names none."""

import os
import subprocess
import sys

import pytest
from support.paths import ROOT

import costcalc
from costcalc.cli.app import run
from costcalc.errors import SpecError

OP = '''
from costcalc import ops

@ops.op
class Halve(ops.Pointwise):
    """x / 2.   s -> s"""

    output = ops.computed(inplace=True, overwritable=True)
    elementwise = ops.per_element(1)
    train_elementwise = ops.gradient_per_element(1)
    keeps = ops.keeps_nothing
'''
SPEC = (
    "name: halved\ntitle: Halved\nsource: s\nknobs: {c: {default: 4, about: channels}}\npresets: {halved_8: {c: 8}}\n"
)
SPEC += "input: [3, 8, 8]\nlayers:\n  - conv: {channels: c, kernel: 1}\n  - halve\n"


@pytest.fixture
def site(tmp_path):
    """A folder with an installed package that has an op and a spec."""
    package, about = tmp_path / "site" / "halving", tmp_path / "site" / "halving-1.0.dist-info"
    for folder in (package, about):
        folder.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "ops.py").write_text(OP)
    (package / "halved.yaml").write_text(SPEC)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: halving\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[costcalc.ops]\nhalve = halving.ops\n[costcalc.specs]\nhalved = halving\n")
    return tmp_path / "site"


def costcalc_with(site, *lines):
    code = "import shlex, sys; from costcalc.cli.app import run; [print(run(shlex.split(one))) for one in sys.argv[1:]]"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(site)])}
    done = subprocess.run([sys.executable, "-c", code, *lines], capture_output=True, text=True, env=env, cwd=site)
    return done.stdout, done.stderr


def test_an_installed_package_brings_ops_and_specs(site):
    out, err = costcalc_with(
        site, "show halved", "show halved_8 -f csv", "list -f csv", "ops halve", "show resnet18 -f csv"
    )
    assert err == ""
    assert "halve" in out and "2,048" not in out
    assert "\nhalve,halve,8x8x8,8x8x8,0,0,512,512,0.0\n" in out
    assert "\nhalved,spec,,Halved\nhalved_8,preset,," in out
    assert "x / 2." in out


def test_a_package_that_is_broken_is_named(site):
    (site / "halving" / "ops.py").write_text("raise RuntimeError('no luck')")
    out, err = costcalc_with(site, "show halved", "show lenet5 -f csv")
    assert err == "error: the package halving has ops that cannot be imported: no luck; mend or remove it\n"
    assert out.startswith("2\n") and out.endswith("0\n")


def test_a_file_that_the_command_line_names_runs(site, tmp_path):
    (tmp_path / "mine.py").write_text(OP)
    (site / "halving-1.0.dist-info" / "entry_points.txt").write_text("")
    (site / "own.yaml").write_text(SPEC)
    line = f"--ops {tmp_path / 'mine.py'} show own.yaml --columns name,elementwise"
    out, err = costcalc_with(site, line, f"show own.yaml --ops={tmp_path / 'mine.py'} -f csv")
    assert err.splitlines()[0] == f"running {tmp_path / 'mine.py'}, which --ops names"
    assert out.count("halve") == 3


def test_bad_files(tmp_path, capsys):
    (tmp_path / "bad_ops_file.py").write_text("1/0")
    assert run(["show", "lenet5", "--ops", str(tmp_path / "nowhere.py")]) == 2
    assert "is no Python file; --ops takes one that defines ops" in capsys.readouterr().err
    assert run(["show", "lenet5", "--ops", str(tmp_path / "bad_ops_file.py")]) == 2
    assert "bad_ops_file.py raises ZeroDivisionError: division by zero" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["os.system", "halving.ops", "__import__('os')", "costcalc.ops:Conv", "../mine.py"])
def test_a_spec_names_no_module(name):
    with pytest.raises(SpecError, match="unknown op or block"):
        costcalc.load(f'name: n\ntitle: t\nsource: s\ninput: [3, 8, 8]\nlayers:\n  - "{name}"\n').cost()
