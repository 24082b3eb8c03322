"""Features on disk, the outputs of a network before its head: a file for each, with the bytes of one batch after
another. Also how fast that disk writes and reads."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

PROBE_BYTES = 2**26  # written and read to measure a disk
BLOCK_BYTES = 2**22


class DiskRates(NamedTuple):
    """Bytes a second."""

    write: float
    read: float


def write_features(module: Any, batches: Sequence[tuple[Tensor, ...]], paths: Sequence[Path]) -> int:
    """Computes the outputs of a module for each batch, and writes each output to its file. Returns the bytes."""
    files = [path.open("wb") for path in paths]
    written = 0
    try:
        for inputs in batches:
            with torch.inference_mode():
                outputs = module(*inputs)
            for file, out in zip(files, outputs if isinstance(outputs, tuple) else (outputs,), strict=True):
                written += file.write(_bytes(out.detach().cpu().contiguous()))
    finally:
        for file in files:
            file.close()
    return written


def read_features(path: Path, shape: tuple[int, ...], dtype: torch.dtype, batch: int) -> Tensor:
    """One batch of a file of features. Raises OSError if the file ends before."""
    found = torch.empty(shape, dtype=dtype)
    size = found.numel() * found.element_size()
    with path.open("rb", buffering=0) as file:
        file.seek(batch * size)
        if file.readinto(_bytes(found)) != size:
            raise OSError(f"{path.name} ends before its batch {batch}")
    return found


def _bytes(tensor: Tensor) -> memoryview:
    """The memory of a dense tensor on the CPU."""
    array: Any = tensor.reshape(-1).view(torch.uint8).numpy()
    return memoryview(array)


def disk_rates(folder: Path, size: int = PROBE_BYTES) -> DiskRates:
    """Writes a file to a folder and waits until it is on the disk; reads it back past the system's cache, where the
    system can be told to drop it (posix_fadvise); removes it."""
    path, block = folder / "probe", os.urandom(BLOCK_BYTES)
    start = time.perf_counter()
    with path.open("wb", buffering=0) as file:
        for _ in range(size // BLOCK_BYTES):
            file.write(block)
        os.fsync(file.fileno())
        written = time.perf_counter() - start
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    start = time.perf_counter()
    with path.open("rb", buffering=0) as file:
        while file.read(BLOCK_BYTES):
            pass
    read = time.perf_counter() - start
    path.unlink()
    return DiskRates(size / written, size / read)
