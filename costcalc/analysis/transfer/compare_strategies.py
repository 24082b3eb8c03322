"""Lays the strategies of transfer learning side by side, and checks that the disk can keep the features."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from costcalc.analysis.metric_limits import read_bytes
from costcalc.analysis.transfer.in_seconds import given_rates
from costcalc.analysis.transfer.plan import plan_transfer
from costcalc.analysis.transfer.strategies import strategies
from costcalc.analysis.transfer.transfer_result import Transfer
from costcalc.errors import NoRoom, UsageError
from costcalc.models.model import Model
from costcalc.table import bytes_text


def compare_strategies(
    model: Model, classes: int, *, freeze_until: str | None = None, rank: int = 8, adapt: Sequence[str] | str = (),
    within: int | str | None = None, disk: str | PathLike[str] | None = None, rate: Any = None, disk_rate: Any = None,
    **how: Any,
) -> Transfer:  # fmt: skip
    """The strategies for a network with new classes; `how` are arguments of `plan_transfer`. Raises as
    `costcalc.transfer` does."""
    if (rate is None) != (disk_rate is None):
        other = "--disk-rate" if disk_rate is None else "--rate"
        raise UsageError(f"seconds need the rates of the device and of the disk; give {other} too")
    plan = plan_transfer(model, classes, **how)
    found, missing = strategies(plan, freeze_until=freeze_until, rank=rank, adapt=adapt, within=within)
    if disk is not None:
        check_room(plan.disk_bytes, disk)
    limit = None if within is None else read_bytes(within)
    rates = None if rate is None else given_rates(plan, found, rate, disk_rate)
    return Transfer(plan, tuple(found), tuple(missing), limit, rates)


def check_room(size: int, folder: str | PathLike[str]) -> None:
    """Raises UsageError for a folder that does not exist, NoRoom if its disk has less than `size` bytes free."""
    where = Path(fspath(folder))
    if not where.is_dir():
        raise UsageError(f"{str(where)!r} is not a folder; name one to keep the features in")
    if size > (free := shutil.disk_usage(where).free):
        raise NoRoom(
            f"the features take {bytes_text(size)}, and {bytes_text(free)} are free in {str(where)!r}",
            "use another disk, fewer --views, or a --head that reads less",
        )
