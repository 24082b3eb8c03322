"""Hostile specs and numbers, for the tests that they are refused and the benchmark of how fast."""

from support.paths import DATA

HEAD = "name: x\ntitle: t\nsource: s\ninput: [3, 8, 8]\n"
LAYERS = f"{HEAD}layers:\n"
PAYLOADS = (DATA / "broken" / "payloads.txt").read_text(encoding="utf-8").splitlines()
HOSTILE_NUMBERS = [
    "10**10**10", "9**9**9**9", "10**17", "2**2**2**2**2", "2**99", "(9**16)**16**16", "((9**16)**16)**16", "1e400",
    "1e301", "-1e400", "1e99999999", "1e999999999999999999", "9" * 301, "9" * 999, "9" * 5000, "0." + "1" * 400,
    "0x" + "f" * 999, "0x" + "f" * 5000, "1e-400", "1e-301", "2**-17", "2**0.5", "2**(1/2)", "(1/3)**17", "1/0",
    "1//0", "1%0", "0**-1", "1/(1-1)", ".inf", "-.inf", ".nan", ".Inf", ".NAN", "inf", "nan", "1e1e1",
    "factorial(10**8)", "10**9 * 10**9", "2**16 * 2**16", "2**31 + 1", "4294967296", "1e10", "-1", "0", "-5", "0.5",
    "1/3", "3.999", "round_to(1e300, 1)", "ceil(1e300 * 1e300)", "max(1e300, 1)", "(10**16)**16 * (10**16)**16",
    "*".join(["1e300"] * 40), "*".join(["99999"] * 160), "+".join(["1"] * 200), "(1 - 2)" + "*1" * 99, "-" * 900 + "1",
    "1" + "0" * 299, "1_0" * 110, "-" * 60 + "1", "2**(2**(2**(2**2)))", "0b" + "1" * 900, "10**16.0000001",
]  # fmt: skip


def billion_laughs(levels):
    """Nine times as many leaves at each level."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "\n".join(lines)


def macro_bomb(levels, times):
    """Blocks that are called so many times by the next."""
    blocks = ["  b0: [relu]"] + [f"  b{i}: [{', '.join([f'b{i - 1}'] * times)}]" for i in range(1, levels)]
    return f"{HEAD}blocks:\n" + "\n".join(blocks) + f"\nlayers:\n  - b{levels - 1}"


def chain(levels):
    """Blocks that call each other in a row."""
    blocks = ["  b0: [relu]"] + [f"  b{i}: [b{i - 1}]" for i in range(1, levels)]
    return f"{HEAD}blocks:\n" + "\n".join(blocks) + f"\nlayers:\n  - b{levels - 1}"


def size_bomb(levels, expression):
    """Sizes of which each is an expression in the one before."""
    sizes = ["  a0: 3"] + [f"  a{i}: {expression.format(f'a{i - 1}')}" for i in range(1, levels)]
    return "name: x\ntitle: t\nsource: s\nsizes:\n" + "\n".join(sizes) + f"\ninput: [3, a{levels - 1}]\nlayers: [relu]"


def wide_bomb(calls):
    """A list of 2,000 values in a block that is called again and again with other arguments."""
    values = ", ".join(["a"] * 2000)
    called = "\n".join(f"  - b: {i + 1}" for i in range(calls))
    return f"{HEAD}blocks:\n  b(a):\n    - partial_conv: {{sees: [[{values}]], kernel: 1}}\nlayers:\n{called}"


def nested(*times, inside="relu"):
    """Repeats within repeats, the innermost first."""
    for count in times:
        inside = f"repeat: {{times: {count}, layers: [{inside}]}}"
    return f"{LAYERS}  - {inside}"


def large(layers):
    """A spec of so many layers, about 54 bytes each, some of them in branches."""
    unit = (
        "  - conv: {channels: 16, kernel: 3, padding: 1, bias: false}\n"
        "  - batch_norm\n  - relu\n"
        "  - add: [[], [linear: {features: 8, name: a, when: true}]]\n"
        "  - depthwise: {kernel: 3, stride: 1, padding: same, dilation: 1, multiplier: 1, bias: false, when: 3 > 2}\n"
    )
    return LAYERS + "".join(unit.replace("name: a", f"name: linear_of_unit_{i}") for i in range(layers // 6))


def with_knobs(knobs, sizes, layers):
    """A spec with knobs, so many sizes, one a line, and layers."""
    sizes = "".join(f"  {line}\n" for line in sizes)
    head = f"name: x\ntitle: t\nsource: s\nknobs: {{{knobs}}}\n" + (f"sizes:\n{sizes}" if sizes else "")
    return f"{head}input: [3, r, r]\nlayers:\n{''.join(layers)}"


def tower():
    """A power of a power of a power."""
    sizes = ["t0: 2*w", *(f"t{i}: t{i - 1}**16" for i in range(1, 9))]
    return with_knobs("r: 32, w: 1", sizes, ["  - conv: {channels: t8, kernel: 1}\n"])


def tower_of_sums():
    """Powers of sums: multiplied out they have too many terms for the memory."""
    sizes = ["t0: 2*w + v + 3", *(f"t{i}: (t{i - 1} + w)**16" for i in range(1, 4))]
    return with_knobs("r: 32, w: 1, v: 1", sizes, ["  - conv: {channels: t3 // 7, kernel: 1}\n"])


def roundings():
    """Roundings within roundings, 150 deep."""
    sizes = ["t0: ceil(w)", *(f"t{i}: ceil(t{i - 1}*w*11/10 + w)" for i in range(1, 150))]
    return with_knobs("r: 32, w: {default: 1, kind: real}", sizes, ["  - conv: {channels: t149, kernel: 1}\n"])


def strides():
    """A thousand convolutions with a symbol for their stride: a floor within a floor at each."""
    layers = [f"  - conv: {{name: c{i}, channels: 4, kernel: k, stride: s}}\n" for i in range(1000)]
    return with_knobs("r: 1000, s: 1, k: 1", [], layers)


BLOW_UPS = {make.__name__: make() for make in (tower, tower_of_sums, roundings, strides)}  # as formulas
