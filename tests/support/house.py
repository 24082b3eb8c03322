"""The imports between modules of the package: also inside functions, under TYPE_CHECKING and from `costcalc` itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import costcalc

FLOORS = """
errors <- text version files workers dtype <- dims train_step table <- result <- expressions ops chart <- drawing
<- graph <- models <- spec importers <- pipeline <- analysis <- net <- project lectures <- functions knob_functions
<- store <- report <- predict torch_backend sweep_files exporters <- cli <- __main__ __init__
"""  # each room imports only from what stands before it; some of them are still to come
FLOOR = {room: height for height, row in enumerate(FLOORS.split("<-")) for room in row.split()}
FACES = ("__init__.py",)  # only these may import a module by a computed name


def imports(path: Path) -> set[str]:
    """All imports of costcalc in a file, as `costcalc.room.….name`. Fails for an import that this check cannot see, or
    that does not name a room."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for name in _imported(node, path):
            if name.split(".")[0] == "costcalc":
                found.add(_in_its_room(name, f"{path}:{node.lineno}"))
    return found


def _imported(node: ast.AST, path: Path) -> list[str]:
    match node:
        case ast.Import():
            return [name.name for name in node.names]
        case ast.ImportFrom():
            assert not node.level, f"{path}:{node.lineno}: say costcalc.… in full, or no check sees it"
            return [f"{node.module}.{name.name}" for name in node.names]
        case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called)):
            looked_up = called in ("import_module", "__import__") and path.name not in FACES
            assert not looked_up, f"{path}:{node.lineno}: write an import statement, or no check sees it"
    return []


def _in_its_room(name: str, where: str) -> str:
    """`costcalc.net.load` for `costcalc.load`, which the package re-exports."""
    _, _, rest = name.partition(".")
    if rest in costcalc.__all__ and costcalc.MODULES[rest] != "costcalc":
        return f"{costcalc.MODULES[rest]}.{rest}"
    assert rest.split(".")[0] in FLOOR, f"{where}: import {rest or 'what is needed'} from the room that it is in"
    return name


def upward_imports(package: Path) -> Iterator[str]:
    """`ops/conv.py imports report`, for every room that a file imports from its own height or above."""
    for path in sorted(package.rglob("*.py")):
        here = path.relative_to(package).parts[0].removesuffix(".py")
        for there in sorted({name.split(".")[1] for name in imports(path)}):
            if here != there and FLOOR[there] >= FLOOR[here]:
                yield f"{path.relative_to(package)} imports {there}"


def files_imported(package: Path) -> dict[str, set[str]]:
    """The modules of a package, and for each the other ones that it imports."""
    paths = {
        ".".join((package.name, *path.relative_to(package).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in package.rglob("*.py")
    }
    return {
        here: {there if there in paths else there.rpartition(".")[0] for there in imports(path)}
        for here, path in paths.items()
    }
