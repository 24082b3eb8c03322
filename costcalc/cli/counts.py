"""Commands that print numbers: list, show, explain, reconcile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from costcalc.cli.options import (
    Batch,
    Checkpoint,
    Columns,
    Dtype,
    Format,
    Freeze,
    FreezeStatistics,
    Input,
    MaxBytes,
    MaxLayers,
    Optimizer,
    Output,
    Set,
    Target,
    Train,
    emit,
    load_models,
    train_step,
)
from costcalc.cli.plot_options import BarPlot
from costcalc.cli.shown_pictures import (
    WRITERS,
    EveryLayer,
    PictureOptions,
    Shade,
    Style,
    Tree,
    Width,
    put_boxes,
)
from costcalc.errors import UsageError
from costcalc.importers.targets import is_safetensors
from costcalc.report import DRAWINGS, format_of
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.train_step import DEFAULT_STEP

TRAIN_COLUMNS = "name,out,params,macs,input_gradient_macs,weight_gradient_macs,update_operations,saved_bytes"
TRAIN_COLUMNS_CHECKPOINTED = TRAIN_COLUMNS.replace("macs,", "macs,recomputed_macs,", 1)

if TYPE_CHECKING:
    from costcalc.analysis.figure_search import FigureSearch
    from costcalc.net import Net


def list_(
    words: Annotated[list[str] | None, typer.Argument(metavar="WORD", help="Those that have it: resnet, 1x1.")] = None,
    format: Format = None,
    output: Output = None,
) -> None:
    """Every spec and preset, with one line each, by lecture."""
    from costcalc.spec.list_specs import specs

    emit(specs(*words or ()), format, output)


def show(
    target: Target,
    depth: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Fold layers whose names agree in so many parts.")
    ] = None,
    shade: Shade = None,
    every_layer: EveryLayer = False,
    tree: Tree = False,
    style: Style = None,
    width: Width = None,
    plot: BarPlot = None,
    unroll: Annotated[bool, typer.Option("--unroll", help="Write repeats out, one row for each copy.")] = False,
    train: Train = False,
    optimizer: Optimizer = DEFAULT_STEP.optimizer,
    freeze: Freeze = None,
    freeze_statistics: FreezeStatistics = False,
    checkpoint: Checkpoint = None,
    columns: Columns = None,
    dtype: Dtype = None,
    input: Input = None,
    batch: Batch = None,
    set_: Set = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """Layer by layer: shapes, params, multiplies, elementwise work, activations, and their totals."""
    options = PictureOptions(depth, shade, every_layer, style, width, unroll, train, tree)
    picture = options.check(output, format, columns)
    if is_safetensors(target):
        given = {
            "--unroll": unroll,
            "--train": train,
            "--dtype": dtype,
            "--input": input,
            "--batch": batch,
            "--set": set_,
            "--plot": plot,
        }
        if others := ", ".join(option for option, value in given.items() if value):
            raise UsageError(f"{others}: a .safetensors file has tensors and no layers")
        if picture:
            raise UsageError(f"-o {output}: a .safetensors file has tensors and no layers to draw")
        from costcalc.importers.onnx_files.tensor_table import tensors

        emit(tensors(target, depth), format, output, columns=columns)
        return
    kind = "" if picture else format_of(format, Path(output) if output else None)
    unless = "" if train or columns or shade else "add --train, or --columns of training"
    step = train_step(optimizer, freeze, freeze_statistics, checkpoint, unless)
    (model,) = load_models([target], set_, max_layers, max_bytes, dtype, step, batch, input)
    if picture:
        WRITERS[picture](model, options, str(output))
        return
    cost = model.cost(unrolled=unroll)
    if kind in DRAWINGS or (tree and kind != "json"):
        put_boxes(cost, options, kind, format, output)
        return
    if plot:
        model.plot(plot)
    of_step = TRAIN_COLUMNS_CHECKPOINTED if step.checkpoint else TRAIN_COLUMNS
    emit(cost.at_depth(depth, of_step if train and columns is None else columns), format, output)


def explain(
    target: Target,
    input: Input = None,
    set_: Set = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """Each number as the lecture writes it: 28·28·32 · 5·5·16 = 10,035,200."""
    from costcalc.analysis.explain import explain_model

    (model,) = load_models([target], set_, max_layers, max_bytes, inputs=input)
    emit(explain_model(model), format, output)


def reconcile(
    target: Target,
    figure: Annotated[
        str | None,
        typer.Option("--figure", metavar="N", help="Which convention of which variant gives 9.74G, or 98 MB?"),
    ] = None,
    columns: Columns = None,
    dtype: Dtype = None,
    input: Input = None,
    set_: Set = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """Each published figure, ours, and the reason for the difference; of an augmentation pipeline as augment:alexnet.
    Exit 1 if one differs without a reason; with --figure if nothing explains it."""
    from costcalc.pipeline.pipeline_library import is_pipeline, load_pipeline

    if figure is not None:
        (model,) = load_models([target], set_, max_layers, max_bytes, dtype, inputs=input)
        found = _searched(model, figure)
        emit(found, format, output, columns=columns)
        if not found.ok:
            raise typer.Exit(1)
        return
    if is_pipeline(target, max_bytes=max_bytes):
        from costcalc.analysis.reconcile_pipeline import reconcile_pipeline

        if dtype is not None:
            raise UsageError("--dtype is about networks; the steps of a pipeline say theirs")
        reconciled = reconcile_pipeline(load_pipeline(target, set_, max_bytes=max_bytes))
    else:
        from costcalc.analysis.reconcile import reconcile_model

        (model,) = load_models([target], set_, max_layers, max_bytes, dtype, inputs=input)
        reconciled = reconcile_model(model)
    hint = "; a spec says under `published:` which metrics are compared"
    emit(reconciled, format, output, columns=columns, hint=hint)
    if not reconciled.ok:
        raise typer.Exit(1)


def _searched(model: Net, figure: str) -> FigureSearch:
    """What gives a figure, with a progress bar."""
    from costcalc.analysis.figure_search import search_figure
    from costcalc.report.progress_bar import progress_bar

    with progress_bar() as show:
        return search_figure(model, figure, show)
