"""T8 and T12: repeats are multiplied, not written out; what is large but valid takes time in proportion."""

import json
import subprocess
import sys
from pathlib import Path

from confined import confined

QUIETLY: dict = {"capture_output": True, "text": True, "timeout": 60, "check": False}
HEAD = "name: x\ntitle: t\nsource: s\ninput: [3, 8, 8]\nlayers:\n"
REPEAT = "  - repeat: {{times: {0}, layers: [{1}]}}"


def nested(*times, inside="relu"):
    for count in times:
        inside = f"repeat: {{times: {count}, layers: [{inside}]}}"
    return f"{HEAD}  - {inside}"


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
        f"{HEAD}{REPEAT.format(99_000, 'relu')}\n{REPEAT.format(99_000, 'relu')}",
        nested(2**31 + 1),
        nested(-1),
        nested(0.5),
        nested(*[2] * 10, inside="add: [[], [" + ", ".join(["relu"] * 1000) + "]]"),
    ]
    outcomes = confined("count", cases, megabytes=100)
    assert [found.kind for found in outcomes] == ["refused"] * len(cases)
    assert max(found.seconds for found in outcomes) < 0.05
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
    outcomes = confined("count", cases, seconds=20)
    assert [found.kind for found in outcomes] == ["ok"] * len(cases)
    assert max(found.seconds for found in outcomes) < 0.5


def large(layers):
    """A spec of so many layers, about 54 bytes each, some of them in branches."""
    unit = (
        "  - conv: {channels: 16, kernel: 3, padding: 1, bias: false}\n"
        "  - batch_norm\n  - relu\n"
        "  - add: [[], [linear: {features: 8, name: a, when: true}]]\n"
        "  - depthwise: {kernel: 3, stride: 1, padding: same, dilation: 1, multiplier: 1, bias: false, when: 3 > 2}\n"
    )
    return HEAD + "".join(unit.replace("name: a", f"name: linear_of_unit_{i}") for i in range(layers // 6))


CHILD = """
import json, sys, time
from confined import peak_megabytes
from costcalc.analysis.cost import cost
from costcalc.spec.bind import bind, resolve
from costcalc.spec.parse import parse_text
text = sys.stdin.read()
start = time.process_time()
spec = parse_text(text, "large.yaml", max_bytes=10_000_000)
total = cost(bind(spec, resolve(spec, {}), max_layers=200_000))
seconds = time.process_time() - start
print(json.dumps([len(total.layers), total.macs, seconds, peak_megabytes()]))
"""


def test_t12_a_hundred_thousand_layers():
    found = {}
    for layers in (10_002, 100_002):
        text = large(layers)
        ran = subprocess.run([sys.executable, "-c", CHILD], input=text, cwd=Path(__file__).parent, **QUIETLY)
        assert ran.returncode == 0, ran.stderr
        count, macs, seconds, megabytes = json.loads(ran.stdout)
        found[layers] = seconds
        assert count == layers + 1
        assert macs > 0
    assert len(text) > 4_500_000
    assert seconds <= 20
    assert megabytes <= 1024
    assert found[100_002] / found[10_002] <= 12


def test_t12_the_limits_are_raised_by_flags(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(large(30_000), encoding="utf-8")
    command = [sys.executable, "-m", "costcalc", "validate", str(path)]
    ran = subprocess.run(command, **QUIETLY)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"{path}:1:1: more than 1,000,000 bytes; raise the limit with --max-bytes\n"
    command += ["--max-bytes", "6000000"]
    ran = subprocess.run([*command, "--max-layers", "29999"], **QUIETLY)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "expands to more than 29,999 layers; raise the limit with --max-layers" in ran.stderr
    ran = subprocess.run(command, **QUIETLY)
    assert ran.returncode == 0
    assert ran.stdout.startswith(f"{path}: ok (30,000 layers, ")
