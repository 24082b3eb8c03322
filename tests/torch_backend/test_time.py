"""Timing: what is reported, and what happens to a network that cannot be measured. No test asserts a time."""

# ruff: noqa: E402

import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from functools import partial
from multiprocessing import Pipe
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from support import needed

psutil = needed.module("psutil", "torch")
torch = needed.module("torch", "torch")

from support.layers import chain
from support.sizes import size

import costcalc
from costcalc import ops
from costcalc.analysis.memory import peak_activations
from costcalc.cli.app import run
from costcalc.errors import CostcalcError, StoreError
from costcalc.torch_backend.die_with_parent import die_with_parent
from costcalc.torch_backend.machine import BackgroundLoad, NoDevice, devices, find_device
from costcalc.torch_backend.measure import Measurement, measure
from costcalc.torch_backend.peak import measured_peak
from costcalc.torch_backend.runner import Runner, configure_torch
from costcalc.torch_backend.settings import BadSetting, Settings
from costcalc.torch_backend.timing import Timing, time_nets
from costcalc.torch_backend.timing_tables import layer_record, layer_table, verdict
from costcalc.torch_backend.worker import PRELOADED_TO_TRAIN, WorkerDied, WorkerProcess, _heartbeat, _serve, warm_up

SMALL = ("conv_normal", "conv_depthwise_separable")
TIMED = size(7, 20)  # points
INTERRUPTS = size(3, 50)


def point(target="conv_normal", graph=None, **settings):
    return Measurement(target, graph or costcalc.load(target).graph(), Settings(**settings))


@pytest.fixture(autouse=True)
def short_turns(monkeypatch, tmp_path):
    """A turn of 5 ms in place of 100, 50 ms of them in place of seconds, and a store of the test's own.

    Children have one thread each: those of a gate that share its cores wait for each other at every barrier.
    """
    monkeypatch.setattr("costcalc.torch_backend.worker.PRELOADED", PRELOADED_TO_TRAIN)
    for name, seconds in (
        ("TURN_SECONDS", 0.005),
        ("LOAD_SECONDS", 0.01),
        ("QUICK_SECONDS", 0.05),
        ("DEFAULT_SECONDS", 0.05),
    ):
        monkeypatch.setattr(f"costcalc.torch_backend.measure.{name}", seconds)
    monkeypatch.setitem(time_nets.__kwdefaults__, "seconds", 0.05)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("COSTCALC_STORE", str(tmp_path / "runs.db"))


# ---- one run


def test_networks_are_timed_in_turns():
    points = [point(name) for name in SMALL]
    measure(points, seconds=0.05)
    assert [p.status for p in points] == ["ok", "ok"]
    assert len(points[0].turn_medians) == len(points[1].turn_medians) >= 10
    for p in points:
        assert p.total().low <= p.total().median <= p.total().high
        assert p.total().runs == len(p.times) >= 10
        assert p.measured_peak >= p.inference_peak  # the prediction has no workspace


def test_a_training_step_has_three_parts():
    p = point("lenet5", train=True)
    measure([p], seconds=0.05)
    assert p.parts == ("forward", "backward", "optimizer")
    assert all(len(run) == 3 and min(run) > 0 for run in p.times)


@pytest.mark.parametrize("train", [False, True])
def test_layers_are_timed_each(train):
    p = point("lenet5", train=train)
    measure([p], seconds=0.02, per_layer=True)
    assert [layer.name for layer in p.layers] == [row.name for row in costcalc.load("lenet5").cost().layers][1:]
    assert sum(layer.macs for layer in p.layers) == p.macs
    assert all(layer.forward > 0 for layer in p.layers)
    assert any(layer.backward > 0 for layer in p.layers) is train
    assert p.whole_seconds > 0
    assert p.ceilings.macs_per_second > 1e8


@pytest.mark.parametrize("settings", [{"dtype": "bfloat16"}, {"batch": 3}, {"channels_last": True}, {"threads": 1}])
def test_settings_are_kept(settings):
    batch = settings.get("batch", 1)
    p = point("lenet5", costcalc.load("lenet5", batch=batch).graph(), **settings)
    measure([p], seconds=0.02)
    assert p.ok, p.message
    assert p.threads == settings.get("threads", p.threads)


def test_a_network_is_timed_at_its_own_batch_or_at_those_that_are_said():
    own, other = costcalc.load("lenet5", batch=4), costcalc.load("lenet5")
    assert batches([own, other]) == [("lenet5@batch=4", 4), ("lenet5", 1)]
    assert batches([other], batches=[2, 3, 2]) == [("lenet5", 2), ("lenet5", 3)]
    with pytest.raises(BadSetting, match="lenet5@batch=4 says itself that its batch is 4; leave out --batch"):
        batches([own, other], batches=[1])


def batches(nets, **how):
    points = time_nets(nets, device="cpu", seconds=0.001, **how).measurements
    assert [p.rows[0].output_shape[0] for p in points] == [p.settings.batch for p in points]
    return [(p.target, p.settings.batch) for p in points]


def test_the_bar_does_not_start_again():
    shares = []
    lenet5 = costcalc.load("lenet5")
    time_nets([lenet5], device="cpu", batches=[1, 2], seconds=0.001, progress=lambda s, _: shares.append(s))
    assert shares == sorted(shares)
    assert 0.5 < shares[-1] <= 1


def test_channels_last_of_no_image_are_refused():
    p = point("sigmoid", chain(("sigmoid", ops.Sigmoid()), size=(2, 6)), channels_last=True)
    measure([p], seconds=0.001)
    words = "none of its tensors has channels and an image; leave out --channels-last"
    assert (p.status, p.message) == ("failed", words)


def test_volumes_have_their_channels_last_too():
    graph = chain(("conv", ops.Conv(3, 3)), size=(2, 4, 5, 6, 7))
    runner = Runner(graph, Settings(channels_last=True))
    for tensor in (*runner.inputs, runner.module.conv.weight):
        assert tensor.is_contiguous(memory_format=torch.channels_last_3d)
    runner.run()


def test_a_training_steps_memory_is_the_same_each_time():
    runner = Runner(costcalc.load("lenet5").graph(), Settings(train=True))
    assert measured_peak(runner) == measured_peak(runner)


# ---- what cannot be measured (T26)


@pytest.mark.sized
def test_what_cannot_fit_is_refused_and_the_others_go_on():
    """Three of the points are impossible: they are marked, and all others measured."""
    huge = chain(("fc", ops.Linear(10**6)), size=(1, 10**7))
    points = [point("huge", huge) if i in (1, TIMED // 2, TIMED - 1) else point() for i in range(TIMED)]
    measure(points, seconds=0.001)
    assert [p.status for p in points].count("ok") == TIMED - 3
    refused = [p for p in points if not p.ok]
    assert {p.status for p in refused} == {"refused"}
    assert re.fullmatch(r"needs 36\.4 TiB at least, cpu has .* free", refused[0].message)


def test_what_the_others_are_to_hold_is_not_free(monkeypatch):
    """Networks that are timed in turns are all there at once."""
    points = [point("lenet5") for _ in range(3)]
    needed = points[0].weight_bytes + points[0].predicted_peak
    monkeypatch.setattr("costcalc.torch_backend.measure.free_bytes", lambda device: 2 * needed)
    measure(points, seconds=0.001)
    assert [p.status for p in points] == ["ok", "ok", "refused"]
    assert points[2].message == "needs 282 KiB at least, cpu has 0 B free"


def test_a_child_that_cannot_start_takes_the_others_along(monkeypatch):
    points, made = [point(), point()], []

    def start(self, *_):
        if made:
            raise BlockingIOError("no more processes")
        made.append(self)

    closed = []
    monkeypatch.setattr(WorkerProcess, "__init__", start)
    monkeypatch.setattr(WorkerProcess, "close", lambda self: closed.append(self))
    with pytest.raises(BlockingIOError):
        measure(points, seconds=0.001)
    assert closed == made


def test_a_child_that_is_killed_is_marked(monkeypatch):
    """As by the system when memory is out: the parent notes it and goes on."""
    points = [point(), point()]
    asked = WorkerProcess.ask

    def ask(self, word, *arguments):
        if word == "run" and self.pid == victims[0]:
            os.kill(self.pid, signal.SIGKILL)
        return asked(self, word, *arguments)

    made, victims = WorkerProcess.__init__, []
    monkeypatch.setattr(WorkerProcess, "__init__", lambda self, *a: (made(self, *a), victims.append(self.pid))[0])
    monkeypatch.setattr(WorkerProcess, "ask", ask)
    measure(points, seconds=0.01)
    assert (points[0].status, points[1].status) == ("killed(9)", "ok")
    assert points[0].message == "killed by signal 9, as the system does when it is out of memory"


def test_how_long_a_child_may_be_silent_is_said(monkeypatch):
    silences, made = [], WorkerProcess.__init__
    monkeypatch.setattr(
        WorkerProcess, "__init__", lambda child, *of: made(child, *of) or silences.append(child.timeout)
    )
    assert run(["time", "conv_normal", "--quick", "--timeout", "77"]) == 0
    assert run(["time", "conv_normal", "--quick"]) == 0
    assert silences == [77, 1800]


@pytest.mark.parametrize("timeout", ["0", "-1", "nan", "inf", "1e7"])
def test_a_timeout_that_is_none_is_refused(timeout, capsys):
    assert run(["time", "conv_normal", "--timeout", timeout]) == 2
    assert capsys.readouterr().err == f"error: --timeout {float(timeout):g}: give seconds, 1,000,000 at most\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_child_that_is_killed_while_another_builds_is_marked(monkeypatch):
    """And is none of ours any more when the load of others is read."""
    points, answered, children = [point(), point()], WorkerProcess.answer, []

    def answer(child):
        found = answered(child)
        children.append(child)
        if len(children) == 2:
            children[0].process.kill()
            children[0].process.join()
        return found

    monkeypatch.setattr(WorkerProcess, "answer", answer)
    measure(points, seconds=0.001)
    assert [p.status for p in points] == ["killed(9)", "ok"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_what_was_measured_stays_if_a_closer_look_fails(monkeypatch):
    ask = WorkerProcess.ask

    def asked(child, word, *arguments):
        if word == "memory":
            child.process.kill()
        return ask(child, word, *arguments)

    monkeypatch.setattr(WorkerProcess, "ask", asked)
    found = time_nets([costcalc.load("conv_normal")], device="cpu", seconds=0.001)
    (p,) = found.measured
    assert p.measured_peak is None
    assert (
        found.table()
        .notes[-2]
        .startswith(
            "conv_normal at batch 1, infer, eager, float32, layers and memory were not measured, killed(9): killed by"
        )
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_child_that_hangs_is_given_up_and_the_others_go_on(monkeypatch):
    """T28: as one in a kernel that never ends."""
    points, ask = [point() for _ in range(2)], WorkerProcess.ask

    def asked(child, word, *arguments):
        if word == "run" and child is hanging[0]:
            os.kill(child.pid, signal.SIGSTOP)
            child.timeout = 0.5
        return ask(child, word, *arguments)

    hanging, made = [], WorkerProcess.__init__
    monkeypatch.setattr(WorkerProcess, "__init__", lambda child, *of: hanging.append(child) or made(child, *of))
    monkeypatch.setattr(WorkerProcess, "ask", asked)
    measure(points, seconds=0.001)
    assert [p.status for p in points] == ["timed out", "ok"]
    assert points[0].message == "sent no heartbeat for 0.5 s"


def test_one_that_gives_heartbeat_does_not_hang(monkeypatch):
    ours, theirs = Pipe()
    seconds = iter([0.0, 0.5, 1.5, 1.5, 2.0, 9.0, 9.0])
    monkeypatch.setattr("costcalc.torch_backend.worker.monotonic", lambda: next(seconds))
    alive = _heartbeat(theirs)  # at 0
    for _ in range(4):  # at 0.5, 1.5, 2 and 9
        alive()
    signs = [ours.recv(), ours.recv()]
    assert signs == [("alive", None)] * 2
    assert not ours.poll()
    for message in (*signs, ("ok", "done")):
        theirs.send(message)
    child = object.__new__(WorkerProcess)
    child.pipe, child.timeout = ours, 60
    assert child.answer() == "done"
    assert not ours.poll()


def test_a_child_that_is_killed_while_it_builds_is_marked(monkeypatch):
    points, answered, victims = [point(), point()], WorkerProcess.answer, []

    def answer(self):
        if not victims:
            victims.append(self.pid)
            os.kill(self.pid, signal.SIGKILL)
            self.process.join()
        return answered(self)

    monkeypatch.setattr(WorkerProcess, "answer", answer)
    measure(points, seconds=0.01)
    assert [p.status for p in points] == ["killed(9)", "ok"]


def test_memory_that_runs_out_is_oom(monkeypatch):
    """A limit on the child's memory, as T26 has it."""
    graph = chain(("fc", ops.Linear(20_000)), size=(1, 20_000))  # 1.6 GB of weights
    monkeypatch.setattr("costcalc.torch_backend.measure.free_bytes", lambda device: 2**60)
    p = point("large", graph)
    measure([p], seconds=0.01, memory=2**30)
    assert p.status == "oom", p.message
    assert "memory" in p.message


def test_a_step_that_fails_says_why():
    graph = costcalc.new_graph()
    costcalc.add(graph, "a", ops.Input([2, 3]))
    costcalc.add(graph, "b", ops.Input([2, 3]))
    costcalc.add(graph, "c", ops.Add(), "a", "b")
    p = point("adds", graph, train=True)  # nothing to learn
    measure([p], seconds=0.01)
    assert p.status == "failed"
    assert p.message == "it has no weights to train; leave out --train"


# ---- devices and settings (T27)


def test_there_is_never_another_device_instead(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert find_device("auto").name == "cpu"
    with pytest.raises(NoDevice, match=r"there is no device 'cuda' here \(.*\); known: auto, cpu") as caught:
        find_device("cuda")
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dtype": "float8"}, "unknown dtype 'float8'; known: bfloat16"),
        ({"engine": "cuda_graph"}, "a CUDA graph needs a CUDA device, not cpu"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"device": "cuda:0", "engine": "cuda_graph", "train": True}, "captured for inference only"),
    ],
)
def test_settings_that_cannot_be(settings, words):
    with pytest.raises(BadSetting) as caught:
        Settings(**settings)
    assert words in str(caught.value)


@pytest.mark.parametrize(("device", "told"), [("cuda:1", ["cuda:1"]), ("cpu", [])])
def test_a_gpu_is_the_one_that_events_and_memory_mean(monkeypatch, device, told):
    said = []
    monkeypatch.setattr(torch.cuda, "set_device", said.append)
    configure_torch(Settings(device))
    assert said == told


def test_fingerprints_are_of_the_machine():
    first, again = devices()[-1], devices()[-1]
    assert first.fingerprint == again.fingerprint
    assert re.fullmatch("[0-9a-f]{12}", first.fingerprint)


def test_other_load_is_that_of_others():
    load = BackgroundLoad([])
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        time.sleep(1)
        cores = load.cores()
        busy.kill()
    assert cores > 0.2


BUSY = "import time\nwhile time.process_time() < 0.5: pass\n"
COMPILING = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])\n"


@pytest.fixture
def machine(monkeypatch):
    """One whose cores were busy for a hundred seconds in the one until `clock[0]` is 1: only processes are real."""
    clock, cpu = [0.0], psutil.cpu_times()
    monkeypatch.setattr("costcalc.torch_backend.machine.time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(psutil, "cpu_times", lambda: cpu._replace(user=cpu.user + 100 * clock[0]))
    return clock


@pytest.mark.parametrize("code", [BUSY, COMPILING], ids=["itself", "its child"])
@pytest.mark.parametrize("then", ["is busy", "waits", "has ended"])
def test_what_our_processes_use_is_not_that_of_others(machine, code, then):
    more = "" if then == "has ended" else "print(1, flush=True); input()"
    words = [sys.executable, "-c", f"print(1, flush=True); input()\n{code}{more}"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as ours:
        ours.stdout.readline()
        all_others, others = BackgroundLoad([]), BackgroundLoad([ours.pid])
        machine[0] = 1.0
        ours.stdin.write("\n")
        ours.stdin.flush()
        if then == "is busy":
            looks = iter(range(3000))
            while all_others.cores() - others.cores() < 0.2 and next(looks, None) is not None:
                time.sleep(0.02)
        elif then == "waits":
            ours.stdout.readline()
        else:
            ours.wait()
        used = all_others.cores() - others.cores()
        ours.kill()
    assert used > (0.15 if then == "is busy" else 0.4)


def test_without_torch_every_command_says_what_to_install():
    code = "import sys; sys.modules['torch'] = None; from costcalc.cli import run; sys.exit(run(sys.argv[1:]))"
    for words in (["verify", "lenet5"], ["time", "lenet5"], ["devices"], ["compare", "lenet5", "lenet5", "--time"]):
        said = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
        assert said.returncode == 3
        assert said.stderr == "error: this needs torch: pip install 'costcalc[torch]'\n"
        assert said.stdout == ""


# ---- steady state


def test_warming_up_ends_when_it_gets_no_faster():
    times = iter([5.0] * 5 + [3.0] * 5 + [2.0] * 5 + [1.99] * 5 + [1.0] * 1000)
    assert warm_up(lambda: [next(times)]) == (True, 20)


def test_what_never_settles_is_said_so():
    now = 1.0

    def faster_and_faster():
        nonlocal now
        now *= 0.99
        return [now]

    settled, runs = warm_up(faster_and_faster)
    assert not settled
    assert runs == 200


# ---- memory


def test_the_peak_is_that_of_tensors_still_to_be_read():
    """By hand, elements: x 2·6·13·10 = 1,560 throughout; a 2·4·11·8 = 704; b as many; x + a + b; then a goes."""
    graph = chain(("a", ops.Conv(4, 3)), ("b", ops.ReLU()), ("flat", ops.Flatten()), ("fc", ops.Linear(5)))
    assert peak_activations(graph) == (1560 + 704 + 5 * 2, "fc")


def test_a_shortcut_is_held_until_it_is_added():
    graph = chain(("a", ops.Conv(6, 3, padding=1)), ("b", ops.ReLU()), ("c", ops.Conv(6, 3, padding=1)))
    costcalc.add(graph, "add", ops.Add(), "a", "c")
    # x, a (still wanted by the shortcut), b, c; at the join b is gone: x, a, c, add
    assert peak_activations(graph).elements == 4 * 1560


# ---- the command


def test_the_command_prints_who_is_faster_or_that_it_cannot_tell(capsys):
    assert run(["time", "inception_naive", "inception_bottleneck", "--quick", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [p["target"] for p in found["points"]] == ["inception_naive", "inception_bottleneck"]
    assert found["points"][0]["macs"] == 120_422_400
    told = r"inception_\w+ is .* times as fast as inception_\w+ at batch 1, .* with 9\.68 times (fewer|more) multiplies"
    assert re.fullmatch(
        told + r"|.* cannot be told apart .*|no verdict on .*: other processes used .* cores", found["verdicts"][0]
    )


def test_what_was_timed_is_kept(capsys, tmp_path):
    words = ["time", "lenet5", "conv_normal", "--quick", "--batch", "1,2", "--store", str(tmp_path / "mine.db")]
    assert run(words) == 0
    from costcalc.store import Store, graph_hash

    kept = Store(str(tmp_path / "mine.db")).rows()
    assert [(record.target, record.settings["batch"]) for record in kept] == [
        ("lenet5", 1), ("conv_normal", 1), ("lenet5", 2), ("conv_normal", 2),
    ]  # fmt: skip
    first = kept[0]
    assert first.graph_hash == graph_hash(costcalc.load("lenet5").graph())
    assert first.result["macs"] == 416_520
    assert first.result["seconds_low"] <= first.seconds <= first.result["seconds_high"]
    assert first.environment["torch"] == torch.__version__
    assert kept[2].result["input_shape"] == [2, 1, 32, 32]


def test_a_store_that_cannot_be_used_is_named_before_anything_is_timed(capsys, tmp_path):
    (tmp_path / "runs.db").write_bytes(b"no database at all, and it stays as it is")
    assert run(["time", "conv_normal", "--quick"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "runs.db" in err
    assert (tmp_path / "runs.db").read_bytes().startswith(b"no database")


def test_times_are_shown_even_if_they_cannot_be_kept(capsys, monkeypatch):
    def full(self, record):
        raise StoreError("no room left")

    monkeypatch.setattr("costcalc.store.Store.add", full)
    assert run(["time", "conv_normal", "--quick"]) == 3
    out, err = capsys.readouterr()
    assert "conv_normal" in out
    assert err == "error: no room left\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [("--tf32", "TF32 is an arithmetic of CUDA devices"), ("--threads 9999", "--threads 9999: ")],
)
def test_what_measures_nothing_is_refused(capsys, words, message):
    assert run(["time", "conv_normal", "--device", "cpu", *words.split()]) == 2
    assert message in capsys.readouterr().err


def test_a_csv_of_times_has_numbers(capsys):
    assert run(["time", "conv_normal", "--quick", "--format", "csv"]) == 0
    (row,) = csv.DictReader(capsys.readouterr().out.splitlines())
    assert float(row["ms"]) > 0
    assert float(row["per_second"]) == pytest.approx(1000 / float(row["ms"]))
    assert int(row["weights"]) == 4 * 135


def test_a_csv_of_training_has_a_row_for_each_network(capsys):
    assert run(["time", "conv_normal", "--quick", "--train", "--format", "csv"]) == 0
    (row,) = csv.DictReader(capsys.readouterr().out.splitlines())
    assert float(row["low"]) <= float(row["ms"]) <= float(row["high"])
    assert 0 < sum(float(row[part]) for part in ("forward", "backward", "optimizer")) < 2 * float(row["high"])


def test_multiplies_of_training_are_those_of_both_passes():
    points = [point(name, train=True) for name in ("conv_normal", "conv_depthwise_separable")]
    measure(points, seconds=0.001)
    for p in points:
        p.other_cores, p.turn_medians = 0.0, [2.0 - (p is points[1])] * 10
    assert points[0].step_macs == 2 * points[0].macs  # the input of its one layer wants no gradient
    share = points[0].step_macs / points[1].step_macs
    assert verdict(*points).endswith(f", with {share:.2f} times fewer multiplies, forward and backward")


def test_two_networks_of_equal_times_cannot_be_told_apart():
    points = [point(name) for name in ("conv_normal", "conv_depthwise_separable")]
    for p in points:
        p.turn_medians = [1.0] * 10
    told = "conv_normal and conv_depthwise_separable cannot be told apart at batch 1, infer, eager, float32"
    assert verdict(*points) == f"{told} (ratio 1.00, 95 %: 1.00 to 1.00)"


def test_layers_say_what_holds_them_back_and_how_they_were_run():
    p = point()
    measure([p], seconds=0.001, per_layer=True)
    rows = layer_table(p).to_records()
    assert [layer_record(layer, p)["bound"] for layer in p.layers] == [row["bound"] for row in rows]
    assert layer_table(p).title == "layers of conv_normal at batch 1, infer, eager, float32"
    p.settings, p.layers_other_cores = Settings(engine="compile"), 0.7
    assert layer_table(p).title == "layers of conv_normal at batch 1, infer, compile, float32"
    assert layer_table(p).notes[-2:] == [
        "one by one, layers are run eagerly: only the whole is as its title says",
        "these times are noisy: other processes used 0.7 cores",
    ]


def test_nothing_is_said_of_what_was_measured_under_load(monkeypatch, capsys):
    monkeypatch.setattr("costcalc.torch_backend.measure.BackgroundLoad.cores", lambda self: 1.5)
    assert run(["time", "conv_normal", "lenet5", "--quick", "--format", "json"]) == 0
    (verdict,) = json.loads(capsys.readouterr().out)["verdicts"]
    assert verdict == (
        "no verdict on conv_normal and lenet5 at batch 1, infer, eager, float32: other processes used 1.5 cores"
    )


@pytest.mark.parametrize("command", ["time conv_normal lenet5 --quick", "compare conv_normal lenet5 --time"])
def test_under_load_one_line_says_so_and_the_store_says_why(command, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("costcalc.torch_backend.measure.BackgroundLoad.cores", lambda self: 1.5)
    monkeypatch.setenv("COSTCALC_STORE", str(tmp_path / "mine.db"))
    assert run(command.split()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if re.search("verdict|believe|busy|noisy:|cores", line)] == [
        "not believed: the machine is busy; see `costcalc runs show 1` (and 2)"
    ]
    assert run(["runs", "show", "2"]) == 0
    assert "other processes used 1.5 cores" in capsys.readouterr().out


def test_noise_is_one_line_beside_the_verdict():
    points = [point("conv_normal"), point("conv_depthwise_separable")]
    for p, seconds in zip(points, (2.0, 1.0), strict=True):
        p.times, p.turn_medians = [[seconds * (1 + 9 * (i % 2))] for i in range(20)], [seconds] * 20
    told = Timing(find_device("cpu"), {}, tuple(points)).table().notes
    assert told[0].startswith("conv_depthwise_separable is 2.00 times as fast as conv_normal")
    assert told[1:-1] == ["noisy: conv_normal, conv_depthwise_separable; time again when nothing else runs"]


def test_what_a_comparison_could_not_time_says_why(capsys, tmp_path):
    path = tmp_path / "big.yaml"
    path.write_text("name: big\ntitle: t\nsource: s\ninput: [1, 10000000]\nlayers: [linear: {features: 1000000}]\n")
    assert run(["compare", str(path), str(path), "--time"]) == 3
    assert re.search(r"was not timed, refused: needs 36\.4 TiB at least, (cpu|cuda:0) has", capsys.readouterr().out)


def test_a_comparison_is_timed_at_the_batch_it_counts(capsys):
    words = ["compare", "conv_normal", "conv_depthwise_separable", "--set", "batch=4", "--time", "-f", "json"]
    assert run(words) == 0
    assert {point["settings"]["batch"] for point in json.loads(capsys.readouterr().out)["time"]["points"]} == {4}


def test_strict_fails_on_noise(monkeypatch, capsys):
    monkeypatch.setattr("costcalc.torch_backend.measure.BackgroundLoad.cores", lambda self: 1.5)
    assert run(["time", "conv_normal", "--quick", "--strict"]) == 1
    assert "noisy\n" in capsys.readouterr().out


def test_counts_and_times_stand_in_one_table(capsys):
    assert run(["compare", "inception_naive", "inception_bottleneck", "--time", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [point["target"] for point in found["time"]["points"]] == ["inception_naive", "inception_bottleneck"]
    assert found["time"]["points"][0]["seconds"]["runs"] >= 10


@pytest.mark.parametrize("batch", ["0", "1,", "x", "1,-2", "9" * 20])
def test_bad_batches_are_refused(batch, capsys):
    assert run(["time", "lenet5", "--batch", batch]) == 2
    assert "give whole numbers from 1, as in 1,32" in capsys.readouterr().err


TWO_SECONDS = 20  # that is what they are on a machine with nothing else to do


def has_ended(process):
    """Whether it is gone, or only waits for its parent to hear of it."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.sized
@pytest.mark.parametrize("number", range(INTERRUPTS))
def test_ctrl_c_leaves_no_child_behind(number):
    """T28: 130 as a shell sees it, and no orphan two seconds later, whenever it comes."""
    words = [sys.executable, "-m", "costcalc", "time", "lenet5", "resnet18", "--batch", "1,8"]  # 12 s and more
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # what a shell runs in the background is deaf to it
    timing = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, preexec_fn=heard, start_new_session=True)
    here = psutil.Process(timing.pid)
    deadline = time.monotonic() + 60
    while len(here.children(recursive=True)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(random.Random(number).uniform(0, 4) if number else 0)
    children = here.children(recursive=True)
    assert children
    (os.kill if number % 2 else os.killpg)(timing.pid, signal.SIGINT)  # a terminal tells the whole group
    # the signal itself is what a process ends by if it came within an exec("…"), as dataclasses have
    assert timing.wait(60) in (130, -signal.SIGINT)
    assert timing.stderr.read() == "interrupted\n"
    _, alive = psutil.wait_procs(children, timeout=TWO_SECONDS)
    assert not [child for child in alive if not has_ended(child)]


def test_a_killed_parent_takes_its_children_along():
    code = (
        "import costcalc, time; from costcalc.torch_backend.worker import WorkerProcess; "
        "from costcalc.torch_backend.settings import Settings\n"
        "child = WorkerProcess(costcalc.load('lenet5').graph(), Settings()); child.answer()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    psutil.wait_procs([child], timeout=TWO_SECONDS)
    assert has_ended(child)


def test_a_process_whose_parent_is_the_first_of_all_goes_on(monkeypatch):
    """As in a container that runs `costcalc time` and nothing else."""
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr("ctypes.CDLL", Mock())
    monkeypatch.setattr(os, "getppid", lambda: 1)
    die_with_parent()
    assert not ended
    monkeypatch.setattr(os, "getppid", Mock(side_effect=[7, 1]))  # it ended in between
    die_with_parent()
    assert ended == ([1] if sys.platform == "linux" else [])


UNGUARDED = """
import costcalc
from costcalc.torch_backend import time_nets
found = time_nets([costcalc.load("lenet5")], device="cpu", seconds=0.01)
print(__name__, [measurement.status for measurement in found.measurements])
"""


def test_a_script_is_run_once(tmp_path):
    """Whether or not it asks for its own name."""
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("__main__ ['ok']\n", "")


OWN_OP = """
import costcalc
from costcalc import ops
from costcalc.torch_backend import MODULES, time_nets
from torch import nn

@ops.op
class Squared(ops.Pointwise):
    output = ops.computed(inplace=False, overwritable=False)
    elementwise = ops.per_element(1)
    train_elementwise = ops.gradient_per_element(2)
    keeps = ops.keeps_input

MODULES["squared"] = lambda op, x: nn.ReLU()

if __name__ == "__main__":
    (point,) = time_nets([costcalc.load("own.yaml")], device="cpu", seconds=0.01).measurements
    print(point.status, point.message)
"""


def test_a_script_with_an_op_of_its_own_is_run_where_that_is_timed(tmp_path):
    (tmp_path / "script.py").write_text(OWN_OP)
    (tmp_path / "own.yaml").write_text("name: own\ntitle: t\nsource: s\ninput: [3, 8, 8]\nlayers: [squared]\n")
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("ok \n", "")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (EOFError("no more"), ("failed", "EOFError: no more")),  # as a pipe raises it when its other end is closed
        (BrokenPipeError("no more"), ("failed", "BrokenPipeError: no more")),
        (ValueError("no more"), ("failed", "ValueError: no more")),
        (ValueError(), ("failed", "ValueError while it ran")),
        (MemoryError("no more"), ("oom", "MemoryError: no more")),
        (MemoryError(), ("oom", "out of memory while it ran")),
    ],
)
def test_an_error_of_the_work_is_told(monkeypatch, error, told):
    """Or, where it has no words, what was being done."""
    monkeypatch.setattr("costcalc.torch_backend.worker._requests", lambda *_: {"run": Mock(side_effect=error)})
    monkeypatch.setattr("costcalc.torch_backend.worker.die_with_parent", lambda: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    pipe = Mock(recv=Mock(side_effect=[("run", ()), EOFError]))
    _serve(pipe, None, Settings(), None)
    assert [call.args[0] for call in pipe.send.mock_calls] == [("ok", None), told]


def test_a_child_that_has_not_ended_is_not_said_to_have():
    child = WorkerProcess.__new__(WorkerProcess)
    child.process = Mock(exitcode=None)
    assert str(child.cause_of_death()) == "closed its pipe, and has not ended"


def test_what_is_lost_is_an_error_of_one_child():
    assert not issubclass(WorkerDied, CostcalcError)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.gpu
@pytest.mark.parametrize("engine", ["eager", "compile", "cuda_graph"])
def test_on_a_gpu(engine):
    p = point("resnet18", device="cuda:0", engine=engine, dtype="bfloat16")
    measure([p], seconds=0.2)
    assert p.ok, p.message
    assert engine != "eager" or p.measured_peak <= 1.05 * p.inference_peak
    assert (p.measured_peak is None) == (engine == "cuda_graph")


def test_what_a_step_holds_besides_weights_and_optimizer_is_predicted():
    assert point("lenet5").predicted_peak == point("lenet5").inference_peak > 0
    parts = costcalc.memory("lenet5", train=True, optimizer="adam").parts
    between = sum(parts[kind] for kind in ("weights", "buffers", "optimizer"))
    graph = costcalc.load("lenet5").with_step(costcalc.TrainStep("adam")).graph()
    assert point("lenet5", graph, train=True).predicted_peak == sum(parts.values()) - between
