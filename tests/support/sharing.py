"""Random specs whose repeats use the weights of layers outside of them."""

HEAD = "name: x\ntitle: t\nsource: s\nknobs: {n: 3, m: 2, c: 4, r: 9}\ninput: [c, r, r]\nlayers:\n"
TIMES = ["n", "m", "n + m", "2", "3", "1", "m - 1"]
OPS = [  # with room for a name, or for whose weights it uses
    "conv: {{channels: c, kernel: 3, padding: same, {}}}",
    "conv: {{channels: c, kernel: 1, bias: false, {}}}",
    "depthwise: {{kernel: 3, padding: same, {}}}",
    "batch_norm: {{{}}}",
]


def random_spec(dice):
    """The text of a spec; at the defaults of its knobs it has fewer than a few hundred layers."""
    lines = []
    _put(dice, lines, "  ", {}, 0)
    return HEAD + "\n".join(lines) + "\n"


def _put(dice, lines, indent, owners, depth):
    """Layers in a row. `owners`: ops by the names of the layers before, whose weights may be used."""
    owners = dict(owners)
    for _ in range(dice.randrange(2, 5)):
        kind = dice.choice(["own", "shared", "shared", "relu", "repeat", "group"])
        if kind == "own" or (kind == "shared" and not owners):
            name = f"layer{len(lines)}"
            owners[name] = dice.choice(OPS)
            lines.append(f"{indent}- {owners[name].format(f'name: {name}')}")
        elif kind == "shared":
            owner = dice.choice([*owners])
            lines.append(f"{indent}- {owners[owner].format(f'shares: {owner}')}")
        elif kind == "relu" or depth == 3:
            lines.append(f"{indent}- relu")
        elif kind == "group":
            lines.append(f"{indent}- group:\n{indent}    layers:")
            _put(dice, lines, f"{indent}      ", owners, depth + 1)
        else:
            shrinks = depth == 0 and dice.random() < 0.3  # then it is counted copy by copy
            lines.append(f"{indent}- repeat:\n{indent}    times: {2 if shrinks else dice.choice(TIMES)}")
            lines.append(f"{indent}    layers:")
            if shrinks:
                lines.append(f"{indent}      - max_pool: {{kernel: 2, stride: 1}}")
            _put(dice, lines, f"{indent}      ", owners, depth + 1)
