"""The shape of the house: imports point one way, every result says how it is made, nothing dangerous is called."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "costcalc"
FLOORS = [
    "text files",
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


def imports(path: Path) -> list[str]:
    """Rooms a file imports when it runs: what stands under TYPE_CHECKING is not run."""
    lines, checking = [], False
    for line in path.read_text().splitlines():
        if line and not line[0].isspace():
            checking = line.startswith("if TYPE_CHECKING")
        if not checking:
            lines.append(line)
    text = "\n".join(lines)
    found = re.findall(r"^\s*(?:from|import) costcalc\.(\w+)", text, re.MULTILINE)
    for names in re.findall(r"^\s*from costcalc import ([\w, ]+)", text, re.MULTILINE):
        found += [name.strip() for name in names.split(",")]
    return found


def upward_imports(package: Path):
    for path in sorted(package.rglob("*.py")):
        here = path.relative_to(package).parts[0].removesuffix(".py")
        for there in imports(path):
            if here in FLOOR and there in FLOOR and here != there and FLOOR[there] >= FLOOR[here]:
                yield f"{path.relative_to(package)} imports {there}"


def test_imports_point_down():
    """The one exception: analysis reads a spec's figures and lists specs, spec never imports analysis."""
    up = [line for line in upward_imports(PACKAGE) if not re.match(r"analysis/[\w/]+\.py imports spec$", line)]
    assert up == []


def test_the_check_sees_an_upward_import(tmp_path):
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "conv.py").write_text("def f():\n    from costcalc.report import emit\n")
    assert list(upward_imports(tmp_path)) == ["ops/conv.py imports report"]


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
