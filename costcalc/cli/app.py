"""The list of all commands, and how each of them handles errors.

Exit codes: 0 ok, 1 a check failed, 2 usage or bad input, 3 environment, 70 our own bug, 130 interrupted.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from copy import copy
from typing import Annotated, Any, NamedTuple

import typer

from costcalc import report
from costcalc.cli import (
    algebra,
    augmenting,
    checks,
    comparing,
    completion,
    counts,
    exports,
    hardware,
    help_pages,
    import_options,
    ops_files,
    plain_signs,
    runs,
    scaling,
    shell_scripts,
    shown_options,
    site_files,
    spec_files,
    sweeps,
    tour,
    training,
    transfer,
    warned,
)
from costcalc.cli.fast_params import FastCommand, FastGroup
from costcalc.cli.print_errors import discard_output, print_bug, print_error, print_usage_error, traceback_text
from costcalc.errors import CostcalcError, nearest, why
from costcalc.report.progress_bar import working
from costcalc.version import __version__

COMMANDS: dict[Callable[..., None], tuple[str, str]] = {  # a few words, and an example
    counts.list_: ("Every spec and preset.", "list"),
    spec_files.info: ("What a network is, and its knobs.", "info resnet"),
    counts.show: ("What each layer costs, and the totals.", "show mobilenet_v1@w=0.5,r=160 --depth 1"),
    comparing.compare: ("Networks side by side.", "compare inception_naive inception_bottleneck"),
    algebra.formula: ("The closed form in every knob.", "formula efficientnet --metric macs"),
    sweeps.sweep: ("A grid of knobs, or the presets.", "sweep mobilenet_v1 w=0.25,0.5,0.75,1 r=128,160,192,224"),
    scaling.scale: ("Backwards from a budget.", "scale mobilenet_v2@r=192 --free w --max macs=300M"),
    checks.check: ("Budgets, for CI; and what changed.", "check resnet50 --max macs=4.2G --max peak_bytes=16MB"),
    training.memory: ("What is held in memory, and what fits.", "memory resnet50 --train --optimizer adam"),
    transfer.transfer: ("Strategies of transfer learning.", "transfer vgg16 --classes 3 --images 5000 --epochs 20"),
    augmenting.augment: ("What feeding a network takes.", "augment alexnet --step resnet50"),
    counts.explain: ("Each number as a product of sizes.", "explain inception_bottleneck"),
    counts.reconcile: ("Published figures beside ours.", "reconcile googlenet"),
    tour.lecture: ("Twelve lectures: guess, run, see why.", "lecture 6"),
    hardware.verify: ("Our counts beside torch's.", "verify resnet50"),
    hardware.time: ("How long networks take here.", "time inception_naive inception_bottleneck"),
    hardware.devices: ("What can be timed here.", "devices"),
    exports.export: ("A network as a spec or drawing.", "export torchvision:resnet50 -o resnet50.yaml"),
    site_files.site: ("Every spec as pages in a folder.", "site -o public"),
    spec_files.new: ("A spec to start from.", "new my_net --like resnet50"),
    spec_files.validate: ("All errors of a spec at once.", "validate my_net.yaml"),
    spec_files.ops: ("The ops and their fields.", "ops conv"),
    spec_files.schema: ("A JSON Schema of specs, for editors.", "schema > spec.schema.json"),
    help_pages.help_: ("A page of the documentation.", "help terms"),
}
RUNS: dict[Callable[..., None], tuple[str, str]] = {
    runs.list_: ("Every measurement kept so far.", "runs list"),
    runs.show: ("All that is known of one.", "runs show 1"),
    runs.compare: ("One set against another taken alike.", "runs compare 1 2"),
    runs.export: ("All as CSV, JSON or Parquet.", "runs export runs.csv"),
}


class Commands(FastGroup):
    """The commands by name. For a network without a command, misspelt too, the hint is `costcalc show`."""

    def hint(self, word: str) -> str:
        """The nearest command, or `costcalc show` for the name of a network."""
        if not nearest(word, self.commands) and (target := _target_like(word)):
            return f"did you mean `costcalc show {target}`?"
        return super().hint(word)


def _target_like(word: str) -> str:
    """A word that is a target, or the nearest spec or preset; "" without one."""
    from costcalc.spec.library import entries

    return word if _is_target(word) else nearest(word, [entry.name for entry in entries()])


def _is_target(word: str) -> bool:
    """Is this the name, preset or path of a spec, a network to import, or a file of tensors?"""
    from costcalc.importers.targets import is_import, is_onnx, is_safetensors
    from costcalc.spec.library import find

    if is_import(word) or is_onnx(word) or is_safetensors(word):
        return True
    try:
        find(word)
    except CostcalcError:
        return False
    return True


def _register(to: typer.Typer, commands: dict[Callable[..., None], tuple[str, str]]) -> None:
    for command, (few_words, example) in commands.items():
        name = command.__name__.rstrip("_")
        to.command(name, cls=FastCommand, short_help=few_words, epilog=f"Example: costcalc {example}")(
            shown_options.ADDED.added_to(import_options.ADDED.added_to(command))
        )


app = typer.Typer(
    name="costcalc",
    cls=Commands,
    add_completion=False,  # cli/shell_scripts.py has its own
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Try: costcalc show resnet50 --depth 1",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
runs_app = typer.Typer(cls=FastGroup, rich_markup_mode=None)
_register(app, COMMANDS)
_register(runs_app, RUNS)
app.add_typer(
    runs_app,
    name="runs",
    short_help="The measurements kept so far.",
    help="The measurements kept so far: list, look at one, compare two, export all.",
    epilog="Example: costcalc runs list",
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"costcalc {__version__}")
        raise typer.Exit


DEBUG, QUIET = "--debug", ("--quiet", "-q")
Version = Annotated[
    bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version and exit.")
]
Debug = Annotated[
    bool, typer.Option(DEBUG, help="Print the traceback of an error in your own code; also behind a command.")
]
Quiet = Annotated[
    bool, typer.Option(*QUIET, help="Results, warnings and errors, no progress and notes; also behind a command.")
]
OpsFile = Annotated[
    str | None,
    typer.Option(ops_files.OPTION, metavar="FILE.py", help="Run a file that defines ops; also behind a command."),
]
InstallCompletion = Annotated[
    bool,
    typer.Option(shell_scripts.INSTALL, help="Install completion on Tab, for this shell or the one named after it."),
]
ShowCompletion = Annotated[bool, typer.Option(shell_scripts.SHOW, help="Print the completion script.")]


@app.callback()
def options(
    version: Version = False, debug: Debug = False, quiet: Quiet = False, ops: OpsFile = None,
    install_completion: InstallCompletion = False, show_completion: ShowCompletion = False,
) -> None:  # fmt: skip
    """Exact parameter and multiply counts of neural-network architectures."""


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit code. Only a bug of ours prints a traceback, and with `--debug` what a
    reader's own code raises."""
    _prepare()
    if completion.COMPLETE in os.environ:  # a shell asks
        report.put(completion.answer(os.environ, lambda word: typer.main.get_command(_only(word))))
        return 0
    debug, quiet = DEBUG in arguments, not {*QUIET}.isdisjoint(arguments)
    arguments = [word for word in arguments if word not in (DEBUG, *QUIET)]
    report.hush(quiet)
    try:
        warned.clear()
        for added in (import_options.ADDED, shown_options.ADDED):
            added.forget()
        arguments = ops_files.run_ops_files(arguments)
        if shell_scripts.is_asked(arguments):
            report.put(shell_scripts.answer(arguments))
            return 0
        code = _invoke(arguments or ["--help"])
        if sys.stdout is not None:
            sys.stdout.flush()  # now, so that a full disk is reported
        warned.print_all()
    except (KeyboardInterrupt, typer.Abort):
        return print_error("interrupted", 130)
    except CostcalcError as error:
        said = f"{traceback_text(error.__cause__)}error: {error}" if debug and error.__cause__ else f"error: {error}"
        return print_error(said, error.exit_code)
    except BrokenPipeError:  # `costcalc show … | head`: the reader has seen enough
        return discard_output(0)
    except MemoryError:
        return print_error("error: out of memory; use a coarser grid or fewer --workers", 3)
    except ImportError as error:
        return print_error(f"error: {why(error, 'a package was being imported')}; install what is missing", 3)
    except OSError as error:
        said = why(error, f"`costcalc {' '.join(arguments[:1])}` ran")
        about = f"{error.filename or 'standard output'}: {said}" if error.errno else said
        return discard_output(print_error(f"error: {about}", 3))
    except Exception as error:
        return print_usage_error(error) if hasattr(error, "format_message") else print_bug(error)
    return code


def _prepare() -> None:
    """Writes UTF-8 to a pipe in every locale, so that files are the same everywhere; to a terminal plain signs for
    those that it lacks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        as_bytes: dict[str, Any] = {} if sys.stdout.isatty() else {"encoding": "utf-8", "newline": "\n"}
        sys.stdout.reconfigure(errors=plain_signs.HANDLER, **as_bytes)
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors=plain_signs.HANDLER)


def _invoke(arguments: list[str]) -> int:
    """Runs a command as typer's main() does, but leaves every exception to `run`. Raises KeyboardInterrupt if a library
    raised something else on Ctrl-C, as numpy does while it is imported."""
    main = typer.main.get_command(_only(arguments[0]))
    try:
        with (
            working(f"costcalc {arguments[0]}"),
            main.make_context("costcalc", list(arguments), obj=Runner(run, _names())) as context,
        ):
            main.invoke(context)
    except typer.Exit as stop:
        return stop.exit_code
    except Exception as error:
        if _after_interrupt(error):
            raise KeyboardInterrupt from None
        raise
    return 0


class Runner(NamedTuple):
    """What commands that call others have: a function that runs a command line, and the names of all commands."""

    run: Callable[[list[str]], int]
    commands: list[str]


def _names() -> list[str]:
    groups = [str(group.name) for group in app.registered_groups]
    return [*(str(command.name) for command in app.registered_commands), *groups]


def _only(word: str) -> typer.Typer:
    """The app with this command alone, if it exists: reading the options of all commands takes as long as a count."""
    commands = [command for command in app.registered_commands if command.name == word]
    groups = [group for group in app.registered_groups if group.name == word]
    if not commands + groups:
        return app
    one = copy(app)
    one.registered_commands, one.registered_groups = commands, groups
    return one


def _after_interrupt(error: BaseException | None) -> bool:
    """Is a KeyboardInterrupt among the causes of an error?"""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
