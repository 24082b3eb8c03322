"""One step of a network on a device, timed in its parts: the forward pass, and in training backward and optimizer."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, fx

from costcalc.graph import Graph
from costcalc.torch_backend.graph_module import build, example_inputs
from costcalc.torch_backend.settings import BadSetting, Settings

INFERENCE = ("forward",)
TRAINING = ("forward", "backward", "optimizer")


class Clock:
    """Marks in time: of a monotonic clock on the CPU, of events on a GPU, where work is only queued."""

    def __init__(self, device: str):
        self.on_gpu = device.startswith("cuda")

    def mark(self) -> Any:
        """Now, in the order of the device's work."""
        if not self.on_gpu:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        return event

    def seconds(self, marks: list[Any]) -> list[float]:
        """Between one mark and the next, once all of it is done."""
        if not self.on_gpu:
            return [b - a for a, b in pairwise(marks)]
        torch.cuda.synchronize()
        return [a.elapsed_time(b) / 1000 for a, b in pairwise(marks)]


class Step:
    """A network with random inputs, ready to be run again and again; after each run it calls `done`."""

    def __init__(self, graph: Graph, settings: Settings, done: Callable[[], None] = lambda: None):
        prepare(settings)
        self.done = done
        self.settings, self.clock = settings, Clock(settings.device)
        self.module = built(graph, settings)
        self.inputs = inputs_of(self.module, settings)
        self.parts = TRAINING if settings.train else INFERENCE
        self.once = self._training() if settings.train else self._inference()

    def run(self) -> list[float]:
        """Seconds of each part of one step."""
        seconds = self.clock.seconds(self.once())
        self.done()
        return seconds

    def forget_gradients(self) -> None:
        """Frees what the last training step left for the next to free."""
        for parameter in self.module.parameters():
            parameter.grad = None

    def _inference(self) -> Callable[[], list[Any]]:
        call, mark, inputs = engine(self.module, self.inputs, self.settings), self.clock.mark, self.inputs

        def once() -> list[Any]:
            with torch.inference_mode():
                start = mark()
                call(*inputs)
                return [start, mark()]

        return once

    def _training(self) -> Callable[[], list[Any]]:
        if not any(True for _ in self.module.parameters()):
            raise BadSetting("it has no weights to train; leave out --train")
        call, mark, inputs = engine(self.module, self.inputs, self.settings), self.clock.mark, self.inputs
        optimizer = torch.optim.SGD(self.module.parameters(), lr=1e-6)

        def once() -> list[Any]:
            optimizer.zero_grad(set_to_none=True)
            marks = [mark()]
            loss = mean_of(call(*inputs))
            marks.append(mark())
            loss.backward()  # type: ignore[no-untyped-call]
            marks.append(mark())
            optimizer.step()
            return [*marks, mark()]

        return once


def mean_of(outputs: Any) -> Tensor:
    """A loss that depends on every output."""
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return torch.stack([out.float().mean() for out in outputs]).sum()


def prepare(settings: Settings) -> None:
    """Device, threads and precision of this process, as the settings say; nothing is left to a default that may differ.

    What names no device, as events, torch.cuda.synchronize and the allocator's figures do, means the one set here.
    """
    if settings.device.startswith("cuda"):
        torch.cuda.set_device(settings.device)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    torch.backends.cuda.matmul.allow_tf32 = settings.tf32
    torch.backends.cudnn.allow_tf32 = settings.tf32
    torch.backends.cudnn.benchmark = True  # the warm-up chooses the kernels


def built(graph: Graph, settings: Settings) -> fx.GraphModule:
    """The network on its device, in its precision and memory format, and mode."""
    torch.manual_seed(0)
    module = build(graph, device=settings.device, dtype=getattr(torch, settings.dtype))
    if settings.channels_last:
        for parameter in module.parameters():
            parameter.data = channels_last(parameter.data)
    return module.train(settings.train)


def channels_last(tensor: Tensor) -> Tensor:
    """The same, of two or three axes besides batch and channels with the channels last in memory."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return tensor.to(memory_format=formats[tensor.dim()]) if tensor.dim() in formats else tensor


def inputs_of(module: fx.GraphModule, settings: Settings) -> tuple[Tensor, ...]:
    """Random inputs of the settings' batch."""
    dtype = getattr(torch, settings.dtype)
    tensors = example_inputs(module, batch=settings.batch, device=settings.device, dtype=dtype)
    if not settings.channels_last:
        return tensors
    if all(t.dim() not in (4, 5) for t in (*tensors, *module.parameters())):
        raise BadSetting("none of its tensors has channels and an image; leave out --channels-last")
    return tuple(map(channels_last, tensors))


def engine(module: fx.GraphModule, inputs: tuple[Tensor, ...], settings: Settings) -> Callable[..., Any]:
    """What is called: the module itself, its compiled form, or a captured CUDA graph."""
    if settings.engine == "compile":
        return torch.compile(module)
    if settings.engine == "cuda_graph":
        return _captured(module, inputs)
    return module


def _captured(module: fx.GraphModule, inputs: tuple[Tensor, ...]) -> Callable[..., Any]:
    """A replay of the kernels of one call (torch.cuda.CUDAGraph), after a few calls on a side stream."""
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side), torch.inference_mode():
        for _ in range(3):
            module(*inputs)
    torch.cuda.current_stream().wait_stream(side)
    captured = torch.cuda.CUDAGraph()
    with torch.inference_mode(), torch.cuda.graph(captured):
        module(*inputs)
    return lambda *_: captured.replay()
