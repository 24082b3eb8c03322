"""What the values of options and arguments can be, for shell completion, without torch, numpy or sympy.

SOURCES says for each option and argument which function lists its values; the shell completes others as files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from costcalc.cli.completed_targets import (
    Candidate,
    Line,
    Source,
    knobs,
    pipelines,
    points,
    presets_of,
    settings,
    targets,
    targets_or_pipelines,
)
from costcalc.drawing.styles import STYLES
from costcalc.dtype import BYTES, KINDS, MIXED
from costcalc.report import DRAWINGS, FORMATS
from costcalc.text import split_names
from costcalc.train_step import OPTIMIZERS

DEVICES = ("auto", "cpu", "cuda", "cuda:0")  # those of this machine need torch to be known
TABLES = FORMATS[: -len(DRAWINGS)]
FORMATS_OF = {
    "show": FORMATS,
    "check": (*TABLES, "github"),
    "export": ("yaml", *DRAWINGS, "onnx"),
    "runs export": ("csv", "json", "parquet"),
}


def metrics(line: Line, text: str) -> Iterator[Candidate]:
    """The metrics."""
    from costcalc.analysis.metrics import METRICS

    yield from (Candidate(name, metric.counts) for name, metric in METRICS.items())


def metrics_and_quoted(line: Line, text: str) -> Iterator[Candidate]:
    """The figures that specs quote, and the metrics."""
    from costcalc.models.knob import QUOTED

    yield from (Candidate(name, about) for name, about in QUOTED.items())
    yield from metrics(line, text)


def metrics_and_knobs(line: Line, text: str) -> Iterator[Candidate]:
    """The knobs of the first target, and the metrics."""
    yield from knobs(line, text)
    yield from metrics(line, text)


def budgets(line: Line, text: str) -> Iterator[Candidate]:
    """`macs=`."""
    yield from (Candidate(f"{known.word}=", known.about) for known in metrics(line, text))


def order(line: Line, text: str) -> Iterator[Candidate]:
    """The metrics that `compare` divides by, a list; the knob or metric that `sweep` sorts by, with a - for descending
    order."""
    if line.command != "sweep":
        yield from _listed(text, metrics(line, text))
        return
    sign = "-" * text.startswith("-")
    yield from (Candidate(sign + known.word, known.about) for known in metrics_and_knobs(line, text))


def condition(line: Line, text: str) -> Iterator[Candidate]:
    """The last name of `macs <= 400e6 and r`."""
    done = re.sub(r"\w*$", "", text)
    yield from (Candidate(done + known.word, known.about) for known in metrics_and_knobs(line, text))


def columns(line: Line, text: str) -> Iterator[Candidate]:
    """The columns of the command's own table, and the metrics."""
    own = list(_own_columns(line))
    yield from own
    if line.command != "reconcile":  # whose rows are figures
        names = {column.word for column in own}
        yield from (known for known in metrics(line, text) if known.word not in names)


def _own_columns(line: Line) -> Iterable[Candidate]:
    if line.command == "show":
        from costcalc.analysis.cost_cells import BLOCK_COLUMNS, LAYER_COLUMNS

        return {each.key: Candidate(each.key, each.title) for each in (*BLOCK_COLUMNS, *LAYER_COLUMNS)}.values()
    if line.command == "reconcile":
        from costcalc.analysis.reconcile import COLUMNS

        return [Candidate(column.key, column.title) for column in COLUMNS]
    if line.command == "compare":
        return [Candidate("target", "network"), Candidate("ratio", "to the baseline")]
    return knobs(line, "")


def dtypes(line: Line, text: str) -> Iterator[Candidate]:
    """`float16`, `mixed`, or `weights=TYPE,activations=TYPE`."""
    *before, last = text.split(",")
    done = "".join(f"{part}," for part in before)
    kind, equals, _ = last.partition("=")
    if equals:
        yield from (Candidate(f"{done}{kind}={name}") for name in BYTES)
        return
    if not before:
        yield from (Candidate(name, f"bytes of a number: {size}") for name, size in BYTES.items())
        yield Candidate(MIXED, "of training: torch.autocast to bfloat16")
    taken = [part.partition("=")[0] for part in before]
    yield from (Candidate(f"{done}{kind}=") for kind in KINDS if kind not in taken)


def units(line: Line, text: str) -> Iterator[Candidate]:
    """The units of counts and of bytes."""
    from costcalc.table.units import WORDS

    yield from map(Candidate, WORDS)


def presets(line: Line, text: str) -> Iterator[Candidate]:
    """`all`, and the presets of the first target."""
    yield Candidate("all", "every preset")
    yield from presets_of(line.spec())


def formats(line: Line, text: str) -> Iterator[Candidate]:
    """The formats that the command writes."""
    yield from map(Candidate, FORMATS_OF.get(line.command, TABLES))


def op_names(line: Line, text: str) -> Iterator[Candidate]:
    """The ops of specs."""
    from costcalc.ops import OPS

    yield from (Candidate(name, (op.__doc__ or "").partition("\n")[0].strip()) for name, op in sorted(OPS.items()))


def help_pages(line: Line, text: str) -> Iterator[Candidate]:
    """The pages of `costcalc help`."""
    from costcalc.cli.help_pages import pages

    yield from map(Candidate, pages())


def lectures(line: Line, text: str) -> Iterator[Candidate]:
    """The numbers of the lectures."""
    from costcalc.spec.lecture_titles import LECTURES

    yield from (Candidate(str(number), title) for number, title in enumerate(LECTURES, 1))


def baselines(line: Line, text: str) -> Iterator[Candidate]:
    """The targets of the line."""
    yield from map(Candidate, line.arguments)


def _listed(text: str, known: Iterable[Candidate]) -> Iterator[Candidate]:
    """The next name of a list such as `name,out,macs`, behind those that are there; no name twice."""
    done = text[: text.rfind(",") + 1]
    taken = split_names(done)
    yield from (Candidate(done + one.word, one.about) for one in known if one.word not in taken)


def _list_of(source: Source) -> Source:
    return lambda line, text: _listed(text, source(line, text))


def _words(*words: str) -> Source:
    return lambda line, text: map(Candidate, words)


SOURCES: Mapping[str, Source] = {  # of an option by its long name, of an argument by its metavar
    "TARGET": targets,
    "PIPELINE": pipelines,
    "KNOB=VALUES": points,
    "PAGE": help_pages,
    "N": lectures,
    "--baseline": baselines,
    "--over": targets,
    "--step": targets,
    "--like": targets,
    "--set": settings,
    "--grid": points,
    "--free": _list_of(knobs),
    "--break-even": knobs,
    "--compound": _words("phi="),
    "--metric": metrics,
    "--histogram": metrics,
    "--x": metrics,
    "--y": metrics_and_quoted,
    "--metrics": _list_of(metrics),
    "--pareto": _list_of(metrics_and_knobs),
    "--columns": _list_of(columns),
    "--by": order,
    "--max": budgets,
    "--where": condition,
    "--presets": _list_of(presets),
    "--format": formats,
    "--dtype": dtypes,
    "--units": _list_of(units),
    "--optimizer": _words(*OPTIMIZERS),
    "--shade": metrics,
    "--style": _words(*STYLES),
    "--device": _words(*DEVICES),
    "--executor": _words("processes", "dask"),
}
ARGUMENTS: Mapping[str, Source] = {  # of commands whose metavar says less
    "ops": op_names,
    "reconcile": targets_or_pipelines,
    "validate": targets_or_pipelines,
}
