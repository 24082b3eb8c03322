"""Products of arrays that are shared are the same numbers, and are forgotten afterwards."""

import gc

from costcalc.dims.exact_array import ExactArray
from costcalc.dims.shared_products import shared_products


def test_the_same_factors_make_the_same_array():
    a, b = ExactArray.of([3, 2**40]), ExactArray.of([5, 7])
    with shared_products():
        with shared_products():
            product = a * b
        assert a * b is product
        assert a * 4 is a * 4
        assert (b * a).tolist() == product.tolist() == [15, 7 * 2**40]
        assert (a * 2**40).tolist() == [3 * 2**40, 2**80]
    assert a * b is not product


def test_an_array_that_is_gone_is_taken_for_no_other():
    a = ExactArray.of([1, 2])
    with shared_products():
        for n in range(100):
            factor = ExactArray.of([n, n])
            assert (a * factor).tolist() == [n, 2 * n]
            del factor
            gc.collect(0)


def test_an_error_ends_the_sharing():
    a = ExactArray.of([1, 2])
    try:
        with shared_products():
            raise KeyError
    except KeyError:
        assert a * 3 is not a * 3
