"""Runs a step of a network on a device and times its parts: forward, and in training backward and optimizer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, fx, nn

from costcalc.graph import Graph
from costcalc.torch_backend.device_memory import keep_freed_memory
from costcalc.torch_backend.examples import Batch, Examples
from costcalc.torch_backend.graph_module import build
from costcalc.torch_backend.own_module import Called, OwnModule, learned_outputs
from costcalc.torch_backend.settings import BadSetting, Settings
from costcalc.torch_backend.torch_step import (
    autocast,
    cross_entropy,
    evaluate_frozen_statistics,
    make_optimizer,
    make_targets,
    trained_parameters,
    weights_dtype,
)

INFERENCE = ("forward",)
TRAINING = ("forward", "backward", "optimizer")
ONE_BATCH = Examples()


class Clock:
    """Takes marks in time: of a monotonic clock on the CPU, events on a GPU, where work is only queued."""

    def __init__(self, device: str):
        self.on_gpu = device.startswith("cuda")

    def mark(self) -> Any:
        """A mark in the order of the device's work."""
        if not self.on_gpu:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        return event

    def seconds(self, marks: list[Any]) -> list[float]:
        """The seconds between neighbouring marks; waits until the work is done."""
        if not self.on_gpu:
            return [b - a for a, b in pairwise(marks)]
        torch.cuda.synchronize()
        return [a.elapsed_time(b) / 1000 for a, b in pairwise(marks)]


class Runner:
    """Runs a network on the batches of its examples in turn, again and again; calls `on_step` after each step."""

    def __init__(
        self, graph: Graph, settings: Settings, on_step: Callable[[], None] = lambda: None,
        examples: Examples = ONE_BATCH, own: OwnModule | None = None,
    ):  # fmt: skip
        """Runs the module that is built from the graph, or the reader's own from which the graph was imported."""
        configure_torch(settings)
        self.on_step, self.graph = on_step, graph
        self.settings, self.clock = settings, Clock(settings.device)
        self.module: Any  # a fx.GraphModule, or Called
        if own is None:
            self.module = build_module(graph, settings)
            found = examples.make(self.module, settings, settings.train)
        else:
            self.module = own_module(own, settings)
            found = [own_batch(self.module, settings)]
        self.batches = in_memory_format(found, self.module, settings)
        self.inputs, self.targets = self.batches[0]
        self.steps = 0
        call = compile_for_engine(self.module, self.inputs, settings)
        self.run_once = self._training(call) if settings.train else self._inference(call)

    def run(self) -> list[float]:
        """Seconds of each part of one step."""
        self.inputs, self.targets = self.batches[self.steps % len(self.batches)]
        self.steps += 1
        seconds = self.clock.seconds(self.run_once())
        self.on_step()
        return seconds

    def free_gradients(self) -> None:
        """Frees the gradients of the last training step."""
        for parameter in self.module.parameters():
            parameter.grad = None

    def loss(self, outputs: Any, targets: Sequence[Tensor]) -> Tensor:
        """The loss of a step."""
        return cross_entropy(learned_outputs(outputs) if isinstance(self.module, Called) else outputs, targets)

    def _inference(self, call: Callable[..., Any]) -> Callable[[], list[Any]]:
        mark = self.clock.mark

        def once() -> list[Any]:
            inputs = self.inputs
            with torch.inference_mode():
                start = mark()
                call(*inputs)
                return [start, mark()]

        return once

    def _training(self, call: Callable[..., Any]) -> Callable[[], list[Any]]:
        mark = self.clock.mark
        optimizer = make_optimizer(self.settings.optimizer, trained_parameters(self.module))

        def once() -> list[Any]:
            inputs, targets = self.inputs, self.targets
            optimizer.zero_grad(set_to_none=True)
            marks = [mark()]
            with autocast(self.settings):
                loss = self.loss(call(*inputs), targets)
            marks.append(mark())
            loss.backward()  # type: ignore[no-untyped-call]
            marks.append(mark())
            optimizer.step()
            return [*marks, mark()]

        return once


def configure_torch(settings: Settings) -> None:
    """Sets device, threads and precision of this process; leaves nothing to defaults, which may differ.

    Events, torch.cuda.synchronize and the allocator's statistics name no device: they use the one set here.
    """
    if settings.device.startswith("cuda"):
        torch.cuda.set_device(settings.device)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    torch.backends.cuda.matmul.allow_tf32 = settings.tf32
    torch.backends.cudnn.allow_tf32 = settings.tf32
    torch.backends.cudnn.benchmark = True  # the warm-up chooses the kernels


def build_module(graph: Graph, settings: Settings) -> fx.GraphModule:
    """Builds the network on its device, in its precision, memory format and mode."""
    torch.manual_seed(0)
    module = build(graph, device=settings.device, dtype=weights_dtype(settings))
    if settings.channels_last:
        for parameter in module.parameters():
            parameter.data = channels_last(parameter.data)
    module.train(settings.train)
    if settings.freeze_statistics:
        evaluate_frozen_statistics(module, graph)
    return module


def channels_last(tensor: Tensor) -> Tensor:
    """A tensor of 4 or 5 axes with the channels last in memory; other tensors as they are."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return tensor.to(memory_format=formats[tensor.dim()]) if tensor.dim() in formats else tensor


def own_module(own: OwnModule, settings: Settings) -> Called:
    """A reader's own module on its device, in its precision, memory format and mode, with its inputs."""
    torch.manual_seed(0)
    if settings.device == "cpu":
        keep_freed_memory()  # as a built one does
    dtype = weights_dtype(settings)
    module = own.source.in_memory().to(device=settings.device, dtype=dtype)
    own.freeze(module)
    if settings.channels_last:
        for parameter in module.parameters():
            parameter.data = channels_last(parameter.data)
    module.train(settings.train)
    if settings.freeze_statistics:
        own.evaluate_frozen_statistics(module)
    return Called(module, own.make_inputs(module, settings.device, dtype))


def own_batch(module: Called, settings: Settings) -> Batch:
    """The inputs of a module, and classes for the outputs that have a gradient: it runs once for their shapes. Raises
    BadSetting if no output has classes."""
    if not settings.train:
        return module.tensors, ()
    with autocast(settings):
        shapes = [tuple(out.shape) for out in learned_outputs(module(*module.tensors))]
    if not shapes or not all(shapes):
        said = "none of its outputs has a gradient" if all(shapes) else "an output is one number, without classes"
        raise BadSetting(f"{said}: there is no cross-entropy to train with; leave out --train")
    return module.tensors, make_targets(shapes, settings.device)


def in_memory_format(found: list[Batch], module: nn.Module, settings: Settings) -> list[Batch]:
    """The batches in the settings' memory format. Raises BadSetting if that changes nothing."""
    if not settings.channels_last:
        return found
    if all(t.dim() not in (4, 5) for inputs, _ in found for t in (*inputs, *module.parameters())):
        raise BadSetting("none of its tensors has channels and an image; leave out --channels-last")
    return [(tuple(map(channels_last, inputs)), targets) for inputs, targets in found]


def compile_for_engine(module: nn.Module, inputs: tuple[Tensor, ...], settings: Settings) -> Callable[..., Any]:
    """The callable to time: the module, its compiled form, or a captured CUDA graph."""
    if settings.engine == "compile":
        return torch.compile(module)
    if settings.engine == "cuda_graph":
        return _capture_cuda_graph(module, inputs)
    return module


def _capture_cuda_graph(module: nn.Module, inputs: tuple[Tensor, ...]) -> Callable[..., Any]:
    """Captures the kernels of a call as a torch.cuda.CUDAGraph, after calls on a side stream; returns the replay."""
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
