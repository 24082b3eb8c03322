"""`costcalc augment`: what it prints, what it imports, and what it refuses."""

import json
import subprocess
import sys

import pytest
from support.terminals import PLAIN, ROOT, in_terminal, piped

import costcalc
from costcalc.cli.app import run


def test_alone_it_lists_the_pipelines(capsys):
    assert run(["augment"]) == 0
    printed = capsys.readouterr().out
    assert printed.rstrip("\n") == str(costcalc.pipelines())
    assert all(record["name"] in printed for record in costcalc.pipelines().to_records())


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("augment alexnet", lambda: costcalc.augment("alexnet")),
        ("augment alexnet@crop=227", lambda: costcalc.augment("alexnet", crop=227)),
        ("augment alexnet --set crop=227", lambda: costcalc.augment("alexnet", crop=227)),
        ("augment lecture --step resnet50", lambda: costcalc.augment("lecture", step="resnet50")),
        ("augment lecture --step resnet50 --rate 50", lambda: costcalc.augment("lecture", step="resnet50", rate=50.0)),
        ("reconcile augment:alexnet", lambda: costcalc.reconcile("augment:alexnet")),
    ],
)
def test_the_command_prints_what_python_gives(line, made, capsys):
    assert run(line.split()) == 0
    assert capsys.readouterr().out.rstrip("\n") == str(made())
    assert run([*line.split(), "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(made().to_dict(), default=float))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("augment alxnet", "no pipeline named 'alxnet'; did you mean 'alexnet'?"),
        ("augment alexnet@crop=300", "a crop of 300×300 does not fit into 256×256"),
        ("augment alexnet --rate 5", "--rate goes with --step; give --step too"),
        ("augment alexnet --workers 5", "--workers goes with --step; give --step too"),
        ("augment alexnet --quick", "--quick goes with --time; give --time too"),
        (
            "augment alexnet --device cpu --step resnet50",
            "--device goes with --step and --time; give",
        ),
        ("augment alexnet --step resnet50 --workers 2", "--workers is about a measured pipeline; give --time too"),
        (
            "augment alexnet --step resnet50 --rate 0",
            "the rate is 0 network inputs/s; give what a step",
        ),
        (
            "augment alexnet --step resnet50 --rate -5",
            "the rate is -5 network inputs/s; give",
        ),
        ("augment alexnet --step resnet50 --rate nan", "the rate is nan network inputs/s"),
        ("augment alexnet --step resnet50 --time --workers 0", "--workers must be a whole number of at least 1, got 0"),
        ("augment alexnet --step resnt50", "no spec or preset named 'resnt50'; did you mean 'resnet50'?"),
        ("augment --step resnet50", "--step is about one pipeline; name it, as in costcalc augment alexnet --step"),
        ("augment --time", "--time is about one pipeline"),
        ("augment --set crop=3", "--set is about one pipeline"),
        ("augment alexnet --set crop", "'crop' sets no knob"),
        ("augment alexnet -f dot", "mermaid and dot draw the layers of one network"),
        ("reconcile augment:alxnet", "no pipeline named 'alxnet'; did you mean 'alexnet'?"),
        ("reconcile augment:alexnet --dtype int8", "--dtype is about networks; the steps of a pipeline say theirs"),
        (
            "show augment:alexnet",
            "augment:alexnet is an augmentation pipeline, not a network; see `costcalc aug",
        ),
    ],
)
def test_bad_input(line, message, refused):
    refused(line, message)


def test_an_empty_pipeline_and_an_unknown_step_of_a_file(tmp_path, refused):
    head = "name: mine\ntitle: t\nsource: s\ninput: [3, 8, 8]\nsteps: "
    path = tmp_path / "mine.yaml"
    path.write_text(head + "[]\n")
    refused(f"augment {path}", f"{path}:5:8: steps is empty; give at least one step")
    path.write_text(head + "[random_corp: 4]\n")
    refused(f"augment {path}", f"{path}:5:9: unknown step 'random_corp'; did you mean 'random_crop'?")
    refused(f"validate {path}", "unknown step 'random_corp'")


def test_validate_knows_both_kinds(capsys):
    assert run(["validate", "augment:alexnet", "alexnet"]) == 0
    pipeline, network = capsys.readouterr().out.splitlines()
    assert pipeline.endswith("alexnet.yaml: ok (5 steps, 2,178 views)")
    assert network.endswith("alexnet.yaml: ok (23 layers, 60,965,224 params, 724,406,816 MACs)")


def test_reconcile_of_the_network_says_where_its_images_are(capsys):
    assert run(["reconcile", "alexnet"]) == 0
    assert "figures of its images: `costcalc reconcile augment:alexnet`" in capsys.readouterr().out
    assert run(["reconcile", "vgg16"]) == 0
    assert "augment:" not in capsys.readouterr().out


@pytest.mark.parametrize("words", ["augment", "augment alexnet", "augment lecture -f csv"])
def test_counting_imports_nothing_heavy(words):
    code = f"""
import sys
from costcalc.cli.app import run
assert run({words.split()!r}) == 0
heavy = {{"torch", "torchvision", "numpy", "sympy", "networkx", "rich"}} & {{*sys.modules}}
sys.exit(repr(heavy) if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env={**PLAIN, "PYTHONPATH": ROOT})
    assert done.returncode == 0, done.stderr


def test_counts_beside_a_network_need_no_torch():
    code = """
import sys
from costcalc.cli.app import run
assert run("augment alexnet --step resnet50 --rate 100".split()) == 0
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], env={**PLAIN, "PYTHONPATH": ROOT}).returncode == 0


@pytest.mark.parametrize("missing", ["torch", "torchvision"])
def test_running_it_names_the_package_that_is_missing(missing):
    code = f"""
import sys
sys.modules[{missing!r}] = None
from costcalc.cli.app import run
sys.exit(run(["augment", "alexnet", "--time"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env={**PLAIN, "PYTHONPATH": ROOT})
    extra = {"torch": "torch", "torchvision": "vision"}[missing]
    assert (done.returncode, done.stdout) == (3, b"")
    assert f"needs {missing}: pip install 'costcalc[{extra}]'" in done.stderr.decode()


def test_a_narrow_terminal_keeps_what_matters():
    text, code = in_terminal(80, "augment", "lecture")
    assert code == 0
    assert max(map(len, text.splitlines())) <= 80 or "─" not in text
    assert "150,109,938" in text


def test_a_pipe_gets_it_all():
    assert b"horizontal_flip" in piped("augment", "alexnet").stdout
