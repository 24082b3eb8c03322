"""What a printed figure may count: conventions of counts, and of bytes in the dtypes that people store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from costcalc.analysis.conventions import Convention, read_convention
from costcalc.analysis.cost import cost_of
from costcalc.dtype import FLOAT32, Dtype
from costcalc.models.model import Model

COUNTS: tuple[Convention, ...] = tuple(
    map(
        read_convention,
        (
            "params", "params+buffers", "weight", "weight+bias", "weight_bytes",
            "macs", "flops", "macs+bias_additions", "flops+bias_additions", "macs_on_input", "2*macs_on_input",
            "macs+bn_elements", "macs+2*bn_elements", "macs+4*bn_elements", "flops+2*bn_elements",
            "flops+2*bn_elements+2*bias_additions", "macs+elementwise", "flops+elementwise", "connections",
            "activations", "activations+input_elements", "activations_in_place",
            "activations_in_place+input_elements", "output",
        ),
    )
)  # fmt: skip
# Of these the elements are counted, and each takes the bytes of its dtype. torchsummary prints 2·activations, with
# their gradients, and its total; 2 and 4 params are weights with gradients, and with the two moments of Adam.
IN_BYTES: tuple[Convention, ...] = tuple(
    map(
        read_convention,
        (
            "params", "params+buffers", "weight", "peak_bytes", "params+buffers+peak_bytes", "activations",
            "activations+input_elements", "activations_in_place", "activations_in_place+input_elements",
            "2*activations", "params+2*activations+input_elements", "params+activations+input_elements",
            "input_elements", "output", "2*params", "4*params",
        ),
    )
)  # fmt: skip
OF_WEIGHTS = ("params", "buffers", "weight")  # all others are of activations
STORED = (Dtype(), Dtype("float16", "float16"), Dtype("int8", "int8"))
IN_FILES = ("float32", "float16")  # of weights; files of int8 have scales besides
FILE = read_convention("params+buffers")
FILE_BYTES = 512  # at most, for the name, the shape and the padding of each tensor; torchvision's have 107 to 380


class Form(NamedTuple):
    """Terms that are added up, each a whole factor and the name of a metric, divided by `divisor`. A file has up
    to FILE_BYTES more for each of its tensors."""

    words: str
    terms: tuple[tuple[int, str], ...]
    divisor: int = 1
    is_file: bool = False

    def of(self, values: Mapping[str, int]) -> int:
        """The number, from the values of metrics."""
        return sum(factor * int(values[name]) for factor, name in self.terms) // self.divisor

    def most(self, values: Mapping[str, int], tensors: int) -> int | None:
        """The upper bound of a file; None for a form that is exact."""
        return self.of(values) + FILE_BYTES * tensors if self.is_file else None


def forms_of_counts() -> list[Form]:
    """The conventions of counts, the plainest first."""
    return [Form(convention.words, convention.terms) for convention in COUNTS]


def forms_of_bytes(dtype: Dtype) -> list[Form]:
    """The conventions of bytes in each dtype that is stored, or in this one unless it is float32; the plainest first.

    Values of metrics are to be in float32. Raises UsageError for mixed precision.
    """
    dtypes = STORED if dtype == FLOAT32 else (dtype,)
    found = [_in_dtype(convention, one) for one in dtypes for convention in IN_BYTES]
    return [*found, *_files(dtypes)]


def _in_dtype(convention: Convention, dtype: Dtype) -> Form:
    kinds = {name: "weights" if name in OF_WEIGHTS else "activations" for name in convention.metrics}
    words = "in float16 or bfloat16" if dtype == STORED[1] else dtype.words
    scaled = [
        (factor * dtype.scale(kinds[name]) * (1 if name == "peak_bytes" else FLOAT32.scale("activations")), name)
        for factor, name in convention.terms
    ]
    return Form(f"{convention.words} {words}", tuple(scaled), FLOAT32.scale("activations"))


def _files(dtypes: tuple[Dtype, ...]) -> Iterator[Form]:
    """A file of all tensors, with its own bytes."""
    for dtype in dtypes:
        if dtype.weights in IN_FILES:
            words, terms, divisor, _ = _in_dtype(FILE, dtype)
            yield Form(f"a file of {words}, up to {FILE_BYTES} B more a tensor", terms, divisor, is_file=True)


def stored_tensors(model: Model) -> int:
    """The learned and stored tensors of a network, each once. Raises CostcalcError if there is no such network."""
    return sum(
        int(row.times) * (len([*row.op.weights(*row.input_shapes)]) - len(row.shared)) for row in cost_of(model).layers
    )
