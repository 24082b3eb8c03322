"""Every example in README.md and docs/ is run, and prints what the page says it prints.

    ```console   `$ costcalc …` lines and their output, compared to the letter; a page's first block in processes
    ```python    `>>>` lines, by doctest
    ```yaml      with a `name:`, a spec: written beside the examples, and valid; where it stands again it is changed
    ```toml      with [tool.costcalc], the pyproject.toml from there on

COSTCALC_UPDATE_DOCS=1 writes the output of today into the pages instead; read the diff.
"""

import doctest
import io
import os
import re
import shlex
import subprocess
import sys

import pytest
from support.pages import FENCE, PAGES, UPDATE, blocks

from costcalc.analysis.op_catalog import markdown
from costcalc.cli.app import run
from costcalc.ops import OPS
from costcalc.pipeline import STEPS
from costcalc.pipeline.pipeline_library import is_pipeline

SEEN_BY_A_PIPE = {"NO_COLOR": "1", "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}


OF_GIT = {  # a commit has the same hash everywhere
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_DEFAULT_HASH": "sha1",
    **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
       for what, value in {"NAME": "you", "EMAIL": "you@example.org", "DATE": "2026-01-01T00:00:00Z"}.items()},
}  # fmt: skip


def output_of(line, folder, how):
    """What one `$` line prints. Not a shell: words and quotes."""
    first, *words = shlex.split(line)
    if first == "git":
        done = subprocess.run([first, *words], cwd=folder, env={**os.environ, **OF_GIT}, capture_output=True, text=True)
        return done.stdout + done.stderr
    assert first == "costcalc", f"only costcalc and git are run in docs, not {first}"
    return how(words, folder)


def in_a_process(words, folder):
    """Standard output and error of a command, as a reader who pipes it sees them."""
    return subprocess.run(
        [sys.executable, "-m", "costcalc", *words],
        cwd=folder,
        env={**os.environ, **SEEN_BY_A_PIPE},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ).stdout.decode()


def in_this_process(words, folder):
    """The same without starting an interpreter, which takes longer than most commands. Standard output waits in a
    buffer there too, while errors are written at once."""
    pipe = io.BytesIO()
    out, err = (io.TextIOWrapper(io.BufferedWriter(pipe, size), encoding="utf-8") for size in (1 << 13, 1))
    err.reconfigure(write_through=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in SEEN_BY_A_PIPE.items():
            patch.setenv(name, value)
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        run(words)
        out.flush()
        err.flush()
    return pipe.getvalue().decode()


def rerun(block, folder, how=in_this_process):
    """The block with the output its commands have today."""
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    printed = [(line, output_of(line[2:], folder, how)) for line in commands]
    return "".join(f"{line}\n{re.sub(r' +$', '', text, flags=re.MULTILINE)}" for line, text in printed)


def write_specs(text, folder):
    """Writes the specs of a page, as each stands there first."""
    for block in reversed(blocks(text, "yaml")):
        write_block("yaml", block, folder)


def write_block(language, block, folder):
    """Writes a spec, or the file of a project, as of now."""
    name = re.search(r"^name: (\w+)", block, re.MULTILINE)
    if language == "yaml" and name:
        (folder / f"{name[1]}.yaml").write_text(block, encoding="utf-8")
    elif language == "toml" and "[tool.costcalc" in block:
        (folder / "pyproject.toml").write_text(block, encoding="utf-8")


def run_python(page, text):
    """How many of a page's `>>>` lines print something else than the page says."""
    source = "\n".join(blocks(text, "python"))
    test = doctest.DocTestParser().get_doctest(source, {}, page.name, str(page), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    known, known_steps = dict(OPS), {*STEPS}
    runner.run(test)
    for name in {*STEPS} - known_steps:
        del STEPS[name]
    taught = {*OPS} - {*known}  # other tests are not to know an op that a page teaches
    for register in (OPS, getattr(sys.modules.get("costcalc.torch_backend.modules"), "MODULES", {})):
        for name in taught:
            register.pop(name, None)
    return runner.failures


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_console_examples(page, tmp_path, monkeypatch):
    text = page.read_text(encoding="utf-8")
    write_specs(text, tmp_path)
    if "Store(" in text or "save_file(" in text:  # the page makes what its commands look at
        monkeypatch.chdir(tmp_path)
        assert run_python(page, text) == 0
    if UPDATE:
        text = re.sub(r"(?s)(<!-- ops -->\n).*(?=<!-- end of ops -->)", lambda m: f"{m[1]}\n{markdown()}\n", text)

        def today(match):
            write_block(match[1], match[2], tmp_path)
            return f"```console\n{rerun(match[2], tmp_path)}```" if match[1] == "console" else match[0]

        page.write_text(FENCE.sub(today, text), encoding="utf-8")
        return
    how = in_a_process
    for match in FENCE.finditer(text):
        write_block(match[1], match[2], tmp_path)
        if match[1] == "console":
            assert rerun(match[2], tmp_path, how) == match[2]
            how = in_this_process


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
            if is_pipeline(path):
                assert costcalc.augment(path).views > 0
            else:
                assert costcalc.load(str(path)).cost().macs > 0
            assert costcalc.reconcile(str(path)).ok


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
