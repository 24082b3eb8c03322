"""T8 and T12: repeats are multiplied, not written out; what is large but valid is work in proportion."""

import json
import subprocess
import sys

import pytest
from support.confined import confined
from support.hostile import LAYERS, large, nested
from support.paths import TESTS
from support.sizes import size

LAYERS_OF_LARGE = size(12_000, 100_002)  # six kinds of layers
QUIETLY: dict = {"capture_output": True, "text": True, "timeout": 300, "check": False}


def test_t8_repeats_beyond_the_limit_are_refused_at_once():
    cases = [
        nested(10**9),
        nested(2**31),
        nested(1000, 1000, 1000),
        nested(*[2**31] * 10),
        nested(100_001),
        nested("1000*1000"),
        nested(10**9, inside="conv: {channels: 3, kernel: 3}"),
        nested(10**5, inside="concat: [[], []]"),
        nested(99_000) + "\n" + nested(99_000).removeprefix(LAYERS),
        nested(2**31 + 1),
        nested(-1),
        nested(0.5),
        nested(*[2] * 10, inside="add: [[], [" + ", ".join(["relu"] * 1000) + "]]"),
    ]
    outcomes = confined("count", cases, megabytes=100)
    assert [found.kind for found in outcomes] == ["refused"] * len(cases)
    assert max(found.calls for found in outcomes) < 20_000
    assert outcomes[0].text == (
        "hostile.yaml:6:5: repeats make 1,000,000,000 layers; at most 100,000; raise the limit with --max-layers"
    )
    assert "repeats make 1,000,000,000 layers" in outcomes[2].text
    assert "repeats make more than 10^93 layers" in outcomes[3].text


def test_t8_repeats_that_change_the_shape_are_walked_once_for_each_copy():
    deep = [1] * 9
    cases = [
        nested(*deep, inside="upsample: 2"),
        nested(*[2] * 9, inside="upsample: 1"),
        nested(30_000, inside="conv: {channels: 3, kernel: 1}"),
        nested(*[3] * 8, inside="channel_pad: {channels: 3}"),
        nested(2, 2, 2, 2, inside="concat: [[], []]"),
    ]
    outcomes = confined("count", cases)
    assert [found.kind for found in outcomes] == ["ok"] * len(cases)
    assert max(found.calls for found in outcomes) < 20_000


CHILD = """
import cProfile, json, sys
from contextlib import nullcontext
from support.confined import calls, peak_megabytes
from costcalc.analysis.cost import cost
from costcalc.spec.bind import bind, resolve
from costcalc.spec.parse import parse_text
text, profile = sys.stdin.read(), cProfile.Profile()
with profile if sys.argv[1] == "calls" else nullcontext():
    spec = parse_text(text, "large.yaml", max_bytes=10_000_000)
    total = cost(bind(spec, resolve(spec, {}), max_layers=200_000))
print(json.dumps([len(total.layers), total.macs, calls(profile), peak_megabytes()]))
"""


def counted(layers, what):
    """The calls of functions that counting so many layers takes, or the MB."""
    words = [sys.executable, "-c", CHILD, what]
    ran = subprocess.run(words, input=large(layers), cwd=TESTS, **QUIETLY)
    assert ran.returncode == 0, ran.stderr
    count, macs, made, megabytes = json.loads(ran.stdout)
    assert count == layers + 1
    assert macs > 0
    return made if what == "calls" else megabytes


@pytest.mark.sized
def test_t12_a_hundred_thousand_layers_need_less_than_half_a_gigabyte():
    """Of layers that have fields and names; tests/cli/test_large.py has plain ones."""
    few, many = counted(600, "megabytes"), counted(LAYERS_OF_LARGE, "megabytes")
    assert (many - few) * 2**20 / LAYERS_OF_LARGE <= 3_500


def test_t12_ten_times_the_layers_are_ten_times_the_work():
    """`tests/benchmarks/speed.py` has the seconds, of up to 100,000 layers."""
    few, many = counted(300, "calls"), counted(3_000, "calls")
    assert many / few <= 10.1
    assert many / 3_000 <= 400


def test_t12_the_limits_are_raised_by_flags(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(large(1_998) + f"# {'so many layers take a megabyte':998}\n" * 1000, encoding="utf-8")
    command = [sys.executable, "-m", "costcalc", "validate", str(path)]
    ran = subprocess.run(command, **QUIETLY)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"{path}:1:1: more than 1,000,000 bytes; raise the limit with --max-bytes\n"
    command += ["--max-bytes", "6000000"]
    ran = subprocess.run([*command, "--max-layers", "1997"], **QUIETLY)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "expands to more than 1,997 layers; raise the limit with --max-layers" in ran.stderr
    ran = subprocess.run(command, **QUIETLY)
    assert ran.returncode == 0
    assert ran.stdout.startswith(f"{path}: ok (1,998 layers, ")
