"""The lectures as a result: every question with its command, its answer and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

from costcalc.errors import UsageError, shorten
from costcalc.lectures.lecture_numbers import filled
from costcalc.lectures.lecture_steps import STEPS
from costcalc.result import Result
from costcalc.spec.lecture_titles import LECTURES
from costcalc.table import Column, Table, Worded, cell
from costcalc.text import plural, read_amount

COLUMNS = (
    Column("lecture", "lecture", "int", 1), Column("question", "question", "text"),
    Column("command", "command", "text"), Column("answer", "answer", "text"), Column("why", "why", "text", 2),
)  # fmt: skip


class Question(NamedTuple):
    """A question of a lecture, with its numbers."""

    lecture: int
    question: str
    command: str  # that has the answer
    answer: str
    why: str

    def beside(self, guess: str) -> str:
        """What a guess is beside the answer, as `; your guess is ÷1.004`; nothing for an answer that is no number."""
        guessed, right = read_amount(guess.replace(" ", "")), read_amount(self.answer)
        if not guessed or not right:
            return f"; {guess.strip()!r} is no number, as 12.4M is" if right and guess.strip() else ""
        return "; your guess is " + ("right" if guessed == right else cell(Fraction(guessed, right), "factor"))


@dataclass(frozen=True, eq=False, repr=False)
class LectureTour(Result):
    """The questions of some lectures. Answers are computed when they are asked for."""

    numbers: tuple[int, ...]

    def questions(self) -> Iterator[Question]:
        """The questions in order, each with its answer."""
        for number in self.numbers:
            for step in STEPS[number - 1]:
                texts = map(filled, (step.question, f"costcalc {step.command}", step.answer, step.why))
                yield Question(number, *texts)

    @cached_property
    def _records(self) -> list[dict[str, Any]]:
        asked = self.questions()
        return [{**one._asdict(), "answer": Worded(one.answer, read_amount(one.answer))} for one in asked]

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each question."""
        return [*self._records]

    def table(self) -> Table:
        """A row for each question."""
        title = "lectures" if len(self.numbers) > 1 else title_of(self.numbers[0])
        return Table(title, COLUMNS, self._records)

    def text(self) -> str:
        """The questions to read, one below the other."""
        lines = []
        for number in self.numbers:
            lines += [title_of(number), ""]
            for question in self.questions_of(number):
                lines += [question.question, f"$ {question.command}", question.answer, question.why, ""]
        return "\n".join(lines)

    def questions_of(self, number: int) -> list[Question]:
        """The questions of one lecture."""
        return [Question(**record) for record in self._records if record["lecture"] == number]

    def _fields(self) -> dict[str, Any]:
        return {"questions": self._records}

    def _summary(self) -> str:
        asked = sum(len(STEPS[number - 1]) for number in self.numbers)
        return f"{plural(len(self.numbers), 'lecture')}, {plural(asked, 'question')}"


def title_of(number: int) -> str:
    """`6 Inception, the motivation`"""
    return f"{number} {LECTURES[number - 1]}"


def lecture_tour(number: int | str | None = None) -> LectureTour:
    """One lecture, or all twelve. Raises UsageError for another number."""
    every = {str(one): one for one in range(1, len(LECTURES) + 1)}
    if number is not None and str(number) not in every:
        hint = f"they are 1 to {len(LECTURES)}; `costcalc list` has their titles"
        raise UsageError(f"there is no lecture {shorten(str(number))}", hint)
    return LectureTour(tuple(every.values()) if number is None else (every[str(number)],))
