"""The form of a size is found from its values, the simplest first, and not from too few of them."""

import numpy as np
import pytest

from costcalc.dims import size_symbol, to_exact_array
from costcalc.dims.substitute import substitute
from costcalc.importers.symbolic_sizes.sample_sizes import SAMPLES, drawn, spans, steps_of
from costcalc.importers.symbolic_sizes.size_forms import find_form

N, H, W = (2, 3, 5, 7, 11, 13), (224, 331, 262, 419, 203, 541), (617, 256, 503, 388, 283, 191)
KNOWN = [(("x", 0), N), (("x", 2), H), (("x", 3), W)]
FORMS = {
    "equal": lambda n, h, w: h,
    "line": lambda n, h, w: 2 * h + 3,
    "half": lambda n, h, w: 4 * w * 2,
    "product": lambda n, h, w: 3 * h * w,
    "product of three": lambda n, h, w: n * h * w,
    "product and one": lambda n, h, w: h * w + 1,
    "rounded up": lambda n, h, w: 2 * -(-h // 7) + 1,
    "rounded down": lambda n, h, w: w // 32,
    "a window": lambda n, h, w: (h - 5) // 4 + 1,
    "a sum": lambda n, h, w: h + w + 7,
}


@pytest.mark.parametrize("kind", FORMS)
def test_a_form_is_found_and_holds_elsewhere(kind):
    """On numbers, symbols and arrays alike."""
    form = find_form(tuple(map(FORMS[kind], N, H, W)), KNOWN)
    sizes = {"n": 17, "h": 1001, "w": 96}
    by_ref = dict(zip([ref for ref, _ in KNOWN], sizes))
    assert form.value(lambda ref: sizes[by_ref[ref]]) == FORMS[kind](*sizes.values())
    symbols = form.value(lambda ref: size_symbol(by_ref[ref]))
    assert substitute(symbols, sizes) == FORMS[kind](*sizes.values())
    arrays = form.value(lambda ref: to_exact_array(np.array([sizes[by_ref[ref]]])))
    assert arrays.tolist() == [FORMS[kind](*sizes.values())]


def test_a_quotient_of_sizes():
    windows = tuple(n * h for n, h in zip(N, H))
    form = find_form(N, [(("attn", 0), windows), (("mask", 0), H)])
    assert form.value({("attn", 0): 34, ("mask", 0): 17}.__getitem__) == 2


def test_what_no_form_foretells_has_none():
    assert find_form((3, 1, 4, 1, 5, 9), KNOWN) is None


def test_through_few_values_no_line_is_laid():
    """Two numbers lie on every line: at stride 32 that was wrong elsewhere."""
    assert find_form((14, 14, 14, 20, 20, 20), [(("x", 2), (7, 7, 7, 13, 13, 13))]) is None


def test_a_form_that_is_no_whole_number_says_so():
    sides = (224, 330, 262, 418, 204, 540)
    form = find_form(tuple(side // 2 for side in sides), [(("x", 2), sides)])
    assert form.value(lambda ref: 7) * 2 == 7


@pytest.mark.parametrize(("default", "step"), [(224, 1), (224, 32), (32, 1), (256, 64), (128, 1), (8, 1)])
def test_sizes_of_samples_are_spread_and_mixed(default, step):
    rows = drawn(next(spans(default, step)), 2)
    assert len(rows) == SAMPLES and all(h != w for h, w in rows)
    for column in zip(*rows):
        assert len({*column}) == SAMPLES and all(size % step == 0 for size in column)
        assert max(column) - min(column) >= 200
        assert {size // step % 2 for size in column} == {0, 1}
        if step == 1 and default > 8:
            assert any(size % 64 == 0 for size in column)  # else rounding up is one more than rounding down


def test_steps_are_parts_of_the_default():
    assert steps_of(224) == [[1, 2, 4, 8, 16, 32, 224], [1, 7, 14, 28, 56, 112, 224]]
