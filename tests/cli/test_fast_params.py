"""cli/fast_params.py replaces inner members of the releases of typer that are TESTED; others read every word."""

import pytest
import typer

from costcalc.cli import app, fast_params

NEWER = (
    f"typer {typer.__version__} is newer than those that cli/fast_params.py was tested with: see what it does in place "
    "of `get_runtime_param`, `coerce` and `display_type_rich`, mend fast_params.py, and add the release to TESTED"
)
REPLACED = pytest.mark.skipif(not fast_params.IS_TESTED, reason="nothing is replaced in this typer")
WORDS = (None, "3", "0", "-1", "007", "x", "", "²", "9" * 30, "a.yaml")


def read(reader, value, parameter, context):
    """What a reader makes of a value, or that it refuses it."""
    try:
        return reader.coerce(value, param=parameter, ctx=context)
    except Exception as error:
        return type(error)


def test_this_typer_is_one_that_was_tested():
    release = tuple(map(int, typer.__version__.split(".")[:2]))
    assert fast_params.IS_TESTED or release < (0, 29), NEWER


@pytest.mark.parametrize("line", ["show lenet5 --depth 1 --set batch=2", "compare resnet18 resnet34 --by params"])
def test_another_typer_prints_the_same(line, monkeypatch, capsys):
    printed = []
    for is_tested in (fast_params.IS_TESTED, False):
        monkeypatch.setattr(fast_params, "IS_TESTED", is_tested)
        assert app.run(line.split()) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != ""


@REPLACED
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


@REPLACED
def test_a_parameter_without_what_is_known_of_it_is_left_to_typer():
    class Own:
        annotation = "own"

        def coerce(self, value, param, ctx):
            return "its own"

    class Other:
        param_type_name = "option"

        def get_runtime_param(self):
            return Own()

    (other,) = fast_params._fast([Other()])
    reader = other.get_runtime_param()
    assert reader.coerce("3", param=other, ctx=None) == "its own"
    assert reader.annotation == "own"
