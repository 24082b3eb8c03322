"""Every result of every public function shows itself in every form, as the command prints it."""

import importlib
import json
import pkgutil
import tempfile
from pathlib import Path

import pytest
from support import needed
from support.documents import ANY
from support.records import record

import costcalc
from costcalc import report
from costcalc.analysis.closed_form.formula_output import FormulaTables
from costcalc.result import Result, TableResult
from costcalc.table import Table
from costcalc.table.json_csv import json_pieces

LENET = "lenet5"


def timing():
    """One network timed in place of all work, as `costcalc time` does it."""
    from costcalc.torch_backend import time_nets

    return time_nets([costcalc.load(LENET)], device="cpu", seconds=0.01)


def verification():
    """One network beside torch."""
    from costcalc.torch_backend import verify_net

    return verify_net(costcalc.load(LENET))


def own_verification():
    """A reader's own module beside torch."""
    from torch import nn

    from costcalc.torch_backend import verify_net

    return verify_net(costcalc.load(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), (2, 4)))


def beside_torch(name, *parts):
    """A result of torch_backend that is made of others."""
    module = importlib.import_module(f"costcalc.torch_backend.{name[0]}")
    return getattr(module, name[1])(*parts)


def runs():
    """Two measurements beside each other."""
    from costcalc.store import compare

    return compare(record(), record())


def timed_pipeline():
    """A small pipeline, run for a moment."""
    needed.module("torchvision", "vision")
    from costcalc.torch_backend import time_pipeline

    return time_pipeline("resnet_cifar", step=LENET, rate=100, workers=1, seconds=0.001)


def tensors_of():
    """The tensors of a small file."""
    header = b'{"a.b": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}'
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.safetensors"
        path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
        return costcalc.tensors(path)


RESULTS = {
    "augment": lambda: costcalc.augment("alexnet"),
    "augment, beside a step": lambda: costcalc.augment("alexnet", step=LENET, rate=100),
    "pipelines": costcalc.pipelines,
    "reconcile, a pipeline": lambda: costcalc.reconcile("augment:alexnet"),
    "augment --time": timed_pipeline,
    "check": lambda: costcalc.check(LENET, macs="100K", params="1M"),
    "load.cost": lambda: costcalc.load(LENET).cost(),
    "blocks": lambda: costcalc.load(LENET).cost().at_depth(1),
    "Net.tree": lambda: costcalc.load(LENET).tree(),
    "Net.formula": lambda: costcalc.load(LENET).formula("params"),
    "break_even": lambda: costcalc.break_even("resnet18", "resnet34", "r", [64, 128, 224]),
    "compare": lambda: costcalc.compare("conv_normal", "conv_depthwise_separable"),
    "compound": lambda: costcalc.compound("efficientnet", 1),
    "by_term": lambda: costcalc.by_term(LENET, "params"),
    "export": lambda: costcalc.export("resnet18"),
    "cost": lambda: costcalc.cost(costcalc.load(LENET).graph()),
    "elasticity": lambda: costcalc.elasticity(LENET),
    "explain": lambda: costcalc.explain(LENET),
    "info": lambda: costcalc.info(LENET),
    "lecture": lambda: costcalc.lecture(6),
    "reconcile, a figure": lambda: costcalc.reconcile(LENET, figure="61.7K"),
    "formula": lambda: costcalc.formula(LENET, "params"),
    "formula, assuming": lambda: costcalc.formula(LENET, assume=["r%4==0"]),
    "formula --elasticity": lambda: FormulaTables(costcalc.formula(LENET), {"elasticity": costcalc.elasticity(LENET)}),
    "histogram": lambda: costcalc.histogram(LENET, r="28:60:4"),
    "memory": lambda: costcalc.memory(LENET, train=True),
    "memory, timeline": lambda: costcalc.memory(LENET, train=True).timeline(),
    "memory, checkpoints": lambda: costcalc.memory(LENET, train=True, checkpoint="auto", within="1GB"),
    "next_steps": lambda: costcalc.next_steps(LENET),
    "ratio": lambda: costcalc.ratio("conv_depthwise_separable", "conv_normal"),
    "reconcile": lambda: costcalc.reconcile(LENET),
    "scale": lambda: costcalc.scale("mobilenet_v1", "w", macs=300_000_000),
    "scale, several": lambda: costcalc.scale("mobilenet_v1", macs=300_000_000, grid={"r": "128:224:32", "w": [0.5, 1]}),
    "specs": costcalc.specs,
    "sweep": lambda: costcalc.sweep(LENET, r="28:60:4"),
    "sweep.fit": lambda: costcalc.sweep(LENET, r="28:60:4").fit(),
    "sweep_presets": lambda: costcalc.sweep_presets("mobilenet_v1"),
    "tensors": tensors_of,
    "transfer": lambda: costcalc.transfer(LENET, classes=3, within="1MB", rate=100, disk_rate="1MB"),
    "validate": lambda: costcalc.validate("nowhere.yaml"),
    "table": lambda: costcalc.load(LENET).cost().table(),
    "runs compare": runs,
    "time": timing,
    "compare --time": lambda: beside_torch(
        ("timing", "TimedComparison"), costcalc.compare(LENET, LENET), beside_torch(("timing", "Timing"), *two())),
    "verify": verification,
    "verify, an imported network": own_verification,
    "verify, several": lambda: beside_torch(("verify", "Verifications"), (verification(), verification())),
}  # fmt: skip
NEEDS_TORCH = {"augment --time", "time", "compare --time", "verify", "verify, several", "verify, an imported network"}
NO_RESULT = {
    *[
        "add",
        "load",
        "model",
        "new_graph",
        "ops",
        "page",
        "pipeline",
        "select",
        "size_symbol",
        "store",
        "unroll",
        "write_page",
        "write_site",
        "write_sweep",
    ]
}
KNOWN = {}


def two():
    """What a timing of two networks is made of."""
    once = made("time")
    return once.device, once.environment, once.measurements * 2


def made(name):
    """The result of that name, made once."""
    if name in NEEDS_TORCH:
        needed.module("torch", "torch")
    if name not in KNOWN:
        KNOWN[name] = RESULTS[name]()
    return KNOWN[name]


@pytest.mark.parametrize("name", RESULTS)
def test_it_shows_itself_as_the_command_prints_it(name):
    found = made(name)
    tables = found.tables()
    assert str(found) == report.text(tables, None, "table").rstrip("\n")
    assert (found.to_markdown(), found.to_latex()) == tuple(report.text(tables, None, f) for f in ("markdown", "latex"))
    assert all(isinstance(table, Table) for table in tables)
    assert repr(found).startswith(f"<costcalc.{type(found).__name__} ")
    assert "\n" not in repr(found)
    assert "<table>" in found._repr_html_()


@pytest.mark.parametrize("name", RESULTS)
def test_it_is_records_a_frame_and_a_csv(name):
    found = made(name)
    records = found.to_records()
    assert all(isinstance(row, dict) for row in records)
    lines = found.to_csv().splitlines()
    assert lines == [*map(str.rstrip, lines)]
    needed.module("pandas", "pandas")
    assert len(found.to_pandas()) == len(records)


@pytest.mark.parametrize("name", RESULTS)
def test_its_document_is_json_and_says_what_it_counts(name):
    document = json.loads("".join(json_pieces(made(name).to_dict())))
    assert document["schema_version"] == 1
    assert document["convention"].startswith("MACs: ")
    ANY.validate(document)


def test_no_public_function_and_no_result_class_is_left_out():
    needed.module("torch", "torch")
    for module in pkgutil.walk_packages(costcalc.__path__, "costcalc."):
        if not module.name.endswith(("__main__", "die_with_parent")):
            importlib.import_module(module.name)
    assert {type(made(name)) for name in RESULTS} >= {one for one in subclasses(Result) if not one.__abstractmethods__}
    functions = {name for name in costcalc.__all__ if not isinstance(getattr(costcalc, name), type)}
    assert functions - NO_RESULT <= {name.partition(",")[0] for name in RESULTS}


def subclasses(cls):
    """All classes below a class."""
    for one in cls.__subclasses__():
        yield one
        yield from subclasses(one)


def test_a_table_result_hands_out_a_table_of_its_own():
    found = costcalc.explain(LENET)
    found.table().notes.append("mine")
    assert isinstance(found, TableResult)
    assert "mine" not in str(found)
