"""The command that goes through the lectures: a number to guess, the command that has it, and why."""

from __future__ import annotations

import sys
from collections.abc import Callable
from shutil import get_terminal_size
from textwrap import fill
from typing import Annotated

import typer

from costcalc.cli.options import Format, Output, emit
from costcalc.report import put

INTERRUPTED = 130  # exit code
LEAVE = "Type a number as 12.4M, or only Enter for the answer; q leaves.\n"


def lecture(
    context: typer.Context,
    number: Annotated[
        str | None, typer.Argument(metavar="N", help="1 to 12; without one, all.", show_default=False)
    ] = None,
    print_: Annotated[bool, typer.Option("--print", help="Print all; guess nothing.")] = False,
    format: Format = None,
    output: Output = None,
) -> None:
    """The twelve lectures: a number to guess, the command that computes it, and why. Without a terminal, or with
    --print, all questions with their answers."""
    from costcalc.lectures.lecture_tour import lecture_tour

    tour = lecture_tour(number)
    if format is not None or output is not None:
        emit(tour, format, output)
    elif print_ or not (sys.stdin.isatty() and sys.stdout.isatty()):
        _show(tour.text())
    else:
        _ask(tour.numbers, context.find_root().obj.run)


def _ask(numbers: tuple[int, ...], run: Callable[[list[str]], int]) -> None:
    """Asks question by question and runs their commands, until there is none or the reader leaves."""
    from costcalc.lectures.lecture_tour import lecture_tour, title_of

    put(LEAVE)
    for number in numbers:
        put(f"\n{title_of(number)}\n")
        for question in lecture_tour(number).questions():
            _show(f"\n{question.question}")
            guess = _guess()
            if guess is None:
                return
            put(f"$ {question.command}\n")
            if run(question.command.split()[1:]) == INTERRUPTED:
                raise KeyboardInterrupt
            _show(f"\n{question.answer}{question.beside(guess)}\n{question.why}")


def _show(text: str) -> None:
    """Prints lines, folded between words on a terminal."""
    width = get_terminal_size().columns if sys.stdout.isatty() else 0
    lines = [fill(line, width) if width else line for line in text.split("\n")]
    put("\n".join(lines).rstrip("\n") + "\n")


def _guess() -> str | None:
    """What the reader types; None for `q` and at the end of input. Raises KeyboardInterrupt, on a new line."""
    try:
        typed = input("> ")
        return None if typed.strip().casefold() in ("q", "quit", "exit") else typed
    except EOFError:
        put("\n")
        return None
    except KeyboardInterrupt:
        put("\n")
        raise
