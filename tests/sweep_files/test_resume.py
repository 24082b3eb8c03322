"""A sweep to a file that is killed, interrupted or has no room: T23, T25."""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support import needed
from support.paths import TESTS
from support.rights import as_nobody
from support.sizes import size
from support.streams import KINDS, POINTS, options, wanted
from support.terminals import PLAIN, ROOT, piped

from costcalc.cli.app import run
from costcalc.errors import REFUSED, ShapeError, UsageError
from costcalc.sweep_files import disk_space, resume_journal
from costcalc.sweep_files.write import write

KILLS = size(5, 200)
ENDS = size(7, 999)  # of each kind of file, at steps evenly spread
SEED = 23
ENV = {**PLAIN, "PYTHONPATH": os.pathsep.join([ROOT, str(TESTS)])}
STARTS = [0, *(chunk.start + chunk.size for chunk in wanted("").grid.blocks(POINTS))]


def stream(path, workers=1, *choice):
    return subprocess.Popen(
        [sys.executable, "-m", "support.streams", str(path), str(workers), *choice],
        env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Each file as it is made without a kill."""
    needed.module("pyarrow", "parquet")
    folder = tmp_path_factory.mktemp("uninterrupted")
    for name in KINDS:
        write(wanted(folder / name, **options(name)))
    return folder


# ---- T23


@pytest.mark.sized
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_sweep_loses_no_chunk_and_repeats_none(tmp_path, uninterrupted):
    dice, kills = random.Random(SEED), 0
    names = [name for name in KINDS if not name.startswith("best")]
    while kills < KILLS:
        name = dice.choice(names)
        path, done = tmp_path / name, 0
        path.write_text("old")
        while True:
            process = stream(path, 1, *KINDS[name])
            lines = []
            for _ in range(dice.randint(0, 20)):
                lines.append(process.stdout.readline())
            time.sleep(dice.uniform(0, 0.02))
            if kills < KILLS:
                process.send_signal(signal.SIGKILL)
            lines += process.stdout.readlines()
            assert (process.stderr.read(), process.wait() in (0, -signal.SIGKILL)) == ("", True)
            said = [line.split() for line in lines if line.endswith("\n")]
            begun = [int(at) for word, at in said if word == "works"]
            assert begun == STARTS[STARTS.index(done) :][: len(begun)]
            done = max([done, *(int(at) for word, at in said if word == "done")])
            if process.returncode == 0:
                break
            kills += 1
            kept = resume_journal.read_journal(path)
            if kept is None:  # killed before the first journal, or after the last
                assert done in (0, STARTS[-1])
                if done:
                    break
            else:
                assert kept.done in STARTS[STARTS.index(done) :][:2]  # or it was acknowledged and not yet said
                done = kept.done
            if path.read_bytes() != b"old":
                assert path.read_bytes() == (uninterrupted / name).read_bytes()
        assert path.read_bytes() == (uninterrupted / name).read_bytes()
        assert [each.name for each in tmp_path.iterdir() if not each.name.startswith(".")] == [name]
        path.unlink()


STEPS = """
import os, sys
from pathlib import Path
from support.streams import options, wanted, write

def stopping_at(step):
    '''Ends this process at the so many-th call that changes the disk: before it, or for odd steps after it. Returns
    what is left of the steps, in a list.'''
    left = [step]

    def counted(call):
        def called(*given, **more):
            left[0] -= 2
            if left[0] == 0 or left[0] == -1:
                if left[0] == -1:
                    call(*given, **more)
                os._exit(9)
            return call(*given, **more)
        return called

    for name in ("fsync", "replace", "unlink", "ftruncate"):
        setattr(os, name, counted(getattr(os, name)))
    return left

def steps_of_all():
    '''How many steps there are, as a child counts them.'''
    ours, theirs = os.pipe()
    if not os.fork():
        left = stopping_at(10**6)
        write(wanted(folder.parent / f"counted.{name}", **options(name), points=coarse))
        os.write(theirs, str(10**6 - left[0]).encode())
        os._exit(0)
    os.wait()
    return int(os.read(ours, 9))

folder, name, ends, coarse = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), (300, 300)
write(wanted(folder.parent / name, **options(name), points=coarse))  # here, so that no child has to import anything
reference, path, steps = (folder.parent / name).read_bytes(), folder / name, steps_of_all()
ended = 0
for step in sorted({1 + round(i * steps / (ends - 1)) for i in range(ends)} if ends < steps else range(1, steps + 2)):
    path.unlink(missing_ok=True)
    codes = []
    for last in (step, 0):
        child = os.fork()
        if not child:
            stopping_at(last)
            write(wanted(path, **options(name), points=coarse))
            os._exit(0)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    assert (codes[0] in (0, 9), codes[1]) == (True, 0), (step, codes)  # a call that raises goes on, as one of unlink
    ended += codes[0] == 9
    assert path.read_bytes() == reference, step
    left = sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))
    assert left == [name], (step, left)
print(ended)
"""


@pytest.mark.sized
@pytest.mark.skipif(sys.platform == "win32", reason="fork")
@pytest.mark.parametrize("name", ["whole.csv", "some.parquet", "front.csv", "best.json"])
def test_a_sweep_may_end_at_any_step_on_the_disk(tmp_path, name):
    """Before and after calls that change a file: all of them, or some from the first to the last."""
    if name.endswith(".parquet"):
        needed.module("pyarrow", "parquet")
    (tmp_path / "there").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", STEPS, str(tmp_path / "there"), name, str(ENDS)], env=ENV, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > min(ENDS, 20) // 2


# ---- what a journal says


def interrupted(path, chunks=3, **choice):
    """A file that was stopped after some chunks."""
    stop = wanted(path, **choice)
    seen = []

    def progress(share, what):
        seen.append(share)
        if len(seen) == chunks + 2:  # the first is that of the start, and the last chunk is not acknowledged yet
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(stop, None, progress)
    return resume_journal.read_journal(Path(path))


def test_an_interrupted_sweep_is_kept_and_the_old_file_stands(tmp_path):
    (tmp_path / "a.csv").write_text("old")
    kept = interrupted(tmp_path / "a.csv")
    assert kept.done == STARTS[3]
    assert (tmp_path / "a.csv").read_text() == "old"
    assert {each.name for each in tmp_path.iterdir()} == {"a.csv", "a.csv.part", "a.csv.journal"}


def test_what_a_journal_asks_for(tmp_path):
    path = tmp_path / "a.csv"
    share = 100 * interrupted(path).done // STARTS[-1]
    with pytest.raises(UsageError, match=f"a.csv.journal': this sweep is {share} % complete; continue with --resume"):
        write(wanted(path, resume=False))
    for given, name in (
        ({"where": "r > 4"}, "choice"), ({"axes": ["r=4:24:1", "w=1", "d=1"]}, "grid"),
        ({"points": (50, 50)}, "size of chunks"),
        ({"target": "mobilenet_v1", "axes": ["r=224"]}, "model, name, grid, setting of knobs"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=rf"a different sweep \(different {name}\); write to another file"):
            write(wanted(path, **given))
    assert write(replace(wanted(path, where="r > 4"), resume=False, restart=True)).rows == 21 * 3 * 10
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("version", [None, 1, 3])
def test_a_journal_of_another_version_is_refused_and_can_be_restarted(tmp_path, version):
    path = tmp_path / "a.csv"
    interrupted(path)
    entries = json.loads((tmp_path / "a.csv.journal").read_text())
    assert entries.pop("version") == 2
    (tmp_path / "a.csv.journal").write_text(json.dumps(entries | ({} if version is None else {"version": version})))
    for resume in (True, False):
        with pytest.raises(UsageError) as caught:
            write(wanted(path, resume=resume))
        assert str(caught.value) == (
            f"'{path}.journal' is of another version of costcalc and cannot be resumed; start over with --restart, or "
            "write to another file"
        )
    write(replace(wanted(path), resume=False, restart=True))
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


def test_a_journal_whose_part_is_gone_or_cut_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    interrupted(path)
    part = tmp_path / "a.csv.part"
    whole = part.read_bytes()
    part.write_bytes(whole[:-1])
    with pytest.raises(UsageError, match=r"a.csv.part' is shorter than its journal says; start over with --restart"):
        write(wanted(path))
    part.unlink()
    with pytest.raises(UsageError, match=r"a.csv.part' is gone; start over with --restart"):
        write(wanted(path))


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"kind": "journal of a sweep by costcalc", "version": 2, "x": 1}', "\x00\xff"]
)
def test_files_of_others_are_left_alone(tmp_path, text):
    path = tmp_path / "a.csv"
    (tmp_path / "a.csv.journal").write_bytes(text.encode("latin-1"))
    for given in (wanted(path), replace(wanted(path), resume=False, restart=True)):
        with pytest.raises(UsageError, match=r"a.csv.journal' is no journal of a sweep; move it away, or"):
            write(given)
    assert (tmp_path / "a.csv.journal").read_bytes() == text.encode("latin-1")
    (tmp_path / "b.csv.part").write_text("mine")
    with pytest.raises(UsageError, match=r"b.csv.part' exists, and no journal says what it is; move it away"):
        write(wanted(tmp_path / "b.csv"))
    assert (tmp_path / "b.csv.part").read_text() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="locks")
def test_two_at_once_are_refused(tmp_path):
    import fcntl

    path = tmp_path / "a.csv"
    interrupted(path)
    with open(tmp_path / "a.csv.part", "ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        for given in (wanted(path), replace(wanted(path), resume=False, restart=True)):
            with pytest.raises(UsageError, match=r"another process is writing '.*a.csv'; wait for it"):
                write(given)


@pytest.mark.skipif(sys.platform == "win32", reason="locks")
def test_a_second_one_leaves_the_journal_of_the_first_alone(tmp_path):
    """It looked for a journal just before there was one."""
    path = tmp_path / "a.csv"
    interrupted(path)
    said = (tmp_path / "a.csv.journal").read_bytes()
    second = resume_journal.Journal(path, {"grid": "another"}, 7)
    with open(tmp_path / "a.csv.part", "ab") as first:
        resume_journal._lock(first, path)
        with pytest.raises(UsageError, match="another process is writing"):
            second.start()
    os.truncate(tmp_path / "a.csv.part", 0)
    with pytest.raises(UsageError, match="another process is writing"):
        second.start()
    assert (tmp_path / "a.csv.journal").read_bytes() == said


def test_what_only_a_kill_left_is_taken(tmp_path, uninterrupted):
    """Between making the part and saying so."""
    (tmp_path / "whole.csv.part").touch()
    write(wanted(tmp_path / "whole.csv"))
    assert (tmp_path / "whole.csv").read_bytes() == (uninterrupted / "whole.csv").read_bytes()
    assert len([*tmp_path.iterdir()]) == 1


class Refusing:
    """Workers that the system does not start."""

    window, lost = 2, ()

    def submit(self, work, *given):
        raise OSError(errno.EAGAIN, "as it came")


def test_what_workers_raise_is_not_said_of_the_file(tmp_path):
    with pytest.raises(OSError, match=r"^\[Errno \d+\] as it came$"):
        write(wanted(tmp_path / "a.csv"), Refusing())


@pytest.mark.parametrize(
    ("number", "then"), [("EACCES", "fix that, then continue with --resume"), ("ENOSPC", "free disk space, then")]
)
@pytest.mark.parametrize("name", ["whole.csv", "whole.parquet", "best.json"])
def test_a_place_that_is_not_to_be_had(tmp_path, monkeypatch, uninterrupted, name, number, then):
    """What goes wrong is told from what to do about it."""
    path, code = tmp_path / name, getattr(errno, number)

    def refused(part, to):
        raise OSError(code, os.strerror(code), str(part), None, str(to))

    for place in ("costcalc.files.replace_file", "costcalc.sweep_files.row_formats.replace_file"):
        monkeypatch.setattr(place, refused)
    with pytest.raises(OSError, match=r"^cannot write") as caught:
        write(wanted(path, **options(name)))
    assert str(caught.value).startswith(f"cannot write {str(path)!r}: {REFUSED[number]}; {then}")
    monkeypatch.undo()
    write(wanted(path, **options(name)))
    assert path.read_bytes() == (uninterrupted / name).read_bytes()


def test_a_sweep_of_nothing_leaves_nothing(tmp_path):
    with pytest.raises(ShapeError, match="all points are invalid: a window of 3 does not fit"):
        write(wanted(tmp_path / "a.csv", axes=["r=1,2"]))
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("-f csv --resume", "standard output is not a file and cannot be resumed; name one with -o"),
        ("-o x.json --resume", "only a CSV or Parquet file, or a sweep with --top or --pareto, can be resumed"),
        ("--restart", "standard output is not a file"),
        ("--histogram macs --resume", "--histogram cannot be combined with --resume"),
        ("-o /dev/null -f csv --resume", "'/dev/null' is not a file"),
    ],
)  # fmt: skip
def test_what_cannot_be_resumed(capsys, words, message):
    assert run(["sweep", "lenet5", "batch=1,2", *words.split()]) == 2
    assert message in capsys.readouterr().err


# ---- T25


def test_more_rows_than_there_is_room_or_time_for(monkeypatch, tmp_path, capsys):
    grid = ["r=32:2031:1", "w=0.001:3:0.001", "d=0.01:3:0.01"]
    assert run(["sweep", "efficientnet", *grid, "batch=1:1000:1", "-o", str(tmp_path / "a.csv")]) == 2
    said = "1,800,000,000,000 rows take about 118 TiB and 52 days of work; keep the best with --top N or the front"
    assert said in capsys.readouterr().err
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 0, 10**9))
    assert run(["sweep", "efficientnet", *grid, "-o", str(tmp_path / "a.csv")]) == 3
    said = "1,800,000,000 rows take about 107 GiB and 75 minutes of work, and 954 MiB are free in"
    assert said in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("batches", [2, 520_000])
def test_a_full_device_exits_3(batches):
    done = piped("sweep", "lenet5", f"batch=1:{batches}:1", "-f", "csv", "-o", "/dev/full")
    assert (done.returncode, done.stderr) == (3, b"error: cannot write '/dev/full': no room is left on the disk\n")


@pytest.mark.skipif(sys.platform == "win32", reason="rights")
def test_a_folder_that_may_not_be_written(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    for parent in folder.parents[:4]:
        parent.chmod(0o755)
    said = as_nobody(lambda: write(wanted(folder / "a.csv")), folder)
    folder.chmod(0o755)
    assert said == f"OSError: cannot write '{folder}/a.csv': permission denied"
    assert [*folder.iterdir()] == []


def test_a_journal_that_cannot_be_written_leaves_no_part(tmp_path):
    (tmp_path / "a.csv.journal.new").mkdir()
    with pytest.raises(OSError, match=r"^cannot write '.*a.csv.journal': it is a folder$"):
        write(wanted(tmp_path / "a.csv"))
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv.journal.new"]


LIMITED = """
import json, os, resource, sys
from pathlib import Path
from support.streams import options, wanted, write

def tried(path, limit):
    '''What a child says that may write so many bytes to a file; nothing if it could write it.'''
    ours, theirs = os.pipe()
    if not os.fork():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            write(wanted(path, **options(path.name), points=(120, 40)))
        except OSError as error:
            os.write(theirs, str(error).encode())
        os._exit(0)
    os.close(theirs)
    os.wait()
    with open(ours) as pipe:
        return pipe.read()

folder, paths = Path(sys.argv[1]), [*map(Path, sys.argv[2:])]
for name in {path.name for path in paths}:
    write(wanted(folder / name, **options(name), points=(120, 40)))  # here, so that no child has to import anything
print(json.dumps([tried(path, int(path.parent.name)) for path in paths]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits")
def test_a_file_that_may_not_grow_is_gone_on_with(tmp_path):
    needed.module("pyarrow", "parquet")
    names = ["whole.csv", "whole.parquet", "best.json"]
    paths = [tmp_path / str(limit) / name for limit in (0, 700, 3000, 9000) for name in names]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text("old")
    given = [sys.executable, "-c", LIMITED, str(tmp_path), *map(str, paths)]
    done = subprocess.run(given, env=ENV, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for path, said in zip(paths, json.loads(done.stdout), strict=True):
        limit, name = int(path.parent.name), path.name
        if said:
            assert said.startswith(f"cannot write '{path}")
            assert "files may not become so large here" in said
            assert ("; free disk space, then continue with --resume" in said) == (limit > 1000)
            assert path.read_text() == "old"
        else:
            assert (limit, name) in ((9000, "whole.parquet"), (9000, "best.json"), (3000, "best.json"))
        write(wanted(path, **options(name), points=(120, 40)))
        assert path.read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.skipif(not shutil.which("mount") or os.name != "posix" or os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("name", ["whole.csv", "whole.parquet"])
def test_a_disk_that_is_really_full(tmp_path, uninterrupted, name, monkeypatch):
    monkeypatch.setattr("costcalc.sweep_files.resumable_file.check_disk_space", lambda *_: None)  # others fill it later
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("may not mount")
    try:
        path, ballast = disk / name, disk / "ballast"
        path.write_text("old")
        ballast.write_bytes(b"x" * 40_000)
        with pytest.raises(OSError, match="no room is left on the disk; free disk space, then continue with --resume"):
            write(wanted(path))
        assert path.read_text() == "old"
        assert 0 < resume_journal.read_journal(path).done < STARTS[-1]
        ballast.unlink()
        subprocess.run(["mount", "-o", "remount,size=1m", disk], check=True)
        write(wanted(path))
        assert path.read_bytes() == (uninterrupted / name).read_bytes()
    finally:
        subprocess.run(["umount", disk], check=True)
