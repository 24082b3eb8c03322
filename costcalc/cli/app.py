"""The commands in one list, and what every one of them does with errors.

Exit codes: 0 ok, 1 a check failed, 2 usage or bad input, 3 environment, 70 our own bug, 130 interrupted.
"""

from __future__ import annotations

import os
import sys

import typer

from costcalc.cli import counts, files, formulas
from costcalc.errors import CostcalcError
from costcalc.table import visible

app = typer.Typer(
    name="costcalc",
    help="Exact parameter and multiply counts of neural-network architectures.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (counts.list_, counts.show, counts.compare, formulas.formula, counts.explain, counts.reconcile,
                files.validate, files.schema):  # fmt: skip
    app.command(command.__name__.rstrip("_"))(command)


@app.callback(invoke_without_command=True)
def options(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    """Exact parameter and multiply counts of neural-network architectures."""
    if version:
        from costcalc.analysis.cost import version as of

        print(f"costcalc {of()}")
        raise typer.Exit


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit code. Nothing escapes as a traceback but our own bugs."""
    try:
        app(arguments, prog_name="costcalc", standalone_mode=True)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except CostcalcError as error:
        print(f"error: {_lines(error)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `costcalc show … | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ImportError as error:
        print(f"error: {visible(str(error))}; install what is missing", file=sys.stderr)
        return 3
    except OSError as error:
        print(f"error: {visible(str(error))}", file=sys.stderr)
        return 3
    except Exception:
        import traceback

        traceback.print_exc()
        print("error: this is a bug in costcalc; please report it with the command and the text above", file=sys.stderr)
        return 70
    return 0


def _lines(error: CostcalcError) -> str:
    return "\n       ".join(visible(line) for line in str(error).split("\n"))
