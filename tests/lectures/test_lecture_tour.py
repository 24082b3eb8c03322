"""The tour of the lectures: each answer is in the output of its command, and a reader may leave at any time."""

import builtins
import json
import re
import sys

import pytest

import costcalc
from costcalc.cli.app import run
from costcalc.errors import UsageError
from costcalc.lectures.lecture_numbers import filled
from costcalc.lectures.lecture_steps import STEPS
from costcalc.spec.lecture_titles import LECTURES
from costcalc.spec.library import entries

QUESTIONS = costcalc.lecture().to_records()
BY_COMMAND = {question["command"]: question for question in QUESTIONS}


def test_every_lecture_has_two_questions_or_more_and_a_spec_or_a_pipeline():
    assert len(STEPS) == len(LECTURES) == 12
    assert min(map(len, STEPS)) >= 2
    assert {entry.lecture for entry in entries()} == {*range(1, 11)}  # 11 and 12 are about those, and about images


def test_no_answer_is_typed():
    for steps in STEPS:
        for step in steps:
            assert re.fullmatch(r"\{[^{}]+\}", step.answer), step
            assert "{" not in "".join(map(filled, (step.question, step.answer, step.why)))


@pytest.mark.parametrize("command", BY_COMMAND)
def test_the_command_prints_the_answer(command, capsys):
    assert run(command.split()[1:]) == 0
    assert BY_COMMAND[command]["answer"] in capsys.readouterr().out


def test_commands_in_the_reasons_work(capsys):
    named = [found for q in QUESTIONS for found in re.findall(r"costcalc ([a-z][^:.]+(?:=[\d,]+)?)\.$", q["why"])]
    assert len(named) >= 4
    for command in named:
        assert run(command.split()) == 0, command
    capsys.readouterr()


def test_numbers_of_networks_blocks_ratios_and_pipelines():
    assert filled("{macs of conv1x1} and {params of lenet5, fc5}") == "4,816,896 and 850"
    assert filled("{macs of inception_naive / inception_bottleneck}") == "9.68"
    assert filled("{out of alexnet, conv1}, {views of augment:alexnet}") == "55×55×96, 2,178"


def test_without_a_terminal_all_is_printed(capsys):
    assert run(["lecture"]) == 0
    printed = capsys.readouterr().out
    assert all(question["answer"] in printed for question in QUESTIONS)
    assert [title in printed for title in LECTURES] == [True] * 12
    assert run(["lecture", "6", "-f", "json"]) == 0
    assert [q["lecture"] for q in json.loads(capsys.readouterr().out)["questions"]] == [6, 6]
    assert run(["lecture", "13"]) == 2
    with pytest.raises(UsageError, match="there is no lecture 0; they are 1 to 12"):
        costcalc.lecture(0)


def at_a_terminal(monkeypatch, *typed):
    """Each is what the reader types, or an exception that stands for Ctrl-D or Ctrl-C."""
    answers = iter(typed)

    def read(prompt):
        answer = next(answers)
        if isinstance(answer, str):
            return answer
        raise answer

    monkeypatch.setattr(builtins, "input", read)
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)


def test_a_guess_is_compared_and_the_command_runs(monkeypatch, capsys):
    at_a_terminal(monkeypatch, "12,443,648", "many")
    assert run(["lecture", "6"]) == 0
    out = capsys.readouterr().out
    assert "12,443,648; your guess is right" in out
    assert "inception_bottleneck" in out and "24,887,296" in out
    at_a_terminal(monkeypatch, "120.422400M", "0")
    assert run(["lecture", "6"]) == 0
    assert "12,443,648; your guess is ×9.68" in capsys.readouterr().out


@pytest.mark.parametrize(("key", "code", "said"), [(EOFError(), 0, ""), (KeyboardInterrupt(), 130, "interrupted\n")])
def test_a_reader_leaves_cleanly(key, code, said, monkeypatch, capsys):
    at_a_terminal(monkeypatch, "", key)
    assert run(["lecture", "6"]) == code
    shown = capsys.readouterr()
    assert shown.err == said
    assert "12,443,648" in shown.out and "24,887,296" not in shown.out


def test_a_guess_may_have_spaces_and_one_that_is_no_number_is_told(monkeypatch, capsys):
    at_a_terminal(monkeypatch, "12 443 648", "many")
    assert run(["lecture", "6"]) == 0
    out = capsys.readouterr().out
    assert "12,443,648; your guess is right" in out and "'many' is no number, as 12.4M is" in out


def test_q_leaves(monkeypatch, capsys):
    at_a_terminal(monkeypatch, "q")
    assert run(["lecture", "6"]) == 0
    assert "12,443,648" not in capsys.readouterr().out


@pytest.mark.parametrize("number", ["foo", "13", "0"])
def test_another_lecture_is_refused(number, capsys):
    assert run(["lecture", number]) == 2
    assert f"there is no lecture {number}; they are 1 to 12" in capsys.readouterr().err
