"""costcalc: exact parameter and multiply counts of neural-network architectures.

    net = costcalc.load("mobilenet_v1@w=0.5")
    net.cost().macs

All public names are in `__init__.pyi`. See README.md and docs/python.md.
"""

import sys
from importlib import import_module


def _modules() -> dict[str, str]:
    """Each public name and its module, from the lines `from MODULE import NAME as NAME` of the stub."""
    with open(f"{__path__[0]}/__init__.pyi", encoding="utf-8") as stub:
        lines = [line.split() for line in stub if line.startswith("from ")]
    return {name: module for _, module, _, name, *_ in lines}


# Nothing is imported before it is used, because importing sympy, networkx and numpy takes long.
MODULES = _modules()
__all__ = [name for name in MODULES if name != "__version__"]


def __getattr__(name: str) -> object:
    if name not in MODULES:
        raise AttributeError(f"module 'costcalc' has no attribute {name!r}")
    room = MODULES[name]
    value = import_module(f"{room}.{name}") if room == __name__ else getattr(import_module(room), name)
    setattr(sys.modules[__name__], name, value)
    return value


def __dir__() -> list[str]:
    return __all__
