"""costcalc runs: list, show, compare, export."""

import json
import subprocess
import sys

import pytest
from support.records import RECORD, record
from support.terminals import PLAIN, ROOT, in_terminal, piped

from costcalc.cli.app import run
from costcalc.store import Store

COMMANDS = ["list", "show", "compare", "export"]


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A store of three runs, the third unlike the others."""
    store = Store(tmp_path / "lab.db")
    for each in (RECORD, record(target="mobilenet_v2", seconds=0.1), record(settings={"batch": 1}, seconds=0.02)):
        store.add(each)
    monkeypatch.setenv("COSTCALC_STORE", str(store.path))
    return store


def said(capsys, *words):
    code = run(["runs", *words])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_list(lab, capsys):
    code, out, err = said(capsys, "list")
    assert (code, err) == (0, "")
    title, _, header, *rows = out.splitlines()
    assert title == f"3 measurements in {lab.path}"
    assert header.split()[:4] == ["run", "network", "mode", "batch"]
    assert [row.split()[:8] for row in rows] == [
        ["1", "resnet50", "infer", "32", "float32", "eager", "500.0", "64.00"],
        ["2", "mobilenet_v2", "infer", "32", "float32", "eager", "100.0", "320.0"],
        ["3", "resnet50", "infer", "1", "float32", "eager", "20.00", "50.00"],
    ]
    assert [each["id"] for each in json.loads(said(capsys, "list", "-f", "json")[1])["runs"]] == [1, 2, 3]


def test_show(lab, capsys):
    code, out, _ = said(capsys, "show", "2")
    assert code == 0
    assert out.startswith("run 2: mobilenet_v2\n")
    facts = dict(line.split(maxsplit=1) for line in out.splitlines() if line.startswith(("started", "graph", "device")))
    assert facts == {"started": RECORD.started_at, "graph": "2:" + "a1" * 32, "device": "cpu-4f2a"}
    for fact in ("settings: batch", "result: seconds", "environment: versions"):
        assert f"\n{fact}  " in out
    shown = json.loads(said(capsys, "show", "2", "-f", "json")[1])
    assert shown["result"]["seconds"] == 0.1
    assert (shown["id"], shown["run"], shown["settings"]) == (2, 2, RECORD.settings)


def test_compare(lab, capsys):
    code, out, err = said(capsys, "compare", "1", "2")
    assert (code, err) == (0, "")
    assert "5.00×" in out
    assert out.splitlines()[-1] == (
        "run 2 is 5.00 times faster than run 1: the 95 % intervals of the medians are apart"
    )
    assert json.loads(said(capsys, "compare", "1", "2", "-f", "json")[1])["apart"] is True


def test_unlike_runs_are_compared_by_force_only(lab, capsys):
    assert said(capsys, "compare", "1", "3") == (
        2, "", "error: runs 1 and 3 are unlike in batch (32 and 1); --force compares them anyway\n",
    )  # fmt: skip
    code, out, _ = said(capsys, "compare", "1", "3", "--force")
    assert code == 0
    assert "unlike, compared by force: batch (32 and 1)" in out
    assert "faster than" not in out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("lst", 2, "unknown command 'lst'; did you mean 'list'?"),
        ("zzz", 2, "unknown command 'zzz'; known: compare, export, list, show"),
        ("show 9", 2, "no run 9 in {lab}; it has 1 to 3"),
        ("compare 1 9", 2, "no run 9 in {lab}; it has 1 to 3"),
        ("list --stroe x", 2, "unknown option '--stroe'; did you mean '--store'?\n"
         "       see `costcalc runs list --help`"),
        ("list --store /dev/full", 3, "/dev/full: not a regular file; "
         "name another file with --store or COSTCALC_STORE"),
        ("list -f dot", 2, "mermaid and dot draw the layers of one network; use them with `costcalc show`"),
        ("export out.xls", 2, "'out.xls' ends in none of .csv .json .parquet; use one, or give --format"),
        ("export out", 2, "'out' ends in none of .csv .json .parquet; use one, or give --format"),
        ("export out -f jsn", 2, "unknown format 'jsn'; did you mean 'json'?"),
        ("export - -f parquet", 2, "a Parquet file is not text: name a file, not -"),
        ("export /dev/full -f csv", 3, "cannot write '/dev/full': no room is left on the disk"),
        ("export nowhere/x.csv", 3, "cannot write 'nowhere/x.csv': there is no folder '{cwd}/nowhere'"),
    ],
)  # fmt: skip
def test_bad_input_is_named(lab, capsys, tmp_path, monkeypatch, words, code, message):
    monkeypatch.chdir(tmp_path)
    wanted = message.replace("{lab}", str(lab.path)).replace("{cwd}", str(tmp_path))
    assert said(capsys, *words.split()) == (code, "", f"error: {wanted}\n")


def test_a_store_that_is_not_there_is_empty(tmp_path, capsys):
    path = tmp_path / "none.db"
    code, out, err = said(capsys, "list", "--store", str(path))
    assert (code, out, err) == (0, f"no measurements yet: {path} does not exist\n", "")
    assert json.loads(said(capsys, "list", "--store", str(path), "-f", "json")[1])["runs"] == []
    assert said(capsys, "show", "1", "--store", str(path))[2] == f"error: no run 1 in {path}; it has none yet\n"
    code, out, err = said(capsys, "export", str(tmp_path / "x.csv"), "--store", str(path))
    assert (code, out, err) == (2, "", f"error: no measurements yet: {path} does not exist; nothing is written\n")
    assert not (tmp_path / "x.csv").exists()
    assert not path.exists()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", [80, 60])
def test_help_fits_and_shows_an_example(command, width):
    text, code = in_terminal(width, "runs", command, "--help")
    assert code == 0
    assert max(map(len, text.splitlines())) <= width
    assert f"Example: costcalc runs {command}" in text


def test_runs_alone_is_help():
    bare, asked = piped("runs"), piped("runs", "--help")
    assert (bare.returncode, bare.stdout, bare.stderr) == (0, asked.stdout, b"")
    listed = bare.stdout.decode().split("Commands:\n")[1].split("\n\n")[0]
    assert [line.split()[0] for line in listed.splitlines()] == COMMANDS


def test_runs_needs_no_torch_and_nothing_heavy(tmp_path):
    code = f"""
import sys
from costcalc.cli.app import run
run(["runs", "list", "--store", {str(tmp_path / "x.db")!r}])
run(["runs", "--help"])
print(*(name for name in ("torch", "numpy", "sympy", "networkx", "pandas", "psutil") if name in sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**PLAIN, "PYTHONPATH": ROOT}
    )
    assert done.stdout.splitlines()[-1] == ""


def test_a_narrow_terminal_hides_columns_and_no_number(lab):
    text, code = in_terminal(40, "runs", "list", TERM="xterm", COSTCALC_STORE=str(lab.path))
    assert code == 0
    assert "mobilenet_v2" in text and "100.0" in text
    assert "hidden at 40 columns" in text
