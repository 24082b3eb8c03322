"""The pictures of a page, as parts of an HTML document."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from costcalc.analysis.scaling.presets import PresetSweep
from costcalc.chart import Chart


@dataclass(frozen=True)
class Figure:
    """A picture as SVG, with its caption."""

    name: str
    svg: str
    caption: str


def inline(chart: Chart, name: str) -> str:
    """The picture as SVG for an HTML page: it scales, its ids are its own, and it refers to nothing outside."""
    text = chart.svg()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    width, height = (re.search(rf'<svg[^>]* {side}="([\d.]+)pt"', text)[1] for side in ("width", "height"))  # type: ignore[index]
    text = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = text.replace("xlink:href=", "href=")
    return re.sub(
        r"<svg[^>]*>",
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-caption">',
        text,
        count=1,
    )


def named_presets(presets: PresetSweep) -> Figure:
    """Params against MACs of the presets."""
    chart = replace(presets.chart(), title="params against MACs")
    return Figure("presets", inline(chart, "presets"), "Params against MACs of the presets, exact and as published.")
