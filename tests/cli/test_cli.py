"""The command line: streams, exit codes, hints, help, and what each command may import."""

import errno
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
import typer
from support.terminals import PLAIN, ROOT, in_terminal, piped

import costcalc
from costcalc.cli import app

COMMANDS = [
    "list",
    "info",
    "show",
    "compare",
    "formula",
    "sweep",
    "scale",
    "check",
    "memory",
    "transfer",
    "augment",
    "explain",
    "reconcile",
    "lecture",
    "verify",
    "time",
    "devices",
    "export",
    "site",
    "new",
    "validate",
    "ops",
    "schema",
    "help",
    "runs",
]


def said(*words):
    """Exit code, whether anything went to stdout, and the error."""
    done = piped(*words)
    assert b"Traceback" not in done.stderr
    return done.returncode, bool(done.stdout), done.stderr.decode()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("shw lenet5", "unknown command 'shw'; did you mean 'show'?"),
        ("resnet50", "unknown command 'resnet50'; did you mean `costcalc show resnet50`?"),
        ("resnt50", "unknown command 'resnt50'; did you mean `costcalc show resnet50`?"),
        ("zzz", f"unknown command 'zzz'; known: {', '.join(sorted(COMMANDS))}"),
        (
            "show lenet5 --fromat csv",
            "unknown option '--fromat'; did you mean '--format'?\n       see `costcalc show --help`",
        ),
        ("--vesion", "unknown option '--vesion'; did you mean '--version'?\n       see `costcalc --help`"),
        ("show lenet5 -f jsn", "unknown format 'jsn'; did you mean 'json'?"),
        ("show lenet5 --set q=3", "lenet5: unknown knob 'q'; known: batch, c1, c2, c_in, classes, freeze, r"),
        ("show lenet5 --set r", "'r' sets no knob; write knob=value, as in r=160"),
        ("compare conv_normal -f dot", "mermaid and dot draw the layers of one network; use them with `costcalc show`"),
    ],
)
def test_bad_input_is_named_and_exits_2(words, message):
    if words.startswith("compare"):
        words = words.replace("conv_normal", "conv_normal conv1x1")
    assert said(*words.split()) == (2, False, f"error: {message}\n")


@pytest.mark.parametrize(
    "words",
    ["show lenet5 --depth x", "show lenet5 --depth 0", "show lenet5 extra", "list -o", "show lenet", "show lenet5@r=0",
     "show ./missing.yaml", "show lenet5 -o net.xls", "compare", "show lenet5 --set r=10**10", "show --set"],
)  # fmt: skip
def test_bad_input_exits_2_without_output(words):
    code, printed, error = said(*words.split())
    assert (code, printed) == (2, False)
    assert error.startswith("error: ")


def test_what_typer_refuses_names_the_argument_and_where_help_is():
    """Its sentence is its own."""
    for words, name in (("show", "TARGET"), ("show lenet5 --depth x", "--depth"), ("runs show", "ID")):
        code, printed, error = said(*words.split())
        help = f"\n       see `costcalc {words.split(' lenet5')[0]} --help`\n"
        assert (code, printed, error.startswith("error: "), error.endswith(help)) == (2, False, True, True)
        assert name in error.removesuffix(help)


def test_formats_and_suffixes_are_checked_before_anything_is_counted():
    assert said("show", "no_such_net", "-o", "net.xls")[2].startswith(
        "error: 'net.xls' has the suffix '.xls'; use one of"
    )
    assert said("show", "no_such_net", "-f", "xls")[2].startswith("error: unknown format 'xls'")
    assert said("show", "no_such_net", "-o", "net.xls", "-f", "csv")[2].startswith("error: no spec or preset")


def test_no_words_print_the_help():
    bare, asked = piped(), piped("--help")
    assert (bare.returncode, bare.stdout, bare.stderr) == (0, asked.stdout, b"")


@pytest.mark.parametrize("command", [*COMMANDS, None])
@pytest.mark.parametrize("width", [80, 60])
def test_help_fits_and_shows_an_example(command, width):
    words = [command, "--help"] if command else ["-h"]
    text, code = in_terminal(width, *words)
    assert code == 0
    assert max(map(len, text.splitlines())) <= width
    assert not re.search(r"[a-z,=] ?\.\.\.$", text, re.MULTILINE)  # no sentence is cut
    assert re.search(rf"(Example|Try):\s+costcalc\s+{command or 'show'}", text)


def test_every_command_is_tested_here():
    assert [
        line.split()[0] for line in piped().stdout.decode().split("Commands:\n")[1].split("\n\n")[0].splitlines()
    ] == COMMANDS


@pytest.mark.parametrize("words", [["--version"], ["--version", "list"]])
def test_version(words):
    declared = tomllib.loads((Path(ROOT) / "pyproject.toml").read_text())["project"]["version"]
    assert piped(*words).stdout.decode() == f"costcalc {declared}\n"
    assert costcalc.__version__ == declared


def test_data_on_stdout_and_nothing_else():
    done = piped("show", "lenet5", "-f", "json")
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("words", ["explain --help", "schema", "show conv1x1"])
def test_a_pipe_gets_utf_8_whatever_the_locale(words):
    told = piped(*words.split(), PYTHONIOENCODING="ascii", LC_ALL="C")
    assert (told.returncode, told.stderr) == (0, b"")
    assert told.stdout == piped(*words.split()).stdout


def test_a_terminal_that_cannot_show_a_sign_gets_its_number():
    printed, code = in_terminal(80, "show", "conv1x1", PYTHONIOENCODING="ascii")
    assert code == 0
    assert "28x28x32" in printed
    assert "-----" in printed


# --- ends that are not bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "start"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (typer.Abort(), 130, "interrupted"),
        (ImportError("no 'pandas'"), 3, "error: no 'pandas'; install what is missing\n"),
        (ImportError(), 3, "error: ImportError while a package was being imported; install what is missing\n"),
        (PermissionError(errno.EACCES, "", "a.yaml"), 3, "error: a.yaml: permission denied\n"),
        (OSError("cannot write 'x'"), 3, "error: cannot write 'x'\n"),
        (OSError(), 3, "error: OSError while `costcalc list` ran\n"),
        (MemoryError(), 3, "error: out of memory; use a coarser grid or fewer --workers\n"),
        (ZeroDivisionError("x"), 70, "Traceback"),
        (costcalc.SpecError([]), 2, "error: "),
        (costcalc.UnknownName("one\ntwo \x1b[31m"), 2, "error: one\n       two \\x1b[31m\n"),
    ],
)
def test_exit_codes(monkeypatch, capsys, error, code, start):
    def fail(_):
        raise error

    monkeypatch.setattr(app, "_invoke", fail)
    monkeypatch.setattr(app, "discard_output", lambda code: code)
    assert app.run(["list"]) == code
    assert capsys.readouterr().err.startswith(start)


def test_a_bug_says_so(monkeypatch, capsys):
    monkeypatch.setattr(app, "_invoke", lambda _: 1 // 0)
    assert app.run(["list"]) == 70
    assert capsys.readouterr().err.endswith("error: this is a bug in costcalc; please report it with the text above\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_exits_130():
    code = """
import costcalc.cli.app as app, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with it ignored
app._invoke = lambda _: os.kill(os.getpid(), signal.SIGINT)
sys.exit(app.run(["list"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env={**PLAIN, "PYTHONPATH": ROOT})
    assert (done.returncode, done.stderr) == (130, b"interrupted\n")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell")
@pytest.mark.parametrize(
    ("line", "code", "error"),
    [
        ("show resnet152 --unroll | head -n 1 >/dev/null; exit ${PIPESTATUS[0]}", 0, ""),
        ("list >/dev/full", 3, "error: standard output: no room is left on the disk\n"),
        ("list >&-", 3, "error: standard output is closed\n"),
        ("--help >/dev/full", 3, "error: standard output: no room is left on the disk\n"),
    ],
)
def test_a_reader_who_leaves_and_a_disk_that_is_full(line, code, error):
    done = subprocess.run(["bash", "-c", f"{sys.executable} -m costcalc {line}"], capture_output=True, text=True,
                          env={**PLAIN, "PYTHONPATH": ROOT})  # fmt: skip
    assert (done.returncode, done.stderr) == (code, error)


# --- start-up: what is imported is what takes the time --------------------------------------------------------------

COUNTING = {"typer", "yaml"}  # the last is networkx's doing
HEAVY = (
    "sympy",
    "numpy",
    "networkx",
    "torch",
    "torchvision",
    "timm",
    "transformers",
    "onnx",
    "matplotlib",
    "jinja2",
    "pyarrow",
    "psutil",
    "asyncio",
    "multiprocessing",
    "concurrent.futures",
    "tomllib",
    "shellingham",
    "pandas",
    "rich",
    "jsonschema",
    "pydantic",
    "importlib.metadata",
    "yaml",
    "typer",
)


@pytest.mark.parametrize(
    ("words", "may"),
    [
        ("--version", set()),
        ("--help", {"typer"}),
        ("show --help", {"typer"}),
        ("list", {"typer", "yaml", "importlib.metadata"}),
        ("list -f json", {"typer", "yaml", "importlib.metadata"}),
        ("show resnet50", COUNTING),
        ("show resnet50 --depth 1 --set r=160 -f csv", COUNTING),
        ("show resnet50 --unroll", COUNTING),
        ("compare resnet50 resnet18", COUNTING),
        ("formula mobilenet_v1", COUNTING | {"sympy"}),
        ("explain conv1x1", COUNTING),
        ("check resnet50 --max macs=4.2G --max peak_bytes=16MB", COUNTING | {"tomllib"}),  # of pyproject.toml
        ("reconcile lenet5", COUNTING),
        ("augment", {"typer", "yaml"}),
        ("augment alexnet --step resnet50", COUNTING),
        ("reconcile augment:alexnet", COUNTING),
        ("sweep lenet5 batch=1,2", COUNTING | {"numpy", "concurrent.futures", "multiprocessing"}),
        ("shw", {"typer", "yaml"}),
    ],
)
def test_imports_of_a_command(words, may):
    code = f"""
import sys
sys.argv = ["costcalc", *{words.split()!r}]
from costcalc.__main__ import main
try:
    main()
except SystemExit:
    pass
print("\\n", *(name for name in {HEAVY!r} if name in sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**PLAIN, "PYTHONPATH": ROOT}
    )
    found = set(done.stdout.splitlines()[-1].split())
    if "typer" in may:  # an older typer imports rich at once
        found -= typers_own()
    assert found - may == set()


@cache
def typers_own():
    """What typer imports by itself, or may to print help: before 0.26 that was rich."""
    code = f"import sys, typer; print(*(name for name in {HEAVY!r} if name in sys.modules), *typer.__dict__)"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split()
    return set(names) | ({"rich"} if "_click" not in names else set())


# --- whatever a command does, two lines of Python can do ------------------------------------------------------------

IN_PYTHON = {
    "list": lambda: costcalc.specs().to_records(),
    "show": lambda: costcalc.load("lenet5").cost().table().rows,
    "compare": lambda: costcalc.compare("conv1x1", "lenet5").tables(),
    "formula": lambda: costcalc.formula("conv1x1", "params").tables(),
    "formula --over": lambda: costcalc.ratio("lenet5", "conv1x1").tables(),
    "formula --elasticity": lambda: costcalc.elasticity("lenet5").to_records(),
    "sweep": lambda: costcalc.sweep("lenet5", batch=[1, 2]).to_records(),
    "sweep --presets": lambda: costcalc.sweep_presets("efficientnet", "b0..b7").rows,
    "scale": lambda: costcalc.scale("lenet5", "batch", macs=10**9).to_records(),
    "check": lambda: costcalc.check("lenet5", macs="1M").to_records(),
    "memory": lambda: costcalc.memory("lenet5", train=True).to_records(),
    "transfer": lambda: costcalc.transfer("lenet5", classes=3).to_records(),
    "augment": lambda: costcalc.augment("alexnet").to_records(),
    "augment, none named": lambda: costcalc.pipelines().to_records(),
    "augment --step": lambda: costcalc.augment("alexnet", step="lenet5").tables(),
    "explain": lambda: costcalc.explain("lenet5").to_records(),
    "info": lambda: costcalc.info("resnet").to_dict()["presets"],
    "reconcile": lambda: costcalc.reconcile("lenet5").figures,
    "reconcile --figure": lambda: costcalc.reconcile("lenet5", figure=61_706).matches,
    "lecture": lambda: costcalc.lecture(6).to_records(),
    "export": lambda: costcalc.export("lenet5").text,
    "validate": lambda: costcalc.validate("nowhere.yaml"),
}


@pytest.mark.parametrize("command", IN_PYTHON)
def test_the_public_face_does_it_in_a_line(command):
    assert IN_PYTHON[command]()


def test_the_public_face_has_every_command():
    shown = {command.split()[0].rstrip(",") for command in IN_PYTHON}
    assert set(COMMANDS) - shown == {
        "verify",
        "time",
        "devices",
        "runs",
        "ops",
        "schema",
        "new",
        "help",
        "site",
    }  # of rooms of their own
    assert all(getattr(costcalc, name) for name in costcalc.__all__)


def test_every_unknown_target_is_named():
    code, printed, error = said("compare", "resnet5", "lenet5", "vg16")
    assert (code, printed) == (2, False)
    assert "'resnet5'; did you mean 'resnet50'?" in error
    assert "'vg16'; did you mean 'vgg16'?" in error


def test_show_says_what_validate_says_of_a_broken_spec(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text(
        "name: broken\ntitle: Broken\nsource: none\nknobs: {r: 8}\ninput: [3, r, r]\n"
        "layers:\n  - conv: {channels: 4, kernel: 30}\n  - relu: {of: 3}\n"
    )
    lines = [line.removeprefix("error: ").strip() for line in said("show", path)[2].splitlines()]
    assert len(lines) == 2
    assert "a window of 30 does not fit" in lines[0]
    assert lines == piped("validate", path).stderr.decode().splitlines()
