"""One mark for what is wrong and was reported: code that meets it reports nothing more."""

import pytest

from costcalc.errors import REPORTED, Place, Problems, Reported, SpecError
from costcalc.expressions import parse

HERE = Place("x.yaml", 1, 1)


@pytest.mark.parametrize("asked", ["value", "truth"])
def test_it_is_false_and_has_no_value_and_no_problem(asked):
    mark = Reported(HERE)
    assert not mark and not REPORTED
    with pytest.raises(SpecError) as caught:
        getattr(mark, asked)({})
    assert caught.value.problems == []


def test_what_reads_a_value_that_was_reported_reports_nothing():
    problems = Problems()
    assert problems.attempt(parse("2*r + 1", HERE).value, {"r": REPORTED}) is None
    assert len(problems) == 0
    assert problems.attempt(parse("2*q + 1", HERE).value, {"r": REPORTED}) is None
    assert len(problems) == 1
