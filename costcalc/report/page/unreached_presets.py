"""The presets of a network that set knobs without a slider: what they set, and where their pages are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from costcalc.models.knob_texts import split_target
from costcalc.models.model import Model
from costcalc.report.page.closed_forms import ClosedForms
from costcalc.spec.library import library_path
from costcalc.text import listed


@dataclass(frozen=True)
class PlaceInSite:
    """Where a page stands in a site: the address of each preset on another page, and the links at its top."""

    addresses: Mapping[str, str] = field(default_factory=dict)
    links: Sequence[tuple[str, str]] = ()  # text and address


@dataclass(frozen=True, eq=False)
class UnreachedPresets:
    """The presets of a page that its sliders do not reach."""

    closed: ClosedForms
    place: PlaceInSite

    @cached_property
    def groups(self) -> list[list[str]]:
        """Their names; those that one page has beside each other."""
        return [[*presets] for changed, presets in self.closed.presets.items() if changed]

    @property
    def pages(self) -> list[list[tuple[str, str]]]:
        """The name and the address of those that have pages in the site, page by page."""
        known = self.place.addresses
        found = [[(name, known[name]) for name in names if name in known] for names in self.groups]
        return [page for page in found if page]

    @property
    def without_page(self) -> list[str]:
        """The names of the others."""
        return [name for names in self.groups for name in names if name not in self.place.addresses]

    @property
    def knobs(self) -> str:
        """`block and shortcut, which have no slider`: what they set."""
        names = [*dict.fromkeys(knob for changes in self.closed.presets for knob, _ in changes)]
        return f"{listed(names)}, which {'has' if len(names) == 1 else 'have'} no slider"

    @property
    def command(self) -> str:
        """`costcalc show resnet18 -o resnet18.html`; empty for a network that a command does not know by its label."""
        first = self.without_page[0]
        model = self.closed.model.at_preset(first)
        return f"costcalc show {shlex.quote(model.label)} -o {first}.html" if _is_known(model) else ""


def _is_known(model: Model) -> bool:
    target, _, _ = split_target(model.label)
    return bool(re.search(r"[./\\]", target)) or library_path(target) is not None
