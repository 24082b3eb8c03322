"""What has changed in the costs of networks since a revision, whatever has become of their files."""

import json
import os
import subprocess
import sys

import pytest
from support.scratch_repo import SPEC, ScratchRepo

import costcalc
from costcalc.cli.app import run
from costcalc.errors import UsageError
from costcalc.project.against import Past
from costcalc.project.project import Project
from costcalc.project.revision import Revision


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A repository with two specs and their project, on a branch that changes nothing yet."""
    made = ScratchRepo(tmp_path_factory.mktemp("first") / "r")
    made.spec("nets/a.yaml", 4)
    made.spec("nets/b.yaml", 4)
    made.config('specs = ["nets"]', 'metrics = ["params"]')
    made.commit()
    made.git("checkout", "-q", "-b", "mine")
    return made


@pytest.fixture
def repo(first, tmp_path, monkeypatch):
    """A copy of it, in which the test stands."""
    copy = first.copied(tmp_path / "r")
    monkeypatch.chdir(copy.folder)
    return copy


def rows(*targets, against="git:main", **more):
    """Network, kind of change, and params before and now."""
    found = costcalc.check(*targets, against=against, **more).changes
    return [(each.target, each.what, each.before, each.now) for each in found.changes]


def params(channels):
    return 27 * channels  # a kernel of 3·3 over 3 channels, without bias


def test_only_differences_are_shown(repo):
    repo.spec("nets/a.yaml", 6)
    found = costcalc.check(against="git:main").changes
    assert rows() == [("nets/a.yaml", "changed", params(4), params(6))]
    assert (found.unchanged, found.changes[0].change, float(found.changes[0].relative)) == (("nets/b.yaml",), 54, 0.5)
    assert found.commit == repo.git("rev-parse", "main").strip()


def test_no_difference_is_no_row(repo):
    text = (repo.folder / "nets/a.yaml").read_text()
    repo.write("nets/a.yaml", text.replace("title: t", "title: another"))
    assert rows() == []
    assert costcalc.check(against="git:main").changes.unchanged == ("nets/a.yaml", "nets/b.yaml")


@pytest.mark.parametrize("committed", [False, True])
def test_specs_that_are_new_and_removed(repo, committed):
    (repo.folder / "nets/b.yaml").unlink()
    repo.spec("nets/c.yaml", 5)
    if committed:
        repo.commit()
    assert rows() == [("nets/c.yaml", "new", None, params(5)), ("nets/b.yaml", "removed", params(4), None)]


def test_a_renamed_spec_is_compared_with_what_it_was(repo):
    repo.git("mv", "nets/b.yaml", "nets/c.yaml")  # the same text
    repo.git("mv", "nets/a.yaml", "nets/d.yaml")
    repo.spec("nets/d.yaml", 8, name="a")  # the same name
    found = costcalc.check(against="git:main").changes
    assert found.renamed == (("nets/a.yaml", "nets/d.yaml"), ("nets/b.yaml", "nets/c.yaml"))
    assert rows() == [("nets/d.yaml", "changed", params(4), params(8))]
    assert (found.changes[0].was, found.unchanged) == ("nets/a.yaml", ("nets/c.yaml",))


def test_of_two_specs_of_one_name_the_same_text_is_meant(repo):
    repo.spec("nets/a.yaml", 8, name="b")
    repo.commit()
    repo.git("mv", "nets/b.yaml", "nets/c.yaml")
    repo.git("rm", "-q", "nets/a.yaml")
    found = costcalc.check(against="git:HEAD").changes
    assert (found.renamed, found.unchanged) == ((("nets/b.yaml", "nets/c.yaml"),), ("nets/c.yaml",))
    assert rows(against="HEAD") == [("nets/a.yaml", "removed", params(8), None)]


def test_a_spec_that_is_broken_there_has_no_cost_there(repo):
    repo.write("nets/a.yaml", "name: a\nlayers: [\n")
    repo.commit()
    repo.spec("nets/a.yaml")
    found = costcalc.check(against="git:HEAD").changes
    assert rows(against="git:HEAD") == [("nets/a.yaml", "unreadable before", None, params(4))]
    (remark,) = found.remarks
    assert remark.startswith("nets/a.yaml cannot be counted at HEAD: nets/a.yaml at HEAD:2:9: not YAML")


def test_a_spec_that_is_broken_here_is_bad_input(repo, refused):
    repo.write("nets/a.yaml", "name: a\nlayers: [\n")
    refused("check --against git:main", "nets/a.yaml:2:9: not YAML")


def test_a_knob_that_is_not_there_is_said(repo):
    text = (repo.folder / "nets/a.yaml").read_text()
    repo.write("nets/a.yaml", text.replace("w: ", "width: ").replace("*w", "*width"))
    repo.config('targets = ["nets/a.yaml@width=2"]', 'metrics = ["params"]')
    assert rows() == [("nets/a.yaml@width=2", "unreadable before", None, params(8))]


def test_settings_and_options_hold_on_both_sides(repo, capsys):
    repo.spec("nets/a.yaml", 6)
    assert rows("nets/a.yaml@w=2") == [("nets/a.yaml@w=2", "changed", params(8), params(12))]
    assert rows("nets/a.yaml", dtype="float16", metrics="weight_bytes")[0][2:] == (2 * params(4), 2 * params(6))
    assert run(["check", "nets/a.yaml", "--set", "w=3", "--against", "main", "--metrics", "params", "-f", "json"]) == 0
    (change,) = json.loads(capsys.readouterr().out)["against"]["changes"]
    assert (change["target"], change["before"], change["now"]) == ("nets/a.yaml@w=3", params(12), params(18))


def test_a_network_that_is_no_longer_named_is_said(repo):
    repo.config('specs = ["nets"]', 'targets = ["a"]')
    assert costcalc.check(against="git:main").changes.unlisted == ("nets/b.yaml",)


def test_a_target_that_the_other_side_does_not_name_is_compared_if_its_file_is_there(repo):
    repo.config('targets = ["nets/a.yaml"]', 'metrics = ["params"]')
    repo.commit()
    repo.config('targets = ["nets/a.yaml", "nets/b.yaml"]', 'metrics = ["params"]')
    repo.spec("nets/b.yaml", 5)
    assert rows(against="HEAD") == [("nets/b.yaml", "changed", params(4), params(5))]


@pytest.mark.parametrize(
    ("there", "said"), [("[tool.costcalc\n", "not TOML"), ('[tool.costcalc]\ntargts=["a"]', "has no key 'targts'")]
)
def test_a_project_that_is_broken_there_has_the_networks_of_today(repo, there, said):
    repo.write("pyproject.toml", there)
    repo.commit()
    repo.config('specs = ["nets"]')
    found = costcalc.check(against="HEAD").changes
    (remark,) = found.remarks
    assert (said in remark, found.unchanged) == (True, ("nets/a.yaml", "nets/b.yaml"))


def test_a_file_that_is_named_and_only_there_was_removed(repo, refused):
    (repo.folder / "nets/a.yaml").unlink()
    assert rows("nets/a.yaml", metrics="params") == [("nets/a.yaml", "removed", params(4), None)]
    refused("check nets/c.yaml --against git:main", "there is no file 'nets/c.yaml'")
    repo.config('targets = ["nets/a.yaml"]')
    refused("check --against git:main", "pyproject.toml: targets: there is no file 'nets/a.yaml'")


def test_names_of_the_library_are_the_same_on_both_sides(repo, monkeypatch):
    monkeypatch.setattr("costcalc.project.against.parse_text", None)  # nothing is read
    assert costcalc.check("lenet5", against="git:main").changes.unchanged == ("lenet5",)


def test_a_name_is_a_name_to_git_too(repo):
    names = [":(top)x/a.yaml", "nets/q'\"$ é.yaml", "n[e]t*s/[b].yaml", "nets/-dash.yaml", "nets/a@b.yaml"]
    for at, name in enumerate(names):
        repo.spec(name, 4, name=f"n{at}")
    repo.commit()
    for at, name in enumerate(names):
        repo.spec(name, 5, name=f"n{at}")
    found = rows(*names, against="HEAD", metrics="params")
    assert found == [(name, "changed", params(4), params(5)) for name in names]


def test_what_has_no_other_side_says_so(repo):
    net = costcalc.load("lenet5")
    outside = repo.folder.parent / "out.yaml"
    outside.write_text(SPEC.format(name="out", channels=2))
    found = costcalc.check(net, outside, against="git:main").changes.not_compared
    assert costcalc.check(net, against="git:main").changes.title.endswith(": no network could be compared")
    assert [why for _, why in found] == ["it was given in Python", "its file is outside of the repository"]
    past = Past("git:main", Project.find(), named=True)
    said = [target.not_compared for target in Project.find().targets(["my.py:make", "timm:x", "a.onnx", "hf:a.json"])]
    assert said == [
        "it runs code, and code of another revision is never run",
        "an installed package makes it, and a revision of this repository does not say which",
        *["of another revision only specs are read"] * 2,
    ]
    assert past.gone == []


def test_a_branch_is_where_mine_left_it(repo):
    left = repo.git("rev-parse", "main").strip()
    repo.spec("nets/a.yaml", 6)
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.spec("nets/a.yaml", 40)
    repo.commit()
    repo.git("checkout", "-q", "mine")
    assert rows() == [("nets/a.yaml", "changed", params(4), params(6))]
    assert costcalc.check(against="main").changes.commit == left
    tip = repo.git("rev-parse", "main").strip()
    repo.git("tag", "v1", "main")
    for name in (tip, "main~0", "v1"):
        assert rows(against=f"git:{name}") == [("nets/a.yaml", "changed", params(40), params(6))]


def test_from_a_folder_below_names_and_files_are_those_of_the_project(repo, monkeypatch):
    repo.spec("nets/a.yaml", 6)
    monkeypatch.chdir(repo.folder / "nets")
    found = costcalc.check(against="main").changes
    assert rows() == [("nets/a.yaml", "changed", params(4), params(6))]
    assert found.changes[0].file == "nets/a.yaml"
    assert rows("a.yaml", metrics="params") == [("a.yaml", "changed", params(4), params(6))]


def test_a_project_may_lie_below_the_top_of_its_repository(repo, monkeypatch):
    repo.spec("sub/c.yaml", 4)
    repo.write("sub/pyproject.toml", '[tool.costcalc]\nspecs = ["."]\nmetrics = ["params"]')
    repo.commit()
    repo.spec("sub/c.yaml", 5)
    monkeypatch.chdir(repo.folder / "sub")
    found = costcalc.check(against="HEAD").changes.changes
    assert [(each.target, each.before, each.file) for each in found] == [("c.yaml", params(4), "sub/c.yaml")]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mian", "there is no revision 'mian' in this repository; did you mean 'main'?"),
        ("git:", "'' is no revision; write --against git:main"),
        ("--output=x", "'--output=x' is no revision; write --against git:main"),
        ("HEAD~9", "there is no revision 'HEAD~9' in this repository; known: main, mine"),
        ("main:nets/a.yaml", "there is no revision 'main:nets/a.yaml' in this repository; known: main, mine"),
        ("a\nb", "'a\\nb' is no revision"),
    ],
)
def test_a_revision_that_does_not_exist(repo, name, said):
    with pytest.raises(UsageError) as caught:
        costcalc.check(against=name)
    assert str(caught.value).startswith(said)


def test_a_folder_without_a_repository(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UsageError, match="--against git:main: git says: not a git repository"):
        Revision("git:main", tmp_path)


def test_a_shallow_clone_says_how_to_fetch(repo, tmp_path, monkeypatch):
    repo.spec("nets/a.yaml", 6)
    repo.commit()
    url = f"file://{repo.folder}"
    repo.git("clone", "-q", "--depth=1", "-b", "mine", url, str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    for name in ("main", "origin/main"):
        with pytest.raises(UsageError, match="this clone is shallow; `git fetch --depth=1 origin main` brings it"):
            costcalc.check(against=name)
    with pytest.raises(UsageError, match="`git fetch --unshallow` brings the commits before"):
        costcalc.check(against="HEAD~1")
    subprocess.run(["git", "fetch", "-q", "--depth=1", "origin", "main"], check=True)
    assert rows(against="git:FETCH_HEAD") == [("nets/a.yaml", "changed", params(4), params(6))]


def test_a_clone_without_contents_fetches_nothing(repo, tmp_path, monkeypatch):
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.spec("nets/a.yaml", 6)
    repo.commit()
    repo.git("clone", "-q", "--filter=blob:none", "-b", "mine", f"file://{repo.folder}", str(tmp_path / "partial"))
    monkeypatch.chdir(tmp_path / "partial")
    with pytest.raises(UsageError, match="this clone lacks contents of origin/main; `git fetch --refetch --no-filter`"):
        costcalc.check(against="origin/main")
    missing = ["git", "rev-list", "--objects", "--all", "--missing=print"]
    assert "?" in subprocess.run(missing, check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(sys.platform == "win32", reason="a shell")
def test_nothing_of_the_other_revision_runs(repo, monkeypatch):
    """Filters, hooks, textconv and monitors are set; a spec and a Python file of the other side stand beside each
    other."""
    canary = repo.folder / "canary"
    for key in ("filter.x.smudge", "filter.x.clean", "filter.x.process", "diff.x.textconv", "core.fsmonitor",
                "core.sshCommand", "core.pager", "diff.external"):  # fmt: skip
        repo.git("config", key, f"touch {canary}; cat")
    repo.write(".gitattributes", "*.yaml filter=x diff=x\n")
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc"):
        path = repo.folder / ".git/hooks" / hook
        path.write_text(f"#!/bin/sh\ntouch {canary}\n")
        path.chmod(0o755)
    repo.spec("nets/a.yaml", 6)
    before = sorted(os.listdir(repo.folder))
    assert rows() == [("nets/a.yaml", "changed", params(4), params(6))]
    assert sorted(os.listdir(repo.folder)) == before
    assert not canary.exists()


def test_a_hook_of_git_does_not_lead_to_another_repository(repo, monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere")
    assert rows() == []


@pytest.mark.skipif(sys.platform == "win32", reason="links")
def test_links_folders_and_large_files_there_are_not_read(repo):
    os.remove(repo.folder / "nets/a.yaml")
    os.symlink("/etc/passwd", repo.folder / "nets/a.yaml")
    repo.write("nets/b.yaml", "#" * 1_000_001)
    repo.commit()
    os.remove(repo.folder / "nets/a.yaml")
    repo.spec("nets/a.yaml")
    repo.spec("nets/b.yaml")
    assert costcalc.check(against="HEAD").changes.remarks == (
        "nets/a.yaml cannot be counted at HEAD: nets/a.yaml: it is a link there",
        "nets/b.yaml cannot be counted at HEAD: nets/b.yaml: it has more than 1,000,000 bytes",
    )


def test_without_git_the_message_says_so(repo, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(OSError, match="git is not installed"):
        costcalc.check(against="main")


def test_one_start_of_git_reads_all_specs(repo, monkeypatch):
    """Each start takes as long as a count: their number does not grow with that of the specs."""
    for at in range(20):
        repo.spec(f"nets/n{at}.yaml", 4)
    repo.commit()
    for at in range(20):
        repo.spec(f"nets/n{at}.yaml", 5)
    started, start = [], subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda words, **more: started.append(words) or start(words, **more))
    assert len(rows(against="HEAD")) == 20
    assert len(started) <= 10
