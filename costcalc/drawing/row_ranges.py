"""Numbers of rows in few characters: `3-17,20`, and `4-33004/8` for every eighth from 4 to 33004."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MIN_NUMBERS_WITH_STEP = 3  # fewer numbers with a step are written one by one


def row_ranges(numbers: Sequence[int], copies: int = 1) -> str:
    """Numbers as ranges. Of `copies` of equal blocks, those of one after those of the other, each number of the first
    may begin a range through all."""
    each = len(numbers) // copies
    together = ",".join(_ranges(sorted(numbers)))
    if copies < MIN_NUMBERS_WITH_STEP:
        return together
    apart = ",".join(text for at in range(each) for text in _ranges(sorted(numbers[at::each])))
    return min(together, apart, key=len)


def _ranges(numbers: Sequence[int]) -> Iterator[str]:
    """Ranges of numbers in order, each as long as it can be."""
    at = 0
    while at < len(numbers):
        end = _end(numbers, at)
        step = numbers[end - 1] - numbers[end - 2] if end - at > 1 else 1
        if end - at == 1 or (step > 1 and end - at < MIN_NUMBERS_WITH_STEP):
            yield f"{numbers[at]}"
            at += 1
        else:
            yield f"{numbers[at]}-{numbers[end - 1]}" + (f"/{step}" if step > 1 else "")
            at = end


def _end(numbers: Sequence[int], at: int) -> int:
    """Where numbers end that are as far from each other as the first two from here on."""
    end = min(at + 2, len(numbers))
    while end < len(numbers) and numbers[end] - numbers[end - 1] == numbers[at + 1] - numbers[at]:
        end += 1
    return end
