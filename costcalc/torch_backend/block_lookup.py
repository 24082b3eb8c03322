"""Generated code that looks a block up once, where torch.fx looks it up for each of its layers.

nn.Module looks for a submodule last, after all other attributes. For a layer in a block in a stage the three lookups
take longer than the call: more than 1 % of a run of resnet50.
"""

from __future__ import annotations

import ast
import re
from contextlib import suppress

Path = tuple[str, ...]  # of submodules, from the module on


def blocks_once(body: list[str]) -> list[str]:
    """The lines of a forward function, `relu = self.stage.block.relu(x)` as `relu = stage_block.relu(x)` below
    `stage = self.stage` and `stage_block = stage.block`."""
    blocks, lines = _Blocks(body), list[str]()
    for line in body:
        path = _called(line)
        if path:
            line = line.replace(_looked_up("self", *path), blocks.looked_up(path, lines), 1)
        lines.append(line)
    return lines


class _Blocks:
    """The names that blocks have in the code."""

    def __init__(self, body: list[str]):
        self.taken = set(re.findall(r"(?<![.\w])[^\W\d]\w*", "".join(body)))
        self.names: dict[Path, str] = {(): "self"}

    def looked_up(self, path: Path, lines: list[str]) -> str:
        """The code that looks up a submodule in its block. Appends the lines that look up the block, once."""
        *block, last = path
        return _looked_up(self.name(tuple(block), lines), last)

    def name(self, block: Path, lines: list[str]) -> str:
        if block not in self.names:
            lines.append(f"{self.free_name(block)} = {self.looked_up(block, lines)}\n")
        return self.names[block]

    def free_name(self, block: Path) -> str:
        name = re.sub(r"\W", "_", "_".join(block))
        name = name if name.isidentifier() else f"_{name}"
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        self.names[block] = name
        return name


def _looked_up(module: str, *path: str) -> str:
    """As torch.fx writes it."""
    for name in path:
        module = f"{module}.{name}" if name.isidentifier() else f'getattr({module}, "{name}")'
    return module


def _called(line: str) -> Path:
    """The submodule that a line calls; an empty path if it does something else."""
    with suppress(SyntaxError, StopIteration):
        match next(iter(ast.parse(line).body)):
            case ast.Assign(value=ast.Call(func=layer)):
                return _path(layer) or ()
    return ()


def _path(module: ast.expr) -> Path | None:
    match module:
        case ast.Name("self"):
            return ()
        case ast.Attribute(block, name) | ast.Call(ast.Name("getattr"), [block, ast.Constant(name)]):
            path = _path(block)
            return None if path is None else (*path, str(name))
    return None
