"""Other names of ops and fields mean exactly what they name; no hint leads to what costs something else."""

import inspect

import jsonschema
import pytest
from ruamel.yaml import YAML
from support import needed

import costcalc
from costcalc.analysis.op_catalog import describe_op, op_names
from costcalc.cli import run
from costcalc.errors import SpecError, UnknownName, did_you_mean, nearest
from costcalc.graph import new_graph
from costcalc.ops import OPS, VIEW, Linear, Pointwise, op, per_element
from costcalc.ops.gradients import gradients_move, keeps_nothing
from costcalc.ops.synonyms import INSTEAD, SYNONYMS, WITHOUT_A_RULE, field_synonyms, hint
from costcalc.spec.bind import bind, resolve
from costcalc.spec.parse import parse_text
from costcalc.spec.schema import json_schema

torch = needed.module("torch", "torch")
nn = torch.nn

HEAD = "name: x\ntitle: t\nsource: s\n"
TORCH = """
  - conv2d: {out_channels: 8, kernel_size: 3, padding: 1, bias: false}
  - batch_norm2d
  - leakyrelu: {negative_slope: 0.1}
  - max_pool2d: {kernel_size: 2, stride: 2}
  - conv_transpose2d: {out_channels: 4, kernel_size: 2, stride: 2}
  - groupnorm: {num_groups: 2}
  - upsample: {scale_factor: 2}
  - permute: {dims: [0, 2, 3, 1]}
  - layernorm: {elementwise_affine: false}
  - hardswish
  - multiply: [[], [hardsigmoid]]
  - permute: [0, 3, 1, 2]
  - adaptive_avg_pool2d: {output_size: 1}
  - flatten
  - fc: {out_features: 12, bias: false}
  - swish
  - reshape: [3, 4]
  - lstm: {hidden_size: 5, num_layers: 2}
  - sdpa: {from: [lstm, lstm, lstm]}
"""
OURS = """
  - conv2d: {channels: 8, kernel: 3, padding: 1, bias: false}
  - batch_norm
  - leaky_relu: {slope: 0.1}
  - max_pool: {kernel: 2, stride: 2}
  - conv_transpose: {channels: 4, kernel: 2, stride: 2}
  - group_norm: {groups: 2}
  - upsample: {scale: 2}
  - transpose: {order: [0, 2, 3, 1]}
  - layer_norm: {affine: false}
  - hard_swish
  - mul: [[], [hard_sigmoid]]
  - transpose: [0, 3, 1, 2]
  - adaptive_average_pool: {size: 1}
  - flatten
  - linear: {features: 12, bias: false}
  - silu
  - reshape: [3, 4]
  - lstm: {hidden: 5, layers: 2}
  - scaled_dot_product_attention: {from: [lstm, lstm, lstm]}
"""


def graph_of(layers, head=""):
    spec = parse_text(f"{HEAD}{head}input: [3, 32, 32]\nlayers:{layers}", "x.yaml")
    return bind(spec, resolve(spec, {}))


def wrong(layers, head=""):
    with pytest.raises(SpecError) as caught:
        parse_text(f"{HEAD}{head}input: [3, 32, 32]\nlayers:{layers}", "x.yaml")
    return [str(problem).removeprefix("x.yaml:") for problem in caught.value.problems]


def test_torchs_names_are_the_same_network_under_the_same_names():
    theirs, ours = ([(n, d["op"]) for n, d in graph_of(text).nodes(data=True)] for text in (TORCH, OURS))
    assert theirs == ours
    assert "linear" in dict(theirs)


@pytest.mark.parametrize("name", sorted(SYNONYMS))
def test_a_synonym_is_no_op_and_shown_under_the_name_of_one(name):
    assert SYNONYMS[name] in OPS
    assert name not in OPS
    assert describe_op(name)["op"] == SYNONYMS[name]
    assert name in describe_op(name)["synonyms"]


@pytest.mark.parametrize("name", op_names())
def test_synonyms_of_fields_name_fields(name):
    cls = OPS[name]
    own = {field["field"] for field in describe_op(name)["fields"]}
    assert {*field_synonyms(cls).values()} <= own
    assert not own & {*field_synonyms(cls), *getattr(cls, "derived_fields", ())}


WINDOW = "kernel_size stride padding"
TWINS = {  # the arguments of torch's class that a spec may give, or is told to leave out
    "conv2d": (nn.Conv2d, f"in_channels out_channels {WINDOW} dilation groups bias"),
    "conv_transpose": (
        nn.ConvTranspose2d, f"in_channels out_channels {WINDOW} output_padding groups bias dilation",
    ),
    "linear": (nn.Linear, "in_features out_features bias"),
    "batch_norm": (nn.BatchNorm2d, "num_features eps affine"),
    "layer_norm": (nn.LayerNorm, "eps elementwise_affine"),
    "group_norm": (nn.GroupNorm, "num_groups num_channels eps affine"),
    "leaky_relu": (nn.LeakyReLU, "negative_slope"),
    "dropout": (nn.Dropout, "p"),
    "max_pool": (nn.MaxPool2d, f"{WINDOW} dilation ceil_mode"),
    "average_pool": (nn.AvgPool2d, f"{WINDOW} ceil_mode"),
    "adaptive_average_pool": (nn.AdaptiveAvgPool2d, "output_size"),
    "upsample": (nn.Upsample, "scale_factor mode"),
    "embedding": (nn.Embedding, "num_embeddings embedding_dim"),
    "lstm": (torch.nn.RNNBase, "input_size hidden_size num_layers bias bidirectional"),
}  # fmt: skip


@pytest.mark.parametrize("name", TWINS)
def test_an_argument_of_torchs_class_is_known_under_its_name(name):
    kind, arguments = TWINS[name]
    known = {field["field"] for field in describe_op(name)["fields"]} | {*field_synonyms(OPS[name])}
    assert {*arguments.split()} <= known | {*getattr(OPS[name], "derived_fields", ())}
    assert {*arguments.split()} <= {*inspect.signature(kind).parameters}


@pytest.mark.parametrize(
    ("layers", "messages"),
    [
        (" [conv: {channels: 8, out_channels: 8, kernel: 3}]",
         ["5:30: conv: 'channels' and 'out_channels' are one field, channels; give one of them"]),
        (" [conv: {out_channels: 8, filters: 8, kernel: 3}]",
         ["5:34: conv: 'out_channels' and 'filters' are one field, channels; give one of them"]),
        (" [conv: {in_channels: 3, channels: 8, kernel: 3}]",
         ["5:17: unknown key in conv 'in_channels'; costcalc derives it from what the layer reads; leave it out"]),
        (" [lstm: {hidden: 3, batch_first: true}]",
         ["5:28: unknown key in lstm 'batch_first'; the batch is always the first axis; leave it out"]),
        (" [layernorm: {normalized_shape: 32}]",
         ["5:22: unknown key in layer_norm 'normalized_shape'; costcalc derives the sizes; `axes` says how many of the "
          "last axes it takes"]),
        (" [max_pool2d: {kernel_size: 2}]", ["5:10: max_pool needs 'stride'"]),
        (" [conv: {out_chanels: 8, kernel: 3}]",
         ["5:17: unknown key in conv 'out_chanels'; did you mean 'out_channels'? conv has channels, kernel, stride, "
          "padding, dilation, groups, bias"]),
        (" [relu: {kernel_size: 3}]", ["5:17: unknown key in relu 'kernel_size'; relu has no fields of its own"]),
    ],
)  # fmt: skip
def test_what_is_refused(layers, messages):
    assert wrong(layers) == messages


def test_a_block_of_the_readers_own_goes_before_a_synonym():
    block = "blocks:\n  bn(out_channels):\n    - relu: {name: mine}\n    - conv: {channels: out_channels, kernel: 1}\n"
    assert [*graph_of(" [bn: 4]", block)] == ["input", "bn.mine", "bn.conv"]
    assert wrong(" [relu]", "blocks: {a: [fc: 3], fc: [relu]}\n") == [
        "4:14: block 'fc' does not stand above; a block may use the blocks above it"
    ]


@pytest.fixture
def apart(monkeypatch):
    """Ops and synonyms that are forgotten again."""
    monkeypatch.setattr("costcalc.ops.base.OPS", dict(OPS))
    for name in [*OPS]:
        monkeypatch.setitem(OPS, name, OPS[name])
    monkeypatch.setattr("costcalc.ops.synonyms.SYNONYMS", dict(SYNONYMS))


@pytest.mark.usefixtures("apart")
def test_a_synonym_that_means_something_already_is_refused():
    def make(**about):
        answers = {"elementwise": per_element(1), "output": VIEW, "__module__": __name__}
        answers |= {"train_elementwise": gradients_move, "keeps": keeps_nothing}
        return op(type("Mine", (Pointwise,), {**answers, **about}))

    with pytest.raises(TypeError, match="op Mine: its synonym 'conv' is conv already"):
        make(synonyms=("conv",))
    with pytest.raises(TypeError, match="op Mine: its synonym 'fc' is linear already"):
        make(synonyms=("fc",))
    with pytest.raises(TypeError, match="op Mine: its synonym 'width' is features, which is no field"):
        make(field_synonyms={"width": "features"})
    with pytest.raises(TypeError, match="its synonym 'bias' is a field itself, not features"):
        op(type("MyLinear", (Linear,), {"field_synonyms": {"bias": "features"}, "__module__": __name__}))
    assert make(synonyms=("mine_too",)).name == "mine"
    make(synonyms=("mine_too",))  # written anew, as in a notebook


def test_the_command_shows_the_op_under_its_one_name(capsys):
    assert run(["ops", "dense"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("linear\n")
    assert "also: dense, fc, fully_connected" in said
    assert run(["ops", "conv"]) == 0
    assert "filters, out_channels" in capsys.readouterr().out


def test_an_editor_takes_them():
    validator = jsonschema.Draft202012Validator(json_schema())

    def fits(layers):
        return validator.is_valid(YAML(typ="safe", pure=True).load(f"{HEAD}input: [3, 32, 32]\nlayers:{layers}"))

    assert fits(TORCH)
    assert fits(OURS)
    assert fits(" [linear: {features: 3, meant: true}]")
    assert not fits(" [conv: {out_channels: 3}]")
    assert not fits(" [conv: {out_channel: 3, kernel: 3}]")
    assert not fits(" [group: {layers: [relu], meant: true}]")


# --- hints -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["elu", "ELU", "selu", "glu", "rrelu", "instance_norm", "max", "mean", "densenet", "self_attention",
     "cat", "min_pool"],
)  # fmt: skip
def test_no_hint_is_an_op_that_costs_something_else(name):
    assert "did you mean" not in hint(name, OPS)
    (message,) = wrong(f" [{name}]")
    assert "did you mean" not in message
    with pytest.raises(UnknownName) as caught:
        describe_op(name)
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("name", ["ELU", "SELU", "Mish", "InstanceNorm"])
def test_nor_a_class_in_a_graph(name):
    graph = new_graph()
    graph.add_node("x", op=name, inputs=())
    with pytest.raises(costcalc.GraphError, match=r"which has no rule; see `costcalc help add-an-op`"):
        costcalc.cost(graph)


def test_torchs_class_in_a_graph_is_told_ours():
    for module, said in (
        (nn.BatchNorm2d(3), "did you mean 'BatchNorm'"),
        (nn.MultiheadAttention(8, 2), "write its parts: linear"),
        (nn.ELU(), "see `costcalc help add-an-op`"),
    ):
        graph = new_graph()
        graph.add_node("x", op=module, inputs=())
        with pytest.raises(costcalc.GraphError, match=f"the op '{type(module).__name__}', which has no rule; {said}"):
            costcalc.cost(graph)


@pytest.mark.parametrize(
    "name",
    ["densenet121", "resnext50", "resnest50", "regnet", "senet", "mobilenet_v3", "mobilenetv3", "efficientnet_v2_s",
     "shufflenet", "wide_resnet50", "vit", "convnext", "resnet200", "plain50"],
)  # fmt: skip
def test_no_hint_is_a_network_of_another_family(name):
    with pytest.raises(UnknownName) as caught:
        costcalc.load(name)
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("con", "conv"), ("cnov", "conv"), ("ocnv", "conv"), ("Conv", "conv"), ("lstmm", "lstm"), ("rleu", "relu"),
     ("batch_nrom", "batch_norm"), ("conv_transposed", "conv_transpose"), ("dens", "dense"), ("MaxPool2d", "maxpool2d"),
     ("global_average", "global_average_pool")],
)  # fmt: skip
def test_slips_of_the_keyboard_are_seen(name, meant):
    assert hint(name, OPS) == f"did you mean {meant!r}?"


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [("resnet5", ["resnet", "resnet50"], "resnet50"), ("mobilenet", ["mobilenet_v1", "mobilenet_v2"], "mobilenet_v1"),
     ("rr", ["r", "w"], "r"), ("x", ["r", "w"], ""), ("", ["r"], ""), ("R", ["r"], "r"), ("abc", [], ""),
     ("a" * 65, ["a" * 64], ""), ("side", ["slide"], "slide"), ("ab", ["abcd"], "")],
)  # fmt: skip
def test_nearest(name, known, meant):
    assert nearest(name, known) == meant


def test_without_one_that_is_near_a_short_list_is_said():
    assert did_you_mean("x", ["w", "r"]) == "known: r, w"
    assert did_you_mean("x", [str(n) for n in range(61)]) == ""
    assert did_you_mean("n1", [f"n{n}" for n in range(1001)]) == ""


def test_what_has_no_rule_has_none():
    assert not (WITHOUT_A_RULE | {*INSTEAD}) & {*OPS, *SYNONYMS}
