"""Other counters of multiplies, each called as its own documentation says.

A counter that fails half-way may leave torch's functions patched, and the next one would count with them. So each runs
in a process of its own.
"""

from __future__ import annotations

import contextlib
import io
import logging
import multiprocessing
import os
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

import torch
from torch import nn

Inputs = tuple[torch.Tensor, ...]
ULTRALYTICS_FOLDER = "ULTRALYTICS_THOP"  # the variable that names the folder


class Named(nn.Module):
    """A module whose inputs have names: ptflops hands over several inputs by keyword only."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module

    def forward(self, **ins: torch.Tensor) -> Any:
        return self.module(*ins.values())


def torchs(module: nn.Module, ins: Inputs) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        module(*ins)
    return counter.get_total_flops() / 2


def fvcore(module: nn.Module, ins: Inputs) -> float:
    from fvcore.nn import FlopCountAnalysis

    return FlopCountAnalysis(module, ins).unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()


def thop(module: nn.Module, ins: Inputs) -> float:
    from thop import profile

    return profile(module, inputs=ins, verbose=False)[0]


def ptflops(backend: str) -> Callable[[nn.Module, Inputs], float]:
    """`aten` is the one its README recommends, `pytorch` the one that a call without a choice gets."""

    def count(module: nn.Module, ins: Inputs) -> float:
        from ptflops import get_model_complexity_info

        given: Any = ins[0]
        if len(ins) > 1:
            module, given = Named(module), {f"x{i}": x for i, x in enumerate(ins)}
        found = get_model_complexity_info(
            module, (1,), input_constructor=lambda _: given, as_strings=False, print_per_layer_stat=False,
            backend=backend,
        )[0]  # fmt: skip
        if found is None:
            raise RuntimeError("ptflops gave nothing")
        images = len(ins[0]) if backend == "pytorch" and len(ins) == 1 else 1
        return found * images  # that backend says the mean of the batch's images

    return count


def torchinfo(module: nn.Module, ins: Inputs) -> float:
    from torchinfo import summary

    return summary(module, input_data=ins, verbose=0).total_mult_adds


def calflops(module: nn.Module, ins: Inputs) -> float:
    from calflops import calculate_flops

    if not list(module.parameters()):  # it asks the first for its device
        module.register_parameter("unused", nn.Parameter(torch.zeros(1)))
    return calculate_flops(module, args=list(ins), print_results=False, output_as_string=False)[1]


def deepspeed(module: nn.Module, ins: Inputs) -> float:
    from deepspeed.profiling.flops_profiler import get_model_profile

    return get_model_profile(module, args=list(ins), print_profile=False, as_string=False, warm_up=0)[1]


def torchlens(module: nn.Module, ins: Inputs) -> float:
    from torchlens import trace

    return float(trace(module, list(ins)).total_macs_forward)


IN_MAIN = ("torchlens",)  # refuse to run in a forked process


def ultralytics_thop(module: nn.Module, ins: Inputs) -> float:
    """Its package is called thop as well, so it is installed into a folder of its own."""
    sys.path.insert(0, os.environ.get(ULTRALYTICS_FOLDER, ""))
    import thop as found

    if not Path(found.__file__).is_relative_to(os.environ.get(ULTRALYTICS_FOLDER, "")):
        raise ModuleNotFoundError(name="ultralytics-thop")
    return found.profile(module, inputs=ins, verbose=False)[0]


PEERS: dict[str, Callable[[nn.Module, Inputs], float]] = {
    "torch": torchs, "fvcore": fvcore, "thop": thop, "ptflops aten": ptflops("aten"),
    "ptflops pytorch": ptflops("pytorch"), "torchinfo": torchinfo, "calflops": calflops, "deepspeed": deepspeed,
    "ultralytics-thop": ultralytics_thop, "torchlens": torchlens,
}  # fmt: skip


@contextlib.contextmanager
def quietly() -> Any:
    """Silences prints, logs and warnings of counters."""
    logging.disable(logging.CRITICAL)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def alone(work: Callable[..., Any], *given: Any) -> Any:
    """The result of `work` in a fresh process, or its error as text."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(tried, (work, given))


def tried(work: Callable[..., Any], given: Any) -> Any:
    torch.set_num_threads(torch.get_num_threads())  # a fork has no threads of its parent's
    try:
        with torch.no_grad(), quietly():
            return work(*given)
    except ModuleNotFoundError as error:
        return f"not installed: {error.name}"
    except Exception as error:
        return f"error: {type(error).__name__}: {error}"


def versions() -> str:
    """Every peer with its version."""
    found = []
    for name in dict.fromkeys(peer.split()[0] for peer in PEERS):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            inside = distributions(name=name, path=[os.environ.get(ULTRALYTICS_FOLDER, "")])
            found.append(f"{name} {next((one.version for one in inside), 'not installed')}")
    return ", ".join(found)
