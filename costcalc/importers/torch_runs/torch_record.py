"""Records one run of a torch module on meta tensors: nothing is computed, and the module stays as it is.

Under inference mode torch hands composite ops over whole: a linear is one call, and attention is. A dispatch mode sees
them; two hooks of the process say in which module. What a module changes of itself in the run is put back.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from costcalc.importers.torch_runs.run_record import STRICT, Learned, Leniency, Record
from costcalc.importers.torch_runs.torch_failures import place_of, refused
from costcalc.importers.torch_runs.torch_inputs import input_names, meta_inputs, outputs_of, unwrapped
from costcalc.importers.torch_runs.torch_recorder import AsksForValue, Recorder
from costcalc.importers.torch_runs.torch_untouched import untouched


def record(
    module: nn.Module, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None, lenient: Leniency = STRICT
) -> Record:
    """Runs a module once, in evaluation mode, on meta tensors of the shapes of its inputs: tensors, or tuples.

    Raises ImportRefused if it fails, with the module's own words, or if it asks for values and `lenient` does not let
    the run end there.
    """
    module = unwrapped(module)
    recorder = Recorder(module)
    given = meta_inputs(module, (tuple(args), dict(kwargs or {})))
    stopped = ""
    with ExitStack() as stack:
        stack.enter_context(untouched(module))
        for one in module.modules():
            one.training = False
        stack.enter_context(_followed(recorder))
        stack.enter_context(torch.inference_mode())
        names = input_names(module, given)
        inputs = {name: recorder.as_data(tensor) for name, tensor in names.items()}
        stack.enter_context(recorder)
        try:
            out = module(*given[0], **given[1])
            outputs = tuple(recorder.as_data(recorder.on_meta(tensor)) for tensor in outputs_of(out))
        except AsksForValue as error:
            if not lenient.until_values or not recorder.calls:
                raise refused(module, recorder, error) from error
            stopped, outputs = place_of(module, recorder, error), recorder.last_results()
        except Exception as error:
            raise refused(module, recorder, error) from error
    learned = _learned(module, recorder)
    return Record(type(module).__name__, inputs, learned, tuple(recorder.calls), outputs, lenient, stopped)


@contextmanager
def _followed(recorder: Recorder) -> Iterator[None]:
    """Tells a recorder which module runs."""
    before = register_module_forward_pre_hook(lambda module, _: recorder.stack.append(module))

    def leave(module: nn.Module, *_: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None and error is not recorder.failed[0]:
            recorder.failed = error, recorder.paths.get(id(module), "")
        if recorder.stack and recorder.stack[-1] is module:
            recorder.stack.pop()

    after = register_module_forward_hook(leave, always_call=True)
    try:
        yield
    finally:
        before.remove()
        after.remove()


def _learned(module: nn.Module, recorder: Recorder) -> dict[int, Learned]:
    """What modules hold, shared tensors once. A tensor that the run does not read gets a number too."""
    found: dict[int, Learned] = {}
    for is_buffer, tensors in ((False, module.named_parameters()), (True, module.named_buffers())):
        for path, tensor in tensors:
            known = recorder.as_data(recorder.on_meta(tensor))
            path = path.replace("._orig_mod", "")
            found.setdefault(known.number, Learned(path, known, is_buffer, tensor.requires_grad))
    return found
