"""The shape of the house: imports point one way, every result says how it is made, nothing dangerous is called."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import networkx as nx
import pytest

PACKAGE = Path(__file__).parent.parent / "costcalc"
FLOORS = [
    "text files processes",
    "errors table",
    "chart",
    "dims",
    "ops",
    "graph",
    "spec analysis",
    "net",
    "report store torch_backend",
    "cli",
    "__main__",
]
FLOOR = {name: height for height, row in enumerate(FLOORS) for name in row.split()}


def imports(path: Path) -> set[str]:
    """Modules of costcalc that a file imports when it runs: what stands under TYPE_CHECKING is not run."""
    found: set[str] = set()
    todo: list[ast.AST] = [ast.parse(path.read_text())]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            todo += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: say costcalc.… in full, or no check sees it"
            found |= {f"{node.module}.{name.name}" for name in node.names}
        todo += ast.iter_child_nodes(node)
    return {name for name in found if name.startswith("costcalc.")}


def upward_imports(package: Path):
    for path in sorted(package.rglob("*.py")):
        here = path.relative_to(package).parts[0].removesuffix(".py")
        for there in sorted({name.split(".")[1] for name in imports(path)}):
            if here in FLOOR and there in FLOOR and here != there and FLOOR[there] >= FLOOR[here]:
                yield f"{path.relative_to(package)} imports {there}"


def test_imports_point_down():
    """The one exception: analysis reads a spec's figures and lists specs, spec never imports analysis."""
    up = [line for line in upward_imports(PACKAGE) if not re.match(r"analysis/[\w/]+\.py imports spec$", line)]
    assert up == []


KNOTS = (  # modules that need each other: what one of them is made of, and how it is made, shown or drawn
    {"dims", "dims.letters"},
    {"dims.column", "dims.given"},
    {"chart", "chart.draw", "chart.heat", "chart.kit"},
    {"analysis.sweep.found", "analysis.sweep.charts", "analysis.sweep.sweep"},
)


def test_no_other_modules_import_each_other():
    paths = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
    }
    names = {name: [there.removeprefix("costcalc.") for there in imports(path)] for name, path in paths.items()}
    house = nx.DiGraph(
        (here, there if there in paths else there.rpartition(".")[0])
        for here, found in names.items()
        for there in found
    )
    knots = [knot for knot in nx.strongly_connected_components(house) if len(knot) > 1]
    assert sorted(map(sorted, knots)) == sorted(map(sorted, KNOTS))


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


def test_the_check_sees_an_upward_import(tmp_path):
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "conv.py").write_text("def f():\n    from costcalc.report import emit\n")
    assert list(upward_imports(tmp_path)) == ["ops/conv.py imports report"]
    (tmp_path / "ops" / "conv.py").write_text(
        "if TYPE_CHECKING:\n    from costcalc.net import Net\nelse:\n    from costcalc.report import emit\n"
    )
    assert list(upward_imports(tmp_path)) == ["ops/conv.py imports report"]


@pytest.mark.parametrize("line", ["from . import emit", "from ..report import emit"])
def test_the_check_refuses_what_it_cannot_see(tmp_path, line):
    (tmp_path / "conv.py").write_text(line)
    with pytest.raises(AssertionError, match=r"conv.py:1: say costcalc.… in full"):
        imports(tmp_path / "conv.py")


def test_every_room_is_on_a_floor():
    rooms = {
        path.name.removesuffix(".py")
        for path in PACKAGE.iterdir()
        if path.name[0] != "_" and path.suffix in ("", ".py")
    }
    assert rooms - {"py.typed", "specs"} <= set(FLOOR)


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


@pytest.mark.parametrize(
    "heavy", ["sympy", "networkx", "numpy", "torch", "pandas", "rich", "yaml", "matplotlib", "jinja2"]
)
def test_importing_costcalc_imports_nothing_heavy(heavy):
    code = f"import costcalc, sys; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_counting_needs_no_sympy():
    code = "import costcalc, sys; costcalc.load('resnet50').cost().macs; sys.exit('sympy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_no_path_of_a_machine_and_no_download_address():
    pattern = re.compile("/(wor" + "k|far" + "m|roo" + r"t)/|https?://[^ \"]+\.(whl|tar\.gz|tgz)")
    texts = [p for folder in ("costcalc", "specs", "docs", "tests") for p in (PACKAGE.parent / folder).rglob("*")]
    texts = [p for p in texts if p.suffix in (".py", ".md", ".yaml", ".toml", ".txt")]
    assert [str(p) for p in texts if pattern.search(p.read_text(errors="replace"))] == []
