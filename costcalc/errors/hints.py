"""Suggests a known name for a misspelt one."""

from __future__ import annotations

import re
from collections.abc import Collection

MAX_COMPARED = 1000  # names
MAX_LISTED = 60  # names
MAX_NAME = 64  # characters of a name that is compared
MAX_SLIPS = 3  # more than a misspelt name has


def shorten(text: str, limit: int = 60) -> str:
    """Text for a message, cut if long."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def in_one_line(error: object, limit: int = 300) -> str:
    """The words of an error that is not ours, on one line, cut if they are many."""
    return shorten(" ".join(str(error).split()), limit)


def did_you_mean(name: str, known: Collection[str], *, listed: bool = True) -> str:
    """`did you mean 'conv'?`; without a near name the known names, if `listed` and few; else ""."""
    near = nearest(name, known)
    if near:
        return f"did you mean {near!r}?"
    return f"known: {', '.join(sorted(known))}" if listed and 0 < len(known) <= MAX_LISTED else ""


def nearest(name: str, known: Collection[str]) -> str:
    """The known name that this one misspells or abbreviates; "" if there is none.

    A misspelt name has one character inserted, deleted, replaced or swapped with its neighbour; a name of six or more
    may have two. The first character is right: `prelu` is not `relu` misspelt. A number is the beginning of the right
    one: `resnet5` may be `resnet50`, `resnet20` may not.
    """
    if len(name) > MAX_NAME or len(known) > MAX_COMPARED:  # comparing is slow, and hostile files have many
        return ""
    word = name.casefold()
    found = []
    for other in sorted(known):
        there = other.casefold()
        if there == word:
            return other
        if (there[:1] == word[:1] or there[:2] == word[1::-1]) and _same_number(word, there):
            slips = _slips_between(word, there, 1 if len(word) < 6 else 2)
            if slips is not None or (len(word) > 3 and there.startswith(f"{word}_")):
                rank = slips or MAX_SLIPS, not there.startswith(word)  # a deletion before an insertion
                found.append((*rank, other))
    return min(found)[-1] if found else ""


def names_like(name: str, known: Collection[str], most: int = 3) -> list[str]:
    """The known names that are nearest to a misspelt one, at most so many, the nearest first: `resnet50` for
    `resnet51`. For names that are chosen as a whole, in which a number is a part like any other; then those of which it
    is the beginning."""
    word, found = name.casefold(), []
    for other in known if len(word) <= MAX_NAME else ():
        there = other.casefold()
        alike = there[:1] == word[:1] or there[:2] == word[1::-1]
        if there == word:
            return [other]
        slips = _slips_between(word, there, 1 if len(word) < 6 else 2) if alike else None
        if slips is not None or (len(word) > 1 and there.startswith(word)):
            found.append((MAX_SLIPS if slips is None else slips, len(there), other))
    return [other for *_, other in sorted(found)[:most]]


def did_you_mean_any(name: str, known: Collection[str], before: str = "") -> str:
    """`did you mean torchvision:resnet50, resnet34 or resnet18?`, the nearest names; "" without one."""
    *others, last = names_like(name, known) or [""]
    said = f"{', '.join(others)} or {last}" if others else last
    return f"did you mean {before}{said}?" if last else ""


def _same_number(a: str, b: str) -> bool:
    """Are the digits of one name the first of the other's?"""
    first, second = (re.sub(r"\D", "", name) for name in (a, b))
    return first.startswith(second) or second.startswith(first)


def _slips_between(a: str, b: str, most: int) -> int | None:
    """The optimal string alignment distance of two names; None if it is more than `most`.

    It keeps three lines of the usual table.
    """
    if abs(len(a) - len(b)) > most:
        return None
    before: list[int] = []
    last, line = before, [*range(len(b) + 1)]
    for i, char in enumerate(a, 1):
        before, last, line = last, line, [i]
        for j, other in enumerate(b, 1):
            best = min(last[j] + 1, line[j - 1] + 1, last[j - 1] + (char != other))
            if i > 1 and j > 1 and char == b[j - 2] and a[i - 2] == other:
                best = min(best, before[j - 2] + 1)
            line.append(best)
        if min(line) > most:
            return None
    return line[-1] if line[-1] <= most else None
