"""costcalc transfer on the command line: what it prints, and what it refuses without a trace."""

import json
import shlex

import pytest
from support import needed
from support.terminals import in_terminal

import costcalc
from costcalc.cli.app import run

LENET = "transfer lenet5 --classes 3 --images 50 --epochs 4 --batch 8"


def ended(capsys, line):
    code = run(shlex.split(line))
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_the_command_is_the_function(capsys):
    code, out, err = ended(capsys, f"{LENET} --rank 2 --within 1MB --rate 100 --disk-rate 1MB --views 2 -f json")
    assert (code, err) == (0, "")
    found = costcalc.transfer("lenet5", classes=3, images=50, epochs=4, batch=8, rank=2, within="1MB", rate=100,
                              disk_rate="1MB", views=2)  # fmt: skip
    assert json.loads(out) == json.loads(json.dumps(found.to_dict()))


def test_csv_and_the_table_have_the_same_rows(capsys):
    _, out, _ = ended(capsys, f"{LENET} -f csv")
    header, *rows = out.splitlines()
    assert header == "strategy,trainable_params,frozen_params,step_macs,epoch_macs,macs,step_bytes,disk_bytes"
    found = costcalc.transfer("lenet5", classes=3, images=50, epochs=4, batch=8)
    assert [int(row.split(",")[5]) for row in rows] == [one.macs(4) for one in found.strategies]


@pytest.mark.parametrize(
    "asked", ["", "--within 1MB", "--rate 100 --disk-rate 5MB", "--within 1MB --rate 9 --disk-rate 5MB"]
)
def test_a_narrow_terminal_keeps_what_was_asked_for(asked):
    text, code = in_terminal(80, *shlex.split(f"{LENET} {asked}"))
    assert code == 0
    assert max(map(len, text.splitlines())) <= 80
    head = next(line for line in text.splitlines() if line.startswith("strategy"))
    assert "trainable" in head
    assert ("largest batch" in head) is ("--within" in asked)
    assert ("s in all" in head.replace("MACs in all", "")) is ("--rate" in asked)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("lenet5", 2, "missing option '--classes'"), ("lenet5 --classes 0", 2, "classes must be at least 1, got 0"),
        ("lenet5 --classes 3 --images 0", 2, "images must be at least 1, got 0"),
        ("lenet5 --classes 3 --epochs 0", 2, "epochs must be at least 1, got 0"),
        ("lenet5 --classes 3 --views 0", 2, "views must be at least 1"),
        ("lenet5 --classes 3 --rank -1", 2, "rank must"),
        ("lenet5 --classes 3 --head fc9", 2, "unknown layer 'fc9'; known: conv1, conv2, fc3, fc4, fc5"),
        ("lenet5 --classes 3 --head fc44", 2, "unknown layer 'fc44'; did you mean 'fc4'?"),
        ("lenet5 --classes 3 --freeze-until fc5", 2, "--freeze-until fc5 is not before the head 'fc5'"),
        ("lenet5@freeze=conv1 --classes 3", 2, "leave out freeze"), ("conv1x1 --classes 3", 2, "no linear layer"),
        ("lenet5 --classes 3 --within foo", 2, "--within 'foo' is not a budget; write --within 24GB"),
        ("lenet5 --classes 3 --dtype int8", 2, "nothing trains in int8, of which torch has no gradients"),
        ("lenet5 --classes 3 --within 1KB", 1, "no strategy for lenet5@classes=3 fits into 1,000 bytes"),
        ("lenet5 --classes 3 --quick", 2, "--device and --quick are about measuring; add --time"),
        ("lenet5 --classes 3 --time --rate 4", 2, "--time measures what --rate gives; leave one out"),
        ("lenet5 --classes 3 --rate 4", 2, "give --disk-rate too"),
        ("lenet5 --classes 3 --disk nowhere", 2, "is not a folder"),
        ("lenet5 --classes 3 --optimizer adm", 2, "did you mean 'adam'?"),
        ("lenet5 --classes 3 -f dot", 2, "mermaid and dot"),
        ("lenet5@batch=4 --classes 3 --batch 4", 2, "says itself that its batch is 4; leave out --batch"),
    ],
)  # fmt: skip
def test_what_is_refused_is_one_message_and_writes_nothing(capsys, tmp_path, words, code, message):
    path = tmp_path / "out.csv"
    more = "" if "-f dot" in words else f" -o {path}"
    ended_with, out, err = ended(capsys, f"transfer {words}{more}")
    assert (ended_with, out) == (code, "")
    assert err.startswith("error: ")
    assert message in err
    assert not path.exists()


def test_a_disk_without_room_is_3(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 10}))
    code, out, err = ended(capsys, f"{LENET} --disk {tmp_path}")
    assert (code, out) == (3, "")
    assert "the features take 16.4 KiB, and 10 B are free in" in err
    assert [*tmp_path.iterdir()] == []


def test_time_without_a_folder_needs_room_for_all_features_in_the_temporary_one(capsys, monkeypatch):
    needed.module("torch", "torch")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 10**9}))
    code, out, err = ended(capsys, f"{LENET} --images 3000000 --time --quick --device cpu --disk-rate 10MB")
    assert (code, out) == (3, "")
    assert "the features take 961 MiB, and 954 MiB are free in" in err


@pytest.mark.usefixtures("short_turns")
def test_steps_are_measured(capsys, tmp_path):
    code, out, _ = ended(capsys, f"{LENET} --time --quick --device cpu --disk {tmp_path} --disk-rate 10MB -f json")
    found = json.loads(out)
    assert code == 0
    assert all(row["step_seconds"] > 0 for row in found["strategies"])
    assert found["rates"]["read_bytes_per_second"] == 10**7
    assert [*tmp_path.iterdir()] == []


def test_a_device_that_is_not_there_is_3(capsys):
    needed.module("torch", "torch")
    code, out, _ = ended(capsys, f"{LENET} --time --device cuda:77")
    assert (code, out) == (3, "")
