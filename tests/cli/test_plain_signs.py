"""A console that lacks the signs of the field gets plain ones, and no number is lost."""

import os
import re
import subprocess
import sys

import pytest

from costcalc.cli.plain_signs import HANDLER, PLAIN


@pytest.mark.parametrize(
    ("text", "encoding", "plain"),
    [
        ("÷9.68, ×5.64", "ascii", "/9.68, x5.64"), ("28×28×32", "cp437", "28x28x32"), ("×", "cp1252", "×"),
        ("⌈r/2⌉² · w", "ascii", "ceil(r/2)^2 * w"), ("≤ 3 → 4 …", "ascii", "<= 3 -> 4 ~"),
        ("█▌▁", "ascii", "#-."), ("日", "ascii", "\\u65e5"),
        ("é×日÷", "ascii", "ex\\u65e5/"),
    ],
)  # fmt: skip
def test_a_sign_that_is_lacking_is_a_plain_one(text, encoding, plain):
    assert text.encode(encoding, HANDLER).decode(encoding) == plain


def test_plain_signs_are_ascii():
    assert all(sign.isascii() and not re.search("[0-9]", sign.strip("^_0123456789")) for sign in PLAIN.values())


def test_the_command_prints_plain_signs_where_it_must():
    words = ["compare", "conv1x1", "lenet5", "--columns", "target,macs,ratio"]
    code = f"import sys; sys.stdout.isatty = lambda: True; from costcalc.cli.app import run; run({words})"
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=env)
    assert done.returncode == 0, done.stderr
    assert b"/11.56" in done.stdout and b"\\xf7" not in done.stdout
