"""Why a run of a module failed: in which module, at which line of the reader's code, and what to do about it."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import Any

import torch
from torch import nn

from costcalc.errors import ImportRefused, in_one_line
from costcalc.importers.torch_runs.torch_inputs import signature_of
from costcalc.importers.torch_runs.torch_recorder import AsksForValue

OWN = Path(__file__).parents[2]  # the package


def place_of(module: nn.Module, recorder: Any, error: Exception) -> str:
    """The module that ran when a run failed, and the line: `in 'rpn', nets.py:9`."""
    left, path = getattr(recorder, "failed", (None, ""))
    if left is not error:
        path = recorder.paths.get(id(recorder.stack[-1]), "") if recorder.stack else ""
    where = f"in {path!r}" if path else f"in {type(module).__name__}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_ours_or_torchs(frame.filename)]
    if not frames:
        return where
    readers = [frame for frame in frames if f"{os.sep}site-packages{os.sep}" not in frame.filename]
    last = (readers or frames)[-1]
    file = last.filename.rpartition(f"{os.sep}site-packages{os.sep}")[2]  # of an installed package its own path
    return f"{where}, {file}:{last.lineno}"


def refused(module: nn.Module, recorder: Any, error: Exception) -> ImportRefused:
    """Why a run failed: it asked for a value, or wants other inputs; in which module, and at which line."""
    where = place_of(module, recorder, error)
    if isinstance(error, ImportRefused):
        return ImportRefused(f"{where}: {error}")
    if isinstance(error, AsksForValue):
        said = "asks for the value of a tensor that its input, weights or chance lead to, so its cost is not fixed"
        return ImportRefused(f"{where}: it {said}", "--until-values counts what runs before that")
    words = in_one_line(next(iter(str(error).strip().splitlines()), ""))
    of_inputs = isinstance(error, (TypeError, RuntimeError, LookupError, AttributeError))
    hint = f"it takes {signature_of(module)}; give the shapes of its inputs (--input)" if of_inputs else ""
    return ImportRefused(f"{where}: {type(error).__name__}: {words}", hint)


def _is_ours_or_torchs(path: str) -> bool:
    return any(path.startswith(f"{folder}{os.sep}") for folder in (Path(torch.__file__).parent, OWN))
