"""The machine that is measured: its devices, what identifies them, and how busy it is."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from costcalc.errors import CostcalcError, did_you_mean, shorten
from costcalc.result import TableResult
from costcalc.table import Column, Table
from costcalc.text import plural
from costcalc.version import __version__
from costcalc.workers.process_count import cores


class NoDevice(CostcalcError):
    """A device that is not here."""

    exit_code = 3


@dataclass(frozen=True)
class Device:
    """A device to measure on. Devices of one kind have equal fingerprints; drivers are part of the environment."""

    name: str  # as torch calls it: cpu, cuda:0
    model: str
    memory: int  # bytes
    details: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits of the model, its memory and its details."""
        text = repr((self.model, self.memory >> 28, sorted(self.details.items())))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def devices() -> list[Device]:
    """The devices of this machine: the GPUs, then the CPU."""
    gpus = [_gpu(i) for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return [*gpus, _cpu()]


def find_device(wanted: str) -> Device:
    """The device of this name; for `auto` the first GPU, else the CPU. Raises NoDevice if it is not here."""
    here = {device.name: device for device in devices()}
    if wanted == "auto":
        return next(iter(here.values()))
    if wanted == "cuda" and "cuda:0" in here:
        return here["cuda:0"]
    if wanted not in here:
        hint = did_you_mean(wanted, ["auto", *here])
        why = f" ({_why_no_gpu()})" if wanted.startswith("cuda") else ""
        raise NoDevice(f"there is no device {shorten(wanted)!r} here{why}; {hint}")
    return here[wanted]


def _why_no_gpu() -> str:
    if torch.version.cuda is None:
        return f"torch {torch.__version__} is built without CUDA"
    return f"CUDA {torch.version.cuda} finds {plural(torch.cuda.device_count(), 'device')}"


def _gpu(index: int) -> Device:
    about = torch.cuda.get_device_properties(index)
    details = {
        "compute_capability": f"{about.major}.{about.minor}",
        "multiprocessors": about.multi_processor_count,
    }
    return Device(f"cuda:{index}", about.name, about.total_memory, details)


def _cpu() -> Device:
    details = {
        "cores": os.cpu_count(),
        "usable_cores": cores(),
        "capability": torch.backends.cpu.get_cpu_capability(),
    }
    return Device("cpu", _cpu_model(), psutil.virtual_memory().total, details)


def _cpu_model() -> str:
    """The model name in /proc/cpuinfo, else what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def environment(device: Device) -> dict[str, Any]:
    """Everything readable that may change a measured time; None for what cannot be read here."""
    frequency = psutil.cpu_freq() if hasattr(psutil, "cpu_freq") else None
    return {
        "device": device.model,
        **device.details,
        "memory_bytes": device.memory,
        "platform": platform.platform(),
        "python": platform.python_version(),
        "costcalc": __version__,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        "driver": _read("/proc/driver/nvidia/version"),
        "flush_denormal": float(torch.tensor(1e-40) * 0.5) == 0.0,
        "mkldnn": torch.backends.mkldnn.is_available(),  # type: ignore[no-untyped-call]
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "cpu_mhz": round(frequency.current) if frequency else None,
        "gpu_clock_mhz": _of_gpu(torch.cuda.clock_rate, device),
        "temperature_celsius": _temperature(),
        "gpu_temperature_celsius": _of_gpu(torch.cuda.temperature, device),
        "load_1min": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def threads() -> int:
    """The number of threads that torch uses for one operation in this process."""
    return torch.get_num_threads()


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()[0].strip()
    except (OSError, IndexError):
        return None


def _temperature() -> float | None:
    """°C of the CPU's hottest core."""
    sensors: dict[str, Any] = psutil.sensors_temperatures() if hasattr(psutil, "sensors_temperatures") else {}
    read = sensors.get("coretemp") or sensors.get("k10temp") or sensors.get("cpu_thermal") or ()
    return max((float(one.current) for one in read), default=None)


def _of_gpu(read: Callable[[str], int], device: Device) -> int | None:
    try:
        return int(read(device.name)) if device.name.startswith("cuda") else None
    except (ImportError, RuntimeError, AssertionError):  # needs NVIDIA's management library
        return None


class BackgroundLoad:
    """Measures how many cores other processes use: the busy time of the machine, less that of this process and of
    `ours` with all their children (compilers, for example)."""

    def __init__(self, ours: list[int]):
        self.here, self.ours, self.parents = psutil.Process(), list[psutil.Process](), set[psutil.Process]()
        for pid in ours:
            with suppress(psutil.NoSuchProcess):  # it has ended
                process = psutil.Process(pid)
                self.ours.append(process)
                if (parent := process.parent()) is not None:
                    self.parents.add(parent)
        self.start = self._now()

    def cores(self) -> float:
        """The mean number of cores since this object was made."""
        elapsed, busy, own = (now - then for now, then in zip(self._now(), self.start))
        return max(0.0, (busy - own) / elapsed) if elapsed > 0 else 0.0

    def _now(self) -> tuple[float, float, float]:
        cpu = psutil.cpu_times()
        busy = sum(cpu) - cpu.idle - getattr(cpu, "iowait", 0.0) - getattr(cpu, "guest", 0.0)
        here, _ = _seconds(self.here)
        ended = sum(_seconds(parent)[1] for parent in self.parents)
        return time.monotonic(), busy, here + ended + sum(_seconds_of_all(process) for process in self.ours)


def _seconds(process: psutil.Process) -> tuple[float, float]:
    """CPU seconds of a process, and of its descendants that have ended. Both are 0 if it has ended itself."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0, 0.0
    return times.user + times.system, times.children_user + times.children_system


def _seconds_of_all(process: psutil.Process) -> float:
    """CPU seconds of a process and all its descendants."""
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(sum(_seconds(one)) for one in family)


DEVICE_COLUMNS = (
    Column("name", "device", "text"),
    Column("model", "model", "text"),
    Column("memory", "memory, bytes"),
    Column("details", "details", "text", 1),
    Column("fingerprint", "fingerprint", "text"),
)


def devices_result() -> TableResult:
    """The devices of this machine, with their fingerprints."""
    rows = [
        {
            "name": device.name,
            "model": device.model,
            "memory": device.memory,
            "details": ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in device.details.items()),
            "fingerprint": device.fingerprint,
        }
        for device in devices()
    ]
    notes = [] if torch.cuda.is_available() else [f"no GPU: {_why_no_gpu()}"]
    table = Table(f"devices for torch {torch.__version__}", DEVICE_COLUMNS, rows, notes=notes)
    return TableResult(table, {"devices": table.to_records()})
