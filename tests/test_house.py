"""The shape of the house: imports point one way, every result says how it is made, nothing dangerous is called."""

import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import networkx as nx
import pytest
from support.house import FLOOR, files_imported, imports, upward_imports

import costcalc

PACKAGE = Path(__file__).parent.parent / "costcalc"


def test_imports_point_down():
    assert list(upward_imports(PACKAGE)) == []


def test_no_files_import_each_other():
    files = nx.DiGraph((here, there) for here, found in files_imported(PACKAGE).items() for there in found)
    assert [sorted(circle) for circle in nx.strongly_connected_components(files) if len(circle) > 1] == []


IMPORTERS = ("symbolic_sizes", "torch_runs", "aten_ops", "module_sources", "onnx_files")  # each above those before it


def test_importers_stand_on_one_another():
    rooms = {room: height for height, room in enumerate(IMPORTERS)}
    assert {path.name for path in (PACKAGE / "importers").iterdir() if path.is_dir()} - {"__pycache__"} == rooms.keys()
    up = [
        f"{path.relative_to(PACKAGE)} imports {there}"
        for room, height in rooms.items()
        for path in sorted((PACKAGE / "importers" / room).glob("*.py"))
        for there in imports(path)
        if there.startswith("costcalc.importers.") and rooms.get(there.split(".")[2], len(rooms)) > height
    ]
    assert up == []


def test_importers_that_read_torch_say_so_in_their_names():
    paths = [path for path in (PACKAGE / "importers").rglob("*.py") if path.name != "__init__.py"]
    reading = {path.name for path in paths if re.search(r"^ *(import|from) torch\b", path.read_text(), re.MULTILINE)}
    assert reading == {path.name for path in paths if path.name.startswith("torch_")}


ANALYSES = ("closed_form", "sweep", "scaling")  # rooms of analysis, each above those before it


def test_analyses_stand_on_one_another():
    up = [
        f"{path.relative_to(PACKAGE)} imports {there}"
        for height, room in enumerate(ANALYSES)
        for path in sorted((PACKAGE / "analysis" / room).iterdir())
        if path.suffix == ".py"
        for there in imports(path)
        if there.startswith(tuple(f"costcalc.analysis.{above}" for above in ANALYSES[height + 1 :]))
    ]
    assert up == []


ABOUT_SPECS = {"validate.py", "spec_checker.py"}  # errors of a spec: all other analyses are about models


def test_analyses_are_about_models_and_not_about_specs():
    files = list((PACKAGE / "analysis").rglob("*.py"))
    about = {path.name for path in files if any(there.startswith("costcalc.spec") for there in imports(path))}
    assert about == ABOUT_SPECS


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("def f():\n    from costcalc.report import emit\n", "report"),
        ("if TYPE_CHECKING:\n    from costcalc.net import Net\n", "net"),
        ("if not TYPE_CHECKING:\n    import costcalc.cli.app as app\n", "cli"),
        ("from costcalc import report\n", "report"), ("from costcalc import load\n", "net"),
        ("from costcalc import dims, write_sweep\n", "sweep_files"),
    ],
)  # fmt: skip
def test_the_check_sees_an_upward_import(tmp_path, text, there):
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "conv.py").write_text(text)
    assert list(upward_imports(tmp_path)) == [f"ops/conv.py imports {there}"]


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("from . import emit", "say costcalc.… in full"), ("from ..report import emit", "say costcalc.… in full"),
        ("import costcalc", "import what is needed from the room"),
        ("from costcalc import __version__", "import __version__ from the room"),
        ("importlib.import_module('costcalc.net')", "write an import statement"),
        ("__import__('costcalc.net')", "write an import statement"),
    ],
)  # fmt: skip
def test_the_check_refuses_what_it_cannot_see(tmp_path, line, instead):
    (tmp_path / "conv.py").write_text(line)
    with pytest.raises(AssertionError, match=rf"conv.py:1: {instead}"):
        imports(tmp_path / "conv.py")


def test_every_room_is_on_a_floor():
    rooms = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix in ("", ".py")}
    assert rooms - {"py.typed", "specs", "__pycache__"} <= set(FLOOR)


def test_the_version_is_the_one_that_is_declared():
    declared = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]["version"]
    cited = re.search(r"^version: (.*)$", (PACKAGE.parent / "CITATION.cff").read_text(), re.MULTILINE)
    assert costcalc.__version__ == declared == cited[1]


FORBIDDEN = (
    r"(?<!def )(?<![.\w])(eval|exec)\(|sympify\(f?['\"]|parse_expr\(|\blambdify\b|\bsimplify\("
    r"|torch\.load|\bpickle\b|allow_pickle|yaml\.load\b"
)


def test_nothing_is_evaluated_or_unpickled():
    found = [
        f"{path.relative_to(PACKAGE)}:{number}: {line.strip()}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(FORBIDDEN, line)
    ]
    assert found == []


READS_WORDS = (
    r"\bin str\(\w*error\)|\bin \w*error\.message\b|\b(message|hint|near|said)\.(startswith|endswith|removeprefix)\("
)


def test_no_code_reads_the_words_of_a_message():
    found = [path.name for path in sorted(PACKAGE.rglob("*.py")) if re.search(READS_WORDS, path.read_text())]
    assert found == ["worker.py"]  # torch raises a plain RuntimeError when memory is out


@pytest.mark.parametrize(
    "heavy", ["sympy", "networkx", "numpy", "torch", "pandas", "rich", "yaml", "matplotlib", "jinja2"]
)
def test_importing_costcalc_imports_nothing_heavy(heavy):
    code = f"import costcalc, sys; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_counting_needs_neither_sympy_nor_networkx():
    code = """
import costcalc, sys
costcalc.load('resnet50').cost().macs
sys.exit(not {'sympy', 'networkx'}.isdisjoint(sys.modules))
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_no_path_of_a_machine_and_no_download_address():
    pattern = re.compile("/(wor" + "k|far" + "m|roo" + "t|tmp/" + r"w)/|https?://[^ \"]+\.(whl|tar\.gz|tgz)")
    listed = subprocess.run(["git", "ls-files"], cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    texts = [PACKAGE.parent / name for name in listed.stdout.splitlines()]
    assert len(texts) > 300
    assert [str(p) for p in texts if pattern.search(p.read_text(errors="replace"))] == []


def test_a_file_name_stands_once():
    """A name leads to one file."""
    names = Counter(path.name for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
    assert [name for name, times in names.items() if times > 1] == []
