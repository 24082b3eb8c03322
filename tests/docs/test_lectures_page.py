"""The page of the lectures says what the tour says: no number in its prose is older than the code."""

from support.paths import ROOT

import costcalc


def test_the_page_has_every_question_with_its_numbers():
    page = " ".join((ROOT / "docs" / "lectures.md").read_text(encoding="utf-8").replace("`", "").split())
    for question in costcalc.lecture().to_records():
        for part in (question["question"], question["command"], f"**{question['answer']}.**", question["why"]):
            assert part in page, part
