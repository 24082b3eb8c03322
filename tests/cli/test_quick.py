"""cli/quick.py goes into the inside of typer. Known to fit: 0.18 to 0.28, where it changes nothing, and 0.29.

If a test fails with another release: see what typer does in place of `get_runtime_param` or `coerce`, mend quick.py and
say the new range there and here.
"""

from importlib.metadata import version

import pytest
import typer

from costcalc.cli import app

ASKS_PYDANTIC = tuple(map(int, version("typer").split(".")[:2])) >= (0, 29)
WORDS = (None, "3", "0", "-1", "007", "x", "", "²", "9" * 30, "a.yaml")


def read(reader, value, parameter, context):
    """What a reader makes of a value, or that it refuses it."""
    try:
        return reader.coerce(value, param=parameter, ctx=context)
    except Exception as error:
        return type(error)


@pytest.mark.skipif(not ASKS_PYDANTIC, reason="this typer asks no pydantic: nothing is changed")
def test_an_option_is_read_as_typer_reads_it():
    compared = 0
    for command in typer.main.get_command(app.app).commands.values():
        context = command.make_context(command.name, [], resilient_parsing=True)
        for parameter in command.get_params(context):
            own = type(parameter).get_runtime_param(parameter)
            several = parameter.multiple or parameter.nargs == -1
            flag = getattr(parameter, "is_flag", False)
            for value in (True, False) if flag else ([*WORDS[1:]], (), None) if several else WORDS:
                ours = read(parameter.get_runtime_param(), value, parameter, context)
                assert ours == read(own, value, parameter, context), (command.name, parameter.name, value)
                compared += 1
    assert compared > 500


def test_a_parameter_without_what_is_known_of_it_is_left_to_typer():
    class Own:
        annotation = "own"

        def coerce(self, value, param, ctx):
            return "its own"

    class Other:
        param_type_name = "option"

        def get_runtime_param(self):
            return Own()

    from costcalc.cli.quick import _quickened

    (other,) = _quickened([Other()])
    reader = other.get_runtime_param()
    assert reader.coerce("3", param=other, ctx=None) == "its own"
    assert reader.annotation == "own"
