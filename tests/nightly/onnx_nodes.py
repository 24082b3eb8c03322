"""ONNX's own test cases of its operators: do our shapes equal those of the arrays that come with them?

    python tests/nightly/onnx_nodes.py

Each case is a small file with inputs and outputs. Inputs of few numbers besides the first are put into the file, since
many say a shape, axes or pads. Exits 1 if a shape differs, or an error is none of costcalc's.
"""

import sys
import tempfile
import traceback
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

from costcalc.errors import CostcalcError
from costcalc.importers.onnx_files.onnx_architecture import of_onnx
from costcalc.importers.onnx_files.onnx_graph import OnnxGraph
from costcalc.importers.onnx_files.onnx_ops import ONLY_OF_SIZES, ONNX_OPS

FEW = 32  # numbers
OF_FIRST_INPUT = ("constantofshape", "range")  # cases whose first input says a shape


def as_file(case):
    """The file of a case, and its outputs as arrays."""
    made = onnx.ModelProto()
    made.CopyFrom(case.model)
    inputs, outputs = case.data_sets[0]
    for at, (one, value) in enumerate(zip(made.graph.input, inputs)):
        is_first = not at and not any(name in case.name for name in OF_FIRST_INPUT)
        if not is_first and isinstance(value, np.ndarray) and value.ndim < 2 and value.size <= FEW:
            with_values = value.dtype.kind in "if"
            made.graph.initializer.extend([numpy_helper.from_array(value, one.name)] * with_values)
    return made.SerializeToString(), dict(zip((one.name for one in made.graph.output), outputs))


def shape_of(value):
    """That of an array, or of a tensor of a type that arrays have not."""
    return tuple(value.dims) if hasattr(value, "dims") else np.asarray(value).shape


def tried(case, path):
    """What became of a case: equal, no rule, refused, DIFFERS or STRAY; its ops; and what is to be said."""
    data, outputs = as_file(case)
    path.write_bytes(data)
    try:
        found = of_onnx(str(path))
        graph = OnnxGraph(found.record, found.at({name: knob.default for name, knob in found.knobs.items()}), 10_000)
        graph.build()
    except CostcalcError as refused:
        ops = {node.op_type for node in onnx.load_from_string(data).graph.node}
        known = ops <= {*ONNX_OPS, *ONLY_OF_SIZES}
        return ("refused" if known else "no rule"), set(), str(refused)
    except Exception:
        return "STRAY", set(), traceback.format_exc()
    shapes = {name: (tuple(graph.values[name].shape), shape_of(value)) for name, value in outputs.items()}
    differ = {name: both for name, both in shapes.items() if both[0] != both[1]}
    return ("DIFFERS" if differ else "equal"), {node.op for node in found.record.nodes}, str(differ)


def main():
    warnings.simplefilter("ignore")
    results, ops = Counter(), set()
    with tempfile.TemporaryDirectory() as folder:
        for case in collect_testcases(None):
            if not case.data_sets:
                continue
            result, seen, said = tried(case, Path(folder) / "case.onnx")
            results[result] += 1
            ops |= seen
            if result in ("DIFFERS", "STRAY"):
                print(case.name, result, said, flush=True)
    print(f"onnx {onnx.__version__}: {dict(results)}, {len(ops)} operators in equal ones")
    return 1 if results["DIFFERS"] or results["STRAY"] else 0


if __name__ == "__main__":
    sys.exit(main())
