"""Hostile files of ONNX and of safetensors: crafted ones, and mutants of good ones with a fixed seed."""

from __future__ import annotations

import json
import random

import onnx
from onnx import TensorProto
from support.onnx_files import model, node

from costcalc.importers.onnx_files.onnx_ops import ONLY_OF_SIZES, ONNX_OPS

SEEDS = {  # small networks with every kind of node
    "convolutions": (
        [node("Conv", "x w b", "c", strides=[2, 2], pads=[1, 1, 1, 1]), node("BatchNormalization", "c b b2 m v", "n"),
         node("Relu", "n", "r"), node("MaxPool", "r", "p", kernel_shape=[3, 3], ceil_mode=1), node("Shape", "p", "s"),
         node("Gather", "s zero", "g"), node("Unsqueeze", "g axis", "u"), node("Concat", "u minus", "z", axis=0),
         node("Reshape", "p z", "f"), node("Gemm", "f k", "y", transB=1)],
        {"x": ["batch", 3, 9, 9]},
        {"w": (4, 3, 3, 3), "b": (4,), "b2": (4,), "m": (4,), "v": (4,), "zero": 0, "axis": [0], "minus": [-1],
         "k": (5, 36)},
    ),
    "sequences": (
        [node("Gather", "table x", "e"), node("Transpose", "e", "t", perm=[1, 0, 2]),
         node("LSTM", "t w r b", "l", hidden_size=4, direction="bidirectional"), node("Slice", "l from to", "p"),
         node("Squeeze", "p axis", "q"), node("MatMul", "q k", "a"), node("Add", "a bias", "d"),
         node("LayerNormalization", "d bias bias2", "n"), node("Softmax", "n", "y")],
        {"x": ["n", 7]},
        {"table": (11, 3), "w": (2, 16, 3), "r": (2, 16, 4), "b": (2, 32), "axis": [0], "from": [0], "to": [1],
         "k": (4, 6), "bias": (6,), "bias2": (6,)},
    ),
    "moves": (
        [node("Resize", "x _ scales", "a", mode="linear"), node("Split", "a", "b c", axis=1),
         node("Pad", "b pads", "d"), node("Expand", "c shape", "e"),
         node("Einsum", "e e", "f", equation="abcd,abce->de"), node("TopK", "f k", "g i"), node("Where", "g g g", "h"),
         node("ReduceMean", "h", "m", axes=[0]), node("Tile", "m times", "y"),
         node("ConvTranspose", "x w", "o")],
        {"x": [1, 4, 6, 6]},
        {"scales": [1.0, 1.0, 2.0, 1.5], "pads": [0, 0, 1, 1, 0, 0, 1, 1], "shape": [1, 2, 12, 9], "k": [2],
         "times": [1, 3], "w": (4, 2, 3, 3)}, "y o",
    ),
}  # fmt: skip


def seeds() -> list[bytes]:
    """The files of the networks."""
    return [
        model(*args, **{"opset": 13} if name == "moves" else {}).SerializeToString() for name, args in SEEDS.items()
    ]


def mutants(good: list[bytes], count: int, seed: int) -> list[bytes]:
    """So many files, each made of a good one by some changes of bytes."""
    chance = random.Random(seed)
    return [_mutant(chance, good) for _ in range(count)]


NUMBERS = (-(2**63), -(2**31), -7, -1, 0, 1, 2, 3, 7, 64, 2**31 - 1, 2**31, 2**40, 2**63 - 1)


def changed_models(good: list[bytes], count: int, seed: int) -> list[bytes]:
    """So many ONNX files that the parser takes: other ops, numbers, shapes, inputs and types than in good ones."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        made = onnx.ModelProto.FromString(chance.choice(good))
        for _ in range(chance.choice((1, 1, 2, 3, 6))):
            _change(chance, made)
        found.append(made.SerializeToString())
    return found


def _change(chance: random.Random, made: onnx.ModelProto) -> None:
    graph = made.graph
    one = chance.choice(graph.node)
    names = [name for other in graph.node for name in (*other.input, *other.output)]
    match chance.randrange(9):
        case 0:
            one.op_type = chance.choice(sorted({*ONNX_OPS, *ONLY_OF_SIZES}))
        case 1 if one.attribute:
            given = chance.choice(one.attribute)
            values = [chance.choice(NUMBERS) for _ in range(chance.randrange(5))]
            name = chance.choice([given.name, "axis", "axes", "perm", "pads", "strides", "group", "mode", "shape"])
            kind = chance.choice(["ints", "i", "f", "s", "floats"])
            value = {"ints": values, "i": chance.choice(NUMBERS), "f": 1e30, "s": "x", "floats": [0.5, 1e38]}[kind]
            given.CopyFrom(onnx.helper.make_attribute(name, value, attr_type=KINDS[kind]))
        case 2:
            name = chance.choice(
                ["axis", "axes", "keepdims", "to", "k", "blocksize", "direction", "ceil_mode", "split"]
            )
            one.attribute.append(onnx.helper.make_attribute(name, chance.choice(NUMBERS)))
        case 3 if one.input:
            one.input[chance.randrange(len(one.input))] = chance.choice(["", *names])
        case 4:
            one.input.append(chance.choice(["", *names]))
        case 5 if one.input:
            del one.input[chance.randrange(len(one.input))]
        case 6 if graph.initializer:
            tensor = chance.choice(graph.initializer)
            tensor.dims[:] = [abs(chance.choice(NUMBERS[1:])) for _ in range(chance.randrange(4))]
            if chance.random() < 0.5:
                values = [chance.choice(NUMBERS) for _ in range(chance.randrange(4))]
                tensor.CopyFrom(onnx.helper.make_tensor(tensor.name, 7, [len(values)], values))
        case 7:
            shape = chance.choice(graph.input).type.tensor_type.shape
            size = chance.choice(shape.dim)
            size.dim_value = chance.choice([0, 1, 2, 5, 6, 7, 2**31, 2**40])
        case 8:
            made.opset_import[0].version = chance.choice([1, 5, 7, 10, 11, 13, 18, 23, 26])


KINDS = {"ints": 7, "i": 2, "f": 1, "s": 3, "floats": 6}  # of attributes


def _mutant(chance: random.Random, good: list[bytes]) -> bytes:
    data = bytearray(chance.choice(good))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(len(data) + 1)
        size = chance.choice((1, 1, 2, 8, 40))
        match chance.randrange(7):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                data[at : at + size] = b""
            case 2:
                data[at:at] = chance.randbytes(size)
            case 3:
                data[at:at] = data[at : at + size]
            case 4 if data:
                data[at % len(data)] ^= 1 << chance.randrange(8)
            case 5:
                other = chance.choice(good)
                start = chance.randrange(len(other))
                data[at : at + size] = other[start : start + size]
            case 6 if chance.random() < 0.2:
                del data[at:]
    return bytes(data)


def field(number: int, body: bytes) -> bytes:
    """A field of a protobuf message."""
    return bytes([number << 3 | 2]) + varint(len(body)) + body


def varint(value: int) -> bytes:
    """A number in seven bits a byte."""
    found = []
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def bodies(depth: int) -> bytes:
    """A graph whose node has a graph for an attribute, and so on."""
    graph = b""
    for _ in range(depth):
        graph = field(1, field(4, b"If") + field(5, field(6, graph) + b"\xa0\x01\x05"))
    return graph


def crafted() -> dict[str, bytes]:
    """Files that ask for much memory, for other files, or for no end."""
    big = 2**62
    cases = {
        "huge sizes": ([node("Relu", "x", "y")], {"x": [big, big, big]}),
        "a huge tensor": ([node("MatMul", "x w", "y")], {"x": [1, 2]}),
        "a huge range": ([node("Range", "a b c", "y")], {"x": [1]}, {"a": 0, "b": 2**61, "c": 1}),
        "a huge fill": ([node("ConstantOfShape", "s", "c"), node("Add", "x c", "y")], {"x": [1]}, {"s": [big, big]}),
        "a huge expansion": ([node("Expand", "x s", "y")], {"x": [1]}, {"s": [big] * 40}),
        "squares of squares": (
            [node("Mul", "a a", "m0"), *(node("Mul", f"m{i} m{i}", f"m{i + 1}") for i in range(200)),
             node("Reshape", "x m200", "y")], {"x": [4]}, {"a": [3]},
        ),
        "axes upon axes": (
            [node("Gather", "x i", "g0"), *(node("Gather", f"g{i} i", f"g{i + 1}") for i in range(100)),
             node("Relu", "g100", "y")], {"x": [4, 4]}, {"i": [[0, 1]]},
        ),
        "twice and twice": (
            [node("Concat", "x x", "c0", axis=0),
             *(node("Concat", f"c{i} c{i}", f"c{i + 1}", axis=0) for i in range(99)), node("Relu", "c99", "y")],
            {"x": [4]},
        ),
        "a cycle": ([node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")], {"x": [1]}),
        "many axes": ([node("Relu", "x", "y")], {"x": [1] * 10_000}),
        "many ops without a rule": ([node(f"Op{i}" * 20, "x", f"y{i}") for i in range(500)], {"x": [1]}, {}, "y1"),
        "escapes": ([node("\x1b]8;;http://evil\x07", "x", "y", "\x1b[2J‮")], {"x": [1]}),
        "a step of 0": ([node("Slice", "x a b c d", "y")], {"x": [4]}, {"a": [0], "b": [4], "c": [0], "d": [0]}),
        "a divisor of 0": ([node("Div", "a b", "s"), node("Reshape", "x s", "y")], {"x": [4]}, {"a": [4], "b": [0]}),
        "groups of 0": ([node("Conv", "x w", "y", group=0)], {"x": [1, 3, 8, 8]}, {"w": (4, 3, 3, 3)}),
        "strides of 0": ([node("Conv", "x w", "y", strides=[0, 0])], {"x": [1, 3, 8, 8]}, {"w": (4, 3, 3, 3)}),
        "a kernel of 0": ([node("MaxPool", "x", "y", kernel_shape=[0, 2**40])], {"x": [1, 3, 8, 8]}),
        "an axis far away": ([node("Unsqueeze", "x a", "y")], {"x": [4]}, {"a": [2**62]}),
    }  # fmt: skip
    found = {name: model(*args).SerializeToString() for name, args in cases.items()}
    huge = model(*cases["a huge tensor"])
    huge.graph.initializer.append(TensorProto(name="w", data_type=1, dims=[2, big]))
    found["a huge tensor"] = huge.SerializeToString()
    found["bodies in bodies"] = found["a cycle"] + field(7, bodies(20))
    found["many bodies in bodies"] = found["a cycle"] + field(7, bodies(5000))
    outside = model([node("Reshape", "x s", "y")], {"x": [4]}, {"s": [4]})
    onnx.external_data_helper.set_external_data(outside.graph.initializer[0], "/etc/passwd", offset=0, length=8)
    outside.graph.initializer[0].ClearField("raw_data")
    found["a shape in another file"] = outside.SerializeToString()
    return found | {
        "nothing": b"", "a length without an end": b"\x3a" + b"\xff" * 9 + b"\x01", "groups": b"\x0b" * 10_000,
        "deep messages": b"\x3a\xff\xff\xff\x7f" * 1000, "an endless number": b"\xff" * 1000,
    }  # fmt: skip


def header(entries: object, data: bytes = b"") -> bytes:
    """A safetensors file."""
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text + data


TENSORS = {
    "__metadata__": {"format": "pt"},
    "a.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    "a.bias": {"dtype": "BF16", "shape": [3], "data_offsets": [24, 30]},
    "n": {"dtype": "I64", "shape": [], "data_offsets": [30, 38]},
}
GOOD_TENSORS = header(TENSORS, bytes(38))


def tensor(**changed) -> bytes:
    """A file with one tensor of 24 bytes, changed."""
    return header({"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24], **changed}}, bytes(24))


BAD_TENSORS = {
    "nothing": b"", "short": b"\x08\0\0", "a length of 2^63": (2**63).to_bytes(8, "little") + b"{}",
    "a header of 26 MB": (26_000_000).to_bytes(8, "little") + bytes(26_000_000), "no JSON": header(b"{hello"),
    "a list": header(b"[]"), "a list of lists": header(b"{" + b"[" * 100_000), "deep": header(b'{"a":' * 50_000),
    "a number of 5,000 digits": tensor().replace(b"[2, 3]", b"[" + b"9" * 5000 + b"]"),
    "twice": header(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
                    b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"),
    "another type": tensor(dtype="F33"), "a type that is a list": tensor(dtype=[]), "a float": tensor(shape=[2.0, 3]),
    "a bool": tensor(shape=[True, 6]), "a negative size": tensor(shape=[-2, -3]), "a huge size": tensor(shape=[2**40]),
    "other bytes": tensor(shape=[2, 4]), "a gap": tensor(data_offsets=[8, 32]),
    "turned round": tensor(data_offsets=[24, 0]),
    "a field more": tensor(extra=1), "a field less": header({"a": {"dtype": "F32", "shape": [6]}}, bytes(24)),
    "data after the end": tensor() + b"x", "data cut": tensor()[:-1],
    "infinity": tensor().replace(b"24]", b"Infinity]"),
    "no entry": header({"a": 3}), "no UTF-8": header(b'{"\xff": 1}'), "many axes": tensor(shape=[1] * 10_000),
}  # fmt: skip
