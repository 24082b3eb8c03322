"""Whether a layer may have tensors for its own that other layers have already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def can_share(own: Mapping[str, Any], owners: Mapping[Any, tuple[Any, ...]]) -> bool:
    """Can a layer have these tensors, by their names in its op: new ones, or those of one other layer under the names
    that they have there? Tensors of the same name are shared too, so all others need names of their own. `owners` has
    the layer of each tensor, and its name there."""
    shared = {key: owners[tensor] for key, tensor in own.items() if tensor in owners}
    if not shared:
        return True
    others = {owner[0] for owner in shared.values()}
    theirs = {owner[1] for owner in owners.values() if owner[0] in others}
    return len(others) < 2 and all(shared[key][1] == key if key in shared else key not in theirs for key in own)
