"""Makes the op of an item from the values of its fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from costcalc import dims
from costcalc.errors import PointsDiffer, Problem, Problems, ShapeError, SpecError, shorten
from costcalc.expressions import Expression
from costcalc.ops import OPS
from costcalc.ops.needs import Whole
from costcalc.spec.signature import kinds_of
from costcalc.spec.spec_tree import Item, Value
from costcalc.text import value_text


class OpFactory:
    """Makes ops. Equal items with equal values share one op, so that the walk counts equal layers once."""

    def __init__(self) -> None:
        self.assumed: dict[Any, Whole] = {}  # undecided needs, by the size that must be whole
        self.made: dict[Any, Any] = {}  # by the form of the item and the values that it reads
        self.equal: dict[Any, Any] = {}
        self.valid: Any = True  # or an array: at which points every size is whole
        self.reason = ""  # why the first invalid point is invalid

    def op(self, item: Item, values: dict[str, Any]) -> Any:
        """The op of an item. Raises SpecError."""
        used = [values[name] for name in item.reads]
        key = (item.form, *used, *map(type, used))
        try:
            known = self.made.get(key)
        except TypeError:  # arrays have no hash
            return self.make(item, values)
        if known is None:
            known = self.make(item, values)
            known = self.made[key] = self.equal.setdefault(known, known)
        return known

    def make(self, item: Item, values: dict[str, Any]) -> Any:
        kinds, problems = kinds_of(item.kind), Problems()
        found = {
            name: problems.attempt(
                self.value, given, values, f"{item.kind}: {name}", name not in kinds or kinds[name].is_size
            )
            for name, given in item.fields.items()
        }
        fields = {name: value for name, value in found.items() if value is not None}
        if len(fields) == len(found):
            try:
                return OPS[item.kind](**fields)
            except PointsDiffer as differ:
                raise differ.at(item.place) from None
            except ShapeError:  # said below, at the place of each field
                pass
        raise SpecError([*problems.found, *_faults(item, fields)])

    def times(self, expression: Expression, values: dict[str, Any]) -> Any:
        """The number of copies of a repeat."""
        value = self.whole(expression, values, "times")
        try:
            return dims.check_size(value, "repeat: times", 0)
        except PointsDiffer as differ:
            raise differ.at(expression.place) from None
        except ShapeError as error:
            raise SpecError(Problem(expression.place, *error.said)) from None

    def value(self, given: Value, values: dict[str, Any], what: str, is_size: bool = True) -> Any:
        """The value of a field, or of each element of a list."""
        if given.__class__ is tuple:
            return tuple([self.value(one, values, what, is_size) for one in given])
        return self.whole(given, values, what) if is_size else given.value(values)

    def whole(self, expression: Expression, values: dict[str, Any], what: str) -> Any:
        """The value of a size, or a word. That an undecided symbolic size is whole becomes an assumption."""
        value = expression.value(values)
        if value.__class__ is int or isinstance(value, str | bool):
            return value
        is_whole = dims.whole(value)
        if is_whole is None:
            self.assumed.setdefault(value, Whole(value, named=str(value)))
        elif is_whole is False:
            text, number = shorten(expression.text), shorten(value_text(value))
            message = f"{number if text == number else f'{text} = {number}'} is not a whole number"
            hint = f"{what} must come out whole: choose other knobs or round it"
            raise SpecError(Problem(expression.place, message, hint))
        return self.masked(value, is_whole, expression, what) if dims.is_array(value) else value

    def masked(self, array: Any, is_whole: Any, expression: Expression, what: str) -> Any:
        """The array rounded up to whole numbers; masks the points at which it is not whole."""
        if is_whole is True or is_whole.all():
            return array
        text = shorten(expression.text)
        self.require(is_whole, array, lambda n: f"{what} must come out whole, and {text} = {value_text(n)}")
        return dims.ceil(array)

    def require(self, truth: Any, array: Any, reason: Callable[[Any], str]) -> None:
        """Masks the points at which `truth` is false; `reason` explains the first of them from its value."""
        if truth is True or truth.all():
            return
        if not self.reason:
            self.reason = reason(*dims.first_failure(truth, [array]))
        self.valid = self.valid & truth


def _faults(item: Item, fields: dict[str, Any]) -> Iterator[Problem]:
    """The problems of each field's value, by the kind of the field."""
    for name, value in fields.items():
        try:
            kinds_of(item.kind)[name].check(value, f"{item.kind}: {name}")
        except ShapeError as error:
            given = item.fields[name]
            while given.__class__ is tuple:
                given = given[0] if given else item
            yield Problem(given.place, *error.said)
