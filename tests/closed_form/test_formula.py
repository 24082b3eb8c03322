"""Closed forms: filled in they are the counts, exactly, for every network of the library; and they read well."""

import cProfile
import re
import signal
import subprocess
import sys
from fractions import Fraction
from threading import Thread

import pytest
import sympy
from support.confined import calls
from support.formulas import SPECS, net_of
from support.hostile import BLOW_UPS, with_knobs
from support.sizes import size

from costcalc import load
from costcalc.analysis.closed_form.deadline import time_limit
from costcalc.analysis.closed_form.derive import derive
from costcalc.analysis.cost import TOTALS
from costcalc.dims import ceil, floor, gcd, maximum, minimum, round_to, size_symbol
from costcalc.dims.substitute import substitute
from costcalc.errors import CostcalcError, ShapeError, UnknownName, UsageError
from costcalc.spec.library import entries

PRESETS = [entry.name for entry in entries() if entry.kind == "preset"]
r, s, w = size_symbol("r"), size_symbol("s"), size_symbol("w", real=True)


def points(net):
    """Settings of the free knobs, presets among them, at which the network can be built."""
    free = [name for name, knob in net.knobs.items() if knob.is_size and name not in net.settings]
    moves = [{}]
    for name in free:
        here = net.values[name]
        steps = [here + 1, here + 3, 2 * here, here - 1] if isinstance(here, int) else []
        if net.knobs[name].kind == "real":
            steps = [Fraction(1, 2), Fraction(3, 4), Fraction(5, 4), 2]
        moves += [{name: step} for step in steps]
    moves.append({name: net.values[name] * 2 for name in free if name in ("r", "batch", "n", "w")})
    moves += [{**preset.settings} for preset in net.presets.values() if preset.settings.keys() <= {*free}]
    for move in moves:
        try:
            yield move, net.with_knobs(**move).cost()
        except CostcalcError:
            continue


@pytest.mark.no_cover
@pytest.mark.sized
@pytest.mark.parametrize("name", size(SPECS, [*SPECS, *PRESETS]))
def test_a_formula_filled_in_is_the_count(name):
    net = net_of(name)
    formulas = {metric: derive(net, metric) for metric in TOTALS}
    tried = 0
    for move, cost in points(net):
        for metric, formula in formulas.items():
            assert formula(**move) == cost.total(metric), (metric, move)
            assert sum(substitute(part.expression, {**formula.knobs, **move}) for part in formula.parts) == cost.total(
                metric
            )
            assert substitute(formula.total, {**formula.knobs, **move}) == cost.total(metric)
        tried += 1
    assert tried >= 4


@pytest.mark.parametrize("name", SPECS)
def test_net_formula_is_a_sympy_expression_of_the_free_knobs(name):
    net = net_of(name)
    expression = net.formula("macs").expression
    assert {letter.name for letter in expression.free_symbols} <= {n for n, k in net.knobs.items() if k.is_size}
    letters = {letter: sympy.Rational(str(net.values[letter.name])) for letter in expression.free_symbols}
    assert expression.subs(letters) == net.cost().macs


def test_knobs_that_are_set_are_no_letters():
    assert {x.name for x in load("mobilenet_v1@w=0.5").formula("params").expression.free_symbols} == {"classes"}
    assert str(load("mobilenet_v1@w=0.5").formula("params").expression) == "513*classes + 818592"
    assert {x.name for x in load("resnet152").formula("macs").expression.free_symbols} == {"r", "classes", "batch"}


def test_efficientnet_is_derived_once_and_gives_all_eight():
    formula, params = derive(net_of("efficientnet"), "macs"), derive(net_of("efficientnet"), "params")
    c7 = round_to(192 * w, 8)
    assert formula.expression.has(ceil(4 * size_symbol("d", real=True)))
    assert formula.expression.has(c7)
    text = str(formula.table().texts(formula.table().rows[6])) + " ".join(formula.lines())
    assert "ceil(4*d)" in text
    assert "c7 = round_to(192*w, 8)" in text
    for i in range(8):
        preset = load(f"efficientnet_b{i}")
        assert formula(**preset.settings) == preset.cost().macs
        assert params(**preset.settings) == preset.cost().params


@pytest.mark.parametrize(
    ("target", "metric", "text"),
    [
        ("conv_normal", "macs", "batch·f²·n_c·n_c'·(n − f + 1)²"),
        ("residual_block", "macs", "2·batch·c²·k²·r²"),
        ("inception_bottleneck", "macs", "batch·r²·b·(k²·c_out + c_in)"),
        ("lenet5", "macs",
         "batch·(25·c1·c_in·(r − 4)² + 25·c1·c2·(floor(r/2) − 6)² + 120·c2·(floor(r/4) − 3)² + 84·classes + 10,080)"),
        ("resnet50", "macs",
         "batch·(9,408·ceil(r/2)² + 245,760·ceil(r/4)² + 1,310,720·ceil(r/8)² + 7,471,104·ceil(r/16)²"
         " + 14,417,920·ceil(r/32)² + 2,048·classes)"),
        ("resnet", "params", "2,049·classes + 70,400·n2 + 280,064·n3 + 1,117,184·n4 + 4,462,592·n5 + 2,085,696"),
        ("conv1x1", "norm", "0"),
    ],
)  # fmt: skip
def test_it_reads_as_one_would_write_it(target, metric, text):
    assert derive(net_of(target), metric).text == text


@pytest.mark.parametrize("name", SPECS)
def test_no_rounding_stands_inside_a_rounding_of_the_same_letters(name):
    for metric in ("macs", "elementwise", "activations"):
        for atom in net_of(name).formula(metric).expression.atoms(sympy.floor, sympy.ceiling):
            assert not atom.args[0].atoms(sympy.floor, sympy.ceiling), atom


def test_terms_are_the_blocks_and_sum_to_the_total():
    formula = derive(net_of("resnet"), "macs")
    assert [part.name for part in formula.parts] == ["conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "fc"]
    folds = {block.name: block.costs["macs"] for block in net_of("resnet").cost().fold(1)}
    assert all(substitute(part.expression, formula.knobs) == folds[part.name] for part in formula.parts)


def test_an_unknown_metric_is_named_with_a_hint():
    with pytest.raises(UnknownName, match="unknown metric 'parms'; did you mean 'params'"):
        load("lenet5").formula("parms")


def test_an_unknown_knob_is_named_with_a_hint():
    with pytest.raises(UnknownName, match="unknown knob 'clases'; did you mean 'classes'"):
        derive(net_of("lenet5"))(clases=3)


# ---- filling in

d = size_symbol("d", real=True)
CASES = [
    (floor(w * 7 + Fraction(1, 3)), lambda r, s, w: (w * 7 + Fraction(1, 3)) // 1),
    (ceil(3 * w), lambda r, s, w: -(-3 * w // 1)),
    (round_to(20 * w, 8), lambda r, s, w: round_to(20 * w, 8)),
    (maximum(r, 3 * s), lambda r, s, w: max(r, 3 * s)),
    (minimum(r, 3 * s), lambda r, s, w: min(r, 3 * s)),
    (gcd(r, s), lambda r, s, w: gcd(r, s)),
    (r / s + w**2 - 5, lambda r, s, w: Fraction(r, s) + w**2 - 5),
    ((r - 4) ** 3 * (s + 1), lambda r, s, w: (r - 4) ** 3 * (s + 1)),
]


@pytest.mark.parametrize(("formula", "by_hand"), CASES, ids=[str(formula) for formula, _ in CASES])
@pytest.mark.parametrize("values", [(1, 1, Fraction(1, 5)), (12, 8, Fraction(7, 4)), (2**70, 3**50, Fraction(2))])
def test_filling_is_exact(formula, by_hand, values):
    at = dict(zip("rsw", values, strict=True))
    assert substitute(formula, at) == by_hand(**at)
    assert isinstance(substitute(formula, at), int | Fraction)
    assert sympy.sympify(formula).subs({size_symbol("r"): at["r"], s: at["s"], w: sympy.Rational(str(at["w"]))}) == (
        sympy.Rational(str(substitute(formula, at)))
    )


def test_a_letter_without_a_value_is_an_error():
    with pytest.raises(UsageError, match="no value for 's'"):
        substitute(r * s, {"r": 3})


def test_a_division_by_zero_is_an_error():
    with pytest.raises(ShapeError, match="divides by zero"):
        substitute(1 / (r - 3), {"r": 3})


# ---- speed and size (threat T11)


@pytest.mark.parametrize("name", ["resnet152", "efficientnet", "googlenet", "mobilenet_v2"])
def test_a_closed_form_is_no_more_work_than_it_was(name):
    """Calls of functions, twice what they were; `tests/benchmarks/speed.py` has the half second."""
    with cProfile.Profile() as profile:
        load(name).formula("macs")
    assert calls(profile) < 1_500_000


@pytest.fixture
def path(tmp_path):
    """A file for a spec."""
    return tmp_path / "x.yaml"


@pytest.mark.parametrize("name", BLOW_UPS)
def test_t11_a_blow_up_is_refused(name, path):
    """For its size, or on a slow machine as the time is up; `tests/benchmarks/speed.py` has the seconds."""
    path.write_text(BLOW_UPS[name])
    words = [sys.executable, "-m", "costcalc", "formula", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.search("is too large(: not done after| a formula to work with); set some of its", done.stderr)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", BLOW_UPS)
def test_t11_a_blow_up_is_little_work(name, path):
    """However slow the machine: a size that grows too large is seen when it does, not when the time is up."""
    path.write_text(BLOW_UPS[name])
    with cProfile.Profile() as profile, pytest.raises(CostcalcError, match="is too large a formula to work with"):
        derive(load(str(path)))
    assert calls(profile) < 10_000_000


@pytest.mark.parametrize("blocks", [50, 67, 333])
def test_t11_long_networks_have_a_closed_form(blocks, path):
    """152, 201 and 1,000 layers, each of its own width and every hundredth with a stride."""
    layers = [
        f"  - conv: {{name: c{i}, channels: {i % 50 + 1}, kernel: 3, stride: {1 if i % 100 else 2}, padding: 1}}\n"
        for i in range(3 * blocks)
    ]
    path.write_text(with_knobs("r: 4096", [], layers))
    net = load(str(path))
    with cProfile.Profile() as profile:
        formula = derive(net)
        assert formula(r=4097) == net.with_knobs(r=4097).cost().macs
        assert len(formula.table().rows) == 3 * blocks
    assert calls(profile) < 4_000_000


@pytest.fixture
def looks(monkeypatch):
    """The times when work looked at its clock, which is 0.05 s further at each."""
    times = []
    monkeypatch.setattr("costcalc.analysis.closed_form.deadline.monotonic", lambda: times.append(0) or len(times) / 20)
    return times


def test_t11_work_without_end_is_ended_at_the_deadline(path, looks):
    """Or when the alarm rings, if that is before."""
    path.write_text(BLOW_UPS["strides"])
    net = load(str(path))
    with pytest.raises(
        CostcalcError, match=r"too large: not done after 0.2 s; set some of its knobs \(r, s, k, batch\)"
    ):
        derive(net, seconds=0.2)
    assert len(looks) <= 6


def test_t11_work_in_a_thread_has_no_alarm_and_ends_all_the_same(path, looks):
    path.write_text(BLOW_UPS["strides"])
    net, said = load(str(path)), []

    def work():
        try:
            derive(net, seconds=0.2)
        except CostcalcError as error:
            said.append(str(error))

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert len(said) == 1
    assert "not done after 0.2 s" in said[0]
    assert len(looks) == 6  # the first set the deadline, the sixth is 0.25 s later


NEVER_ASKS = """
import signal
from costcalc.analysis.closed_form.deadline import time_limit
from costcalc.errors import CostcalcError

def forever():
    while True:
        try:
            sum(range(100))
        except Exception:  # sympy has such places
            continue

try:
    with time_limit(0.1, "late"):
        forever()
except CostcalcError as error:
    print(error, signal.getsignal(signal.SIGALRM) == signal.SIG_DFL, signal.getitimer(signal.ITIMER_REAL))
"""


def test_an_alarm_ends_what_never_asks_and_leaves_no_trace():
    """In a process of its own: under a tracer, coverage's for one, no alarm is set."""
    done = subprocess.run([sys.executable, "-c", NEVER_ASKS], capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.stderr) == ("late True (0.0, 0.0)\n", "")


def test_under_a_tracer_no_alarm_is_set_that_could_leave_its_lock_held():
    before = sys.gettrace()
    sys.settrace(before or (lambda *event: None))
    try:
        with time_limit(5, "late"):
            assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    finally:
        sys.settrace(before)


def test_an_alarm_of_someone_else_is_left_alone():
    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    try:
        with time_limit(5, "late"):
            assert signal.getsignal(signal.SIGALRM) == signal.SIG_IGN
            assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    finally:
        signal.signal(signal.SIGALRM, before)
