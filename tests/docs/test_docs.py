"""Every example in README.md and docs/ is run, and prints what the page says it prints.

    ```console   `$ costcalc …` lines and their output, compared to the letter
    ```python    `>>>` lines, by doctest
    ```yaml      with a `name:`, a spec: written beside the examples, and valid

COSTCALC_UPDATE_DOCS=1 writes the output of today into the pages instead; read the diff.
"""

import doctest
import os
import re
import shlex
import subprocess
import sys

import pytest
from support.pages import FENCE, PAGES, UPDATE, blocks

from costcalc.analysis.catalog import markdown
from costcalc.ops import OPS


def run_command(line, folder):
    """Standard output and error of one `$` line, as a reader who pipes it sees them. Not a shell: words and quotes."""
    words = shlex.split(line)
    assert words[0] == "costcalc", f"only costcalc is run in docs, not {words[0]}"
    env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-m", "costcalc", *words[1:]],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    return re.sub(r" +$", "", done.stdout, flags=re.MULTILINE)


def rerun(block, folder):
    """The block with the output its commands have today."""
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"{line}\n{run_command(line[2:], folder)}" for line in commands)


def write_specs(text, folder):
    for block in blocks(text, "yaml"):
        if name := re.search(r"^name: (\w+)", block, re.MULTILINE):
            (folder / f"{name[1]}.yaml").write_text(block, encoding="utf-8")


def run_python(page, text):
    """How many of a page's `>>>` lines print something else than the page says."""
    source = "\n".join(blocks(text, "python"))
    test = doctest.DocTestParser().get_doctest(source, {}, page.name, str(page), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    known = dict(OPS)
    runner.run(test)
    OPS.clear()  # a page may teach an op; other tests are not to know it
    OPS.update(known)
    return runner.failures


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_console_examples(page, tmp_path, monkeypatch):
    text = page.read_text(encoding="utf-8")
    write_specs(text, tmp_path)
    if "Store(" in text:  # the page makes the measurements that its commands look at
        monkeypatch.chdir(tmp_path)
        assert run_python(page, text) == 0
    if UPDATE:
        text = re.sub(r"(?s)(<!-- ops -->\n).*(?=<!-- end of ops -->)", lambda m: f"{m[1]}\n{markdown()}\n", text)
        page.write_text(
            FENCE.sub(lambda m: f"```console\n{rerun(m[2], tmp_path)}```" if m[1] == "console" else m[0], text),
            encoding="utf-8",
        )
        return
    for block in blocks(text, "console"):
        assert rerun(block, tmp_path) == block


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples(page, tmp_path, monkeypatch):
    text = page.read_text(encoding="utf-8")
    write_specs(text, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run_python(page, text) == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_specs_in_docs_are_valid(page, tmp_path):
    import costcalc

    text = page.read_text(encoding="utf-8")
    write_specs(text, tmp_path)
    python = "\n".join(blocks(text, "python"))  # loads some itself, after teaching an op
    for path in tmp_path.glob("*.yaml"):
        if path.name not in python:
            said = [problem.message for problem in costcalc.validate(path)]
            assert [message for message in said if f"warning: {message}" not in text] == []
            assert costcalc.load(str(path)).cost().macs > 0
            assert costcalc.reconcile(str(path)).ok


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
