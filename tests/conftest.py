"""What tests of several rooms check alike."""

import shlex

import pytest

from costcalc.cli.app import run


@pytest.fixture
def refused(capsys):
    """Asserts that a command line ends with 2 and a message, and prints nothing else."""

    def check(line, message):
        assert run(shlex.split(line)) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert message in err

    return check
