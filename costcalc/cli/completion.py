"""Answers a shell that asks how a command line may go on: the words, one a line, in the form that the shell reads.

The scripts of the shells (shell_scripts.py) set COMPLETE to the name of the shell, and LINE to the text up to the
cursor, or WORDS to its words, one a line.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from costcalc.cli import ops_files
from costcalc.cli.completed_targets import Candidate, Line, Source
from costcalc.cli.completed_values import ARGUMENTS, SOURCES

COMPLETE, WORDS, LINE, BREAKS = "_COSTCALC_COMPLETE", "_COSTCALC_WORDS", "_COSTCALC_LINE", "_COSTCALC_BREAKS"


def answer(environment: Mapping[str, str], group_of: Callable[[str], Any]) -> str:
    """The words that the shell reads, one a line; none where a file may stand.

    It never raises: on Tab a traceback would appear in the line that is being typed. `group_of` returns the group of
    commands that has the command of a name.
    """
    with suppress(Exception):
        words, text, is_quoted = _words(environment)
        found = dict.fromkeys(one for one in candidates(words, text, group_of) if one.word.startswith(text))
        if environment[COMPLETE] != "bash":
            return "".join(f"{one.word}\t{' '.join(one.about.split())}\n" for one in found)
        start = 0 if is_quoted else _word_start(text, environment.get(BREAKS, ""))
        return "".join(f"{one.word[start:]}\n" for one in found)
    return ""


def candidates(words: list[str], text: str, group_of: Callable[[str], Any]) -> Iterable[Candidate]:
    """The words that may follow, behind the words of a line; `text` is what is there of the next."""
    if words[-1:] == [ops_files.OPTION]:
        return ()
    left = _without_files(words)
    group = group_of(next((word for word in left if not word.startswith("-")), ""))
    path: list[str] = []
    while left:
        word = left.pop(0)
        if word.startswith("-"):
            continue
        if word not in group.commands:
            return ()
        path.append(word)
        command = group.commands[word]
        if not hasattr(command, "commands"):
            return _of_command(_read(" ".join(path), command, left), command, text)
        group = command
    return _options(group) if text.startswith("-") else _commands(group)


def _without_files(words: list[str]) -> list[str]:
    """The words without `--ops FILE`, which every command takes."""
    return [word for before, word in zip(["", *words], words) if ops_files.OPTION not in (before, word)]


def _commands(group: Any) -> Iterator[Candidate]:
    yield from (Candidate(name, command.short_help or "") for name, command in group.commands.items())


def _options(command: Any) -> Iterator[Candidate]:
    for option in _all_options(command):
        about = (option.help or "").partition(". ")[0]
        yield from (Candidate(name, about) for name in option.opts if name.startswith("--"))
    yield Candidate("--help", "Show this message and exit.")


def _all_options(command: Any) -> list[Any]:
    return [one for one in command.params if one.param_type_name == "option"]


def _with_values(command: Any) -> dict[str, str]:
    """The options of a command that take a value, in every spelling, and their long names."""
    options = [one for one in _all_options(command) if not one.is_flag]
    long = {one.name: next(word for word in one.opts if word.startswith("--")) for one in options}
    return {word: long[one.name] for one in options for word in one.opts}


def _read(name: str, command: Any, words: list[str]) -> Line:
    """The words behind a command, as far as they are there."""
    takes, line, left = _with_values(command), Line(name), iter(words)
    for word in left:
        if line.is_plain or not word.startswith("-") or word == "-":
            line.arguments.append(word)
        elif word == "--":
            line = replace(line, is_plain=True)
        elif word in takes and next(left, None) is None:
            line = replace(line, option=takes[word])
    return line


def _of_command(line: Line, command: Any, text: str) -> Iterable[Candidate]:
    """The values of an option or argument of a command, or the names of its options."""
    takes = _with_values(command)
    if line.option:
        return _from(SOURCES.get(line.option), line, text)
    option, equals, value = text.partition("=")
    if equals and option in takes and not line.is_plain:
        found = _from(SOURCES.get(takes[option]), replace(line, option=takes[option]), value)
        return [Candidate(f"{option}={one.word}", one.about) for one in found]
    if text.startswith("-") and not line.is_plain:
        return _options(command)
    return _argument(command, line, text)


def _argument(command: Any, line: Line, text: str) -> Iterable[Candidate]:
    """The values of the argument that stands at the cursor: the last one may take several words."""
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    at = len(line.arguments)
    if not arguments or (at >= len(arguments) and arguments[-1].nargs != -1):
        return ()
    metavar = arguments[min(at, len(arguments) - 1)].metavar
    return _from(ARGUMENTS.get(line.command) or SOURCES.get(metavar), line, text)


def _from(source: Source | None, line: Line, text: str) -> Iterable[Candidate]:
    return source(line, text) if source else ()


def _words(environment: Mapping[str, str]) -> tuple[list[str], str, bool]:
    """The words behind the name of the program, the one at the cursor, and whether a quote is open in that."""
    if WORDS in environment:
        _, *words, text = environment[WORDS].split("\n")
        return words, text, False
    line, quote = environment[LINE], ""
    try:
        words = shlex.split(line)
    except ValueError:
        words, quote = _with_open_quote(line)
    if not quote and line[-1].isspace():
        words.append("")
    _, *words, text = words
    return words, text, bool(quote)


def _with_open_quote(line: str) -> tuple[list[str], str]:
    """The words of a line whose last quote is open, and the quote; there is none in a line that ends in a backslash.
    Raises ValueError for any other line."""
    for quote in "\"'":
        with suppress(ValueError):
            return shlex.split(line + quote), quote
    return shlex.split(line[:-1]), ""


def _word_start(text: str, breaks: str) -> int:
    """Where bash begins the word that it replaces: behind the last sign that parts words there, = and : among them."""
    return max((text.rfind(sign) + 1 for sign in breaks if not sign.isspace()), default=0)
