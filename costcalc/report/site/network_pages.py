"""The pages of a network in a site: its own, and one for each setting of the knobs without a slider in its presets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from costcalc.errors import CostcalcError
from costcalc.net import Net
from costcalc.report.page.page import page
from costcalc.report.page.page_document import Page
from costcalc.report.page.unreached_presets import PlaceInSite

Links = Sequence[tuple[str, str]]


@dataclass(frozen=True, eq=False)
class NetworkPages:
    """The pages of a network by the names of their files, and the address of each preset among them."""

    pages: dict[str, Page]
    addresses: dict[str, str]

    @classmethod
    def of(cls, net: Net) -> NetworkPages:
        """A preset that is no network has no page. Raises what `page` raises of the network as it is set."""
        own = page(net)
        closed = own.views[0].closed
        pages = {file_name(net.name): own}
        addresses: dict[str, str] = {}
        for changed, presets in closed.presets.items() if closed else ():
            first, *_ = [*presets, net.name]
            stem = file_name(first if changed else net.name)
            if changed:
                try:
                    pages[stem] = page(net.at_preset(first))
                except CostcalcError:
                    continue
            addresses |= {name: f"{stem}.html#preset-{quote(name)}" for name in presets}
        return cls(pages, addresses)

    def html(self, links: Links) -> Iterator[tuple[str, str]]:
        """The name of each file and its text, with these links at the top."""
        for stem, made in self.pages.items():
            others = {name: there for name, there in self.addresses.items() if there.split("#")[0] != f"{stem}.html"}
            yield stem, replace(made, place=PlaceInSite(others, links)).html()


def file_name(name: str) -> str:
    """The name of the files of a network: letters, digits, - and _ alone."""
    return re.sub(r"[^\w-]", "_", name, flags=re.ASCII)
