"""docs/add_an_op.md is walked: an op is added to a copy of costcalc at the places that the page names, no other."""

import os
import re
import shutil
import subprocess
import sys
from textwrap import dedent

import pytest
from support.pages import blocks
from support.paths import ROOT

pytest.importorskip("torch")

PAGE = (ROOT / "docs" / "add_an_op.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Add it to costcalc")[2]
PLACES = re.findall(r"(?m)^\d\. `(costcalc/\S+\.py)`", SECTION)
TESTS = ("tests/ops/test_errors.py", "tests/ops/test_laws.py", "tests/torch_backend/test_witness.py")
OF_ALL_OPS = "exported or lacks_a_witness"  # what these tests ask of the register as a whole


def insert(path, after, text):
    """Writes the text behind the first place where these words stand."""
    before, found, rest = path.read_text(encoding="utf-8").partition(after)
    assert found, f"{path} has no {after!r}"
    path.write_text(before + found + text + rest, encoding="utf-8")


def the_class():
    """The class of the page's first example, as it stands in the file of its family."""
    lines = [line[4:] for line in blocks(PAGE, "python")[0].splitlines()[1:]]
    return "\n".join(lines).replace("ops.", "")


@pytest.fixture
def copy(tmp_path):
    for name in ("costcalc", "specs", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name)  # what is compiled, too
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def run(folder, *words):
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "-m", *words], cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_the_places_that_the_page_names_are_all_that_an_op_needs(copy):
    assert len(PLACES) <= 4
    family, exports, modules, layers = (copy / place for place in PLACES)
    line, module = map(dedent, re.findall(r"(?ms)^   ```text\n(.*?)^   ```", SECTION))
    with family.open("a", encoding="utf-8") as file:
        file.write(f"\n\n{the_class()}")
    insert(exports, "from costcalc.ops.pointwise import (\n", "    SquaredReLU,\n")
    insert(exports, "__all__ = [\n", '    "SquaredReLU",\n')
    insert(modules, "MODULES: dict[str, Callable[..., nn.Module]] = {\n", line)
    insert(layers, "from costcalc.torch_backend.window_layers import SamePadded, same_zeros\n", f"\n\n{module}")
    insert(copy / "tests/support/cases.py", "POINTWISE = (", "SquaredReLU, ")
    insert(copy / "tests/support/cases.py", "from costcalc.ops import (\n", "    SquaredReLU,\n")
    (copy / "primer.yaml").write_text(blocks(PAGE, "yaml")[0])
    code, said = run(copy, "costcalc", "verify", "primer.yaml")
    assert (code, "no difference in 2 layers" in said) == (0, True), said
    code, said = run(copy, "pytest", "-n", "0", *TESTS, "-k", f"squared_relu or SquaredReLU or {OF_ALL_OPS}")
    assert code == 0, said
    assert int(re.search(r"(\d+) passed", said)[1]) > 10
