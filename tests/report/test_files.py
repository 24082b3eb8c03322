"""Files are written whole or not at all."""

import errno
import os
import stat
import sys

import pytest
from support.rights import as_nobody
from support.terminals import piped

from costcalc import files
from costcalc.errors import REFUSED, why


def test_a_new_file_has_the_usual_rights(tmp_path):
    files.write(tmp_path / "a.txt", "×\n")
    assert (tmp_path / "a.txt").read_bytes() == "×\n".encode()
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o666 & ~umask
    assert os.listdir(tmp_path) == ["a.txt"]


def test_an_old_file_keeps_its_rights_and_a_link_stays_a_link(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "a.txt").chmod(0o600)
    (tmp_path / "link.txt").symlink_to(tmp_path / "a.txt")
    files.write(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "a.txt").read_text() == "new"
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o600


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_the_old_file_survives_a_full_disk(tmp_path, monkeypatch, broken):
    (tmp_path / "a.txt").write_text("old")

    def full(*_):
        raise OSError(errno.ENOSPC, "as the system says it")

    monkeypatch.setattr(os, broken, full)
    with pytest.raises(OSError, match=r"^cannot write '.*a.txt': no room is left on the disk$"):
        files.write(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_file_that_is_written_in_pieces_is_written_whole_or_not_at_all(tmp_path):
    def pieces(last):
        yield from "×\n"
        last()

    def fail():
        raise KeyboardInterrupt

    files.write(tmp_path / "a.txt", pieces(str))
    with pytest.raises(KeyboardInterrupt):
        files.write(tmp_path / "a.txt", pieces(fail))
    assert (tmp_path / "a.txt").read_bytes() == "×\n".encode()
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("path", ["missing/a.json", ".", "a\0b.json", "x" * 300 + ".json"])
def test_what_cannot_be_written_is_said(tmp_path, path):
    with pytest.raises(OSError, match=r"^cannot write '"):
        files.write(tmp_path / path, "new")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EACCES, "in the system's words"), "permission denied"),
        (OSError(errno.EXDEV, "in the system's words"), "in the system's words"), (OSError(None, "ours"), "ours"),
        (OSError("as it is"), "as it is"), (BlockingIOError(), "BlockingIOError"),
    ],
)  # fmt: skip
def test_why_the_system_refuses_is_said_in_words_of_ours(error, words):
    assert why(error) == words
    assert all(hasattr(errno, name) for name in REFUSED if name != "EDQUOT")


@pytest.mark.skipif(sys.platform == "win32", reason="rights")
def test_what_cannot_be_written_is_seen_before_the_work(tmp_path):
    """Without a trace: nothing is there afterwards, and the folder is as old as it was."""
    before = tmp_path.stat().st_mtime_ns
    for path in (tmp_path / "a.txt", tmp_path / "-", "-"):
        files.check(path)
    assert os.listdir(tmp_path) == []
    assert tmp_path.stat().st_mtime_ns == before or sys.platform != "linux"
    for parent in (each for each in tmp_path.parents if each.stat().st_uid == os.getuid() and "pytest" in str(each)):
        parent.chmod(0o755)
    tmp_path.chmod(0o555)
    said = as_nobody(lambda: files.check(tmp_path / "a.txt"), tmp_path)
    tmp_path.chmod(0o755)
    assert said == f"OSError: cannot write '{tmp_path}/a.txt': permission denied"


def test_a_long_name_is_refused_before_the_work(tmp_path):
    with pytest.raises(OSError, match=r"^cannot write '"):
        files.check(tmp_path / ("x" * 300))


def test_a_command_that_cannot_write_exits_3(tmp_path):
    done = piped("show", "conv1x1", "-o", str(tmp_path / "missing" / "a.json"))
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.decode().endswith(f"there is no folder '{tmp_path}/missing'\n")
    assert done.stderr.startswith(b"error: cannot write ")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_device_exits_3():
    done = piped("show", "conv1x1", "-f", "json", "-o", "/dev/full")
    assert (done.returncode, done.stderr) == (3, b"error: cannot write '/dev/full': no room is left on the disk\n")


@pytest.mark.skipif(sys.platform == "win32", reason="/dev/stdout")
def test_a_device_is_written_to():
    assert piped("show", "conv1x1", "-f", "csv", "-o", "/dev/stdout").stdout.startswith(b"name,op,")
    assert piped("show", "conv1x1", "-f", "csv", "-o", "-").stdout.startswith(b"name,op,")
