"""The same layer graphs in torch: built as modules, verified against torch's own counts, timed on this machine.

The only room that imports torch. `build(graph)` gives a torch.nn.Module.
"""

from costcalc.errors import MissingExtra

try:
    import torch as _torch  # noqa: F401
except ImportError:
    raise MissingExtra("this needs torch", "torch") from None

from costcalc.torch_backend.graph_module import build, example_inputs

__all__ = ["build", "example_inputs"]
