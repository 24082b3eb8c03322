"""The same layer graphs in torch: built as modules, verified against torch's own counts, timed on this machine.

Only this room imports torch. `build("resnet50")`, or of a layer graph, gives a torch.nn.Module. `MODULES` has a
builder for each op, by its name: a reader's own op gets one by `MODULES["squared_relu"] = lambda op, x: SquaredReLU()`,
see `costcalc help add-an-op`.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from costcalc.errors import MissingExtra

if TYPE_CHECKING:
    from costcalc.torch_backend.graph_module import build, example_inputs
    from costcalc.torch_backend.modules import MODULES
    from costcalc.torch_backend.pipeline_timing import TimedPipeline, time_pipeline
    from costcalc.torch_backend.timing import Timing, time_nets
    from costcalc.torch_backend.transfer_timing import time_transfer
    from costcalc.torch_backend.transforms import TRANSFORMS
    from costcalc.torch_backend.verify import Verification, verify_net
    from costcalc.torch_backend.verify_own import OwnVerification


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # a test that takes it away
        return False


for package in ("torch", "psutil"):
    if not _is_installed(package):
        raise MissingExtra(f"this needs {package}", "torch")

WHERE = {
    "MODULES": "modules",
    "OwnVerification": "verify_own",
    "TRANSFORMS": "transforms",
    "TimedPipeline": "pipeline_timing",
    "Timing": "timing",
    "Verification": "verify",
    "build": "graph_module",
    "example_inputs": "graph_module",
    "time_nets": "timing",
    "time_transfer": "transfer_timing",
    "time_pipeline": "pipeline_timing",
    "verify_net": "verify",
}
__all__ = [
    "MODULES",
    "TRANSFORMS",
    "OwnVerification",
    "TimedPipeline",
    "Timing",
    "Verification",
    "build",
    "example_inputs",
    "time_nets",
    "time_pipeline",
    "time_transfer",
    "verify_net",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in WHERE:
        raise AttributeError(f"module 'costcalc.torch_backend' has no attribute {name!r}")
    return getattr(import_module(f"costcalc.torch_backend.{WHERE[name]}"), name)
