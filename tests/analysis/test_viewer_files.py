"""Overlays for Netron and Model Explorer, and graphs for the latter: every node, each cost once."""

import json

import pytest
from support import needed

import costcalc
from costcalc.cli.app import run
from costcalc.errors import UnknownName, UsageError
from costcalc.ops import Conv, Input, Linear
from costcalc.spec.library import entries

SPECS = [entry.name for entry in entries() if entry.kind == "spec"]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A file: a product with its bias as two nodes, SiLU as two nodes, a node without a name, and a Constant."""
    onnx = needed.module("onnx", "onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"], name="/fc/MatMul"),
        helper.make_node("Add", ["m", "b"], ["a"], name="/fc/Add"),
        helper.make_node("Sigmoid", ["a"], ["s"], name="/act/Sigmoid"),
        helper.make_node("Mul", ["a", "s"], ["z"], name="/act/Mul"),
        helper.make_node("MatMul", ["z", "v"], ["y"]),
        helper.make_node("Relu", ["y"], ["unread"], name="unread"),
    ]
    tensors = [
        helper.make_tensor(name, kind, shape, [0.5] * size)
        for name, shape, size in (("w", (4, 3), 12), ("b", (3,), 3), ("v", (3, 2), 6), ("left", (7,), 7))
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "g", [value("x", kind, (1, 4))], [value("y", kind, (1, 2))], tensors)
    path = tmp_path_factory.mktemp("onnx") / "small.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def test_every_node_is_there_and_the_sum_is_the_total(small):
    net = costcalc.load(small)
    file = net.overlay()
    document = file.document
    assert document["signature"] == "netron:attachment"
    assert (document["name"], [stop["stop"] for stop in document["gradient"]]) == ("MACs", [0, 1])
    assert {name: one["value"] for name, one in document["results"].items()} == {
        "/fc/MatMul": 12, "/fc/Add": 0, "/act/Sigmoid": 0, "/act/Mul": 0, "y": 6, "unread": 0,
    }  # fmt: skip
    assert sum(one["value"] for one in document["results"].values()) == net.macs == 18
    assert file.notes == ("1 node of the file without a name: costs are at the tensors that they write",)


def test_netron_finds_nodes_and_tensors(small):
    document = costcalc.load(small).overlay().document
    at = {(one["kind"], one["target"], one["name"]): one["value"] for one in document["metrics"]}
    assert at["node", "/fc/MatMul", "params"] == 15
    assert (at["node", "/fc/Add", "params"], at["value", "y", "MACs"]) == (0, 6)
    words = {one["target"]: one["value"] for one in document["metadata"]}
    assert words["/fc/MatMul"] == "fc (linear)"
    assert words["/fc/Add"] == "fc (linear); its cost is at its first node"


def test_what_no_node_has_is_said(small):
    net = costcalc.load(small)
    file = net.overlay(shade="params")
    assert sum(one["value"] for one in file.document["results"].values()) == net.params - 7
    assert file.notes[1] == "7 of params belong to no node of the file"


@pytest.mark.parametrize("name", SPECS)
def test_a_graph_has_the_ids_of_its_overlay(name):
    net = costcalc.load(name)
    (graph,) = net.explorer_graph().document["graphs"]
    ids = [node["id"] for node in graph["nodes"]]
    results = net.overlay().document["results"]
    assert ids == [*results]
    assert sum(one["value"] for one in results.values()) == net.macs
    assert {edge["sourceNodeId"] for node in graph["nodes"] for edge in node["incomingEdges"]} <= {*ids}


def test_blocks_are_namespaces_with_their_copies():
    (graph,) = costcalc.load("resnet50").explorer_graph().document["graphs"]
    nodes = {node["id"]: node for node in graph["nodes"]}
    node = nodes["conv2_x.more.unit.residual.conv1.conv"]
    assert node["namespace"] == "conv2_x/more x2/unit/residual/conv1"
    assert node["label"] == "conv: 1x1 conv"
    assert {"key": "MACs", "value": "102,760,448"} in node["attrs"]
    assert {"key": "copies", "value": "2"} in node["attrs"]


def test_a_slash_in_a_name_opens_no_namespace():
    graph = costcalc.new_graph()
    costcalc.add(graph, "a/b.conv", Linear(3), costcalc.add(graph, "x", Input((1, 8))))
    assert costcalc.load(graph).explorer_graph().document["graphs"][0]["nodes"][1]["namespace"] == "a|b"


def test_large_numbers_are_text_for_netron_and_floats_for_model_explorer():
    graph = costcalc.new_graph()
    costcalc.add(graph, "conv", Conv(2**20, 1, bias=False), costcalc.add(graph, "x", Input((1, 2**20, 2**8, 2**8))))
    document = costcalc.load(graph).overlay().document
    assert {one["value"] for one in document["metrics"] if one["name"] == "MACs"} == {0, str(2**56)}
    assert document["results"]["conv"] == {"value": 2.0**56}
    assert isinstance(document["results"]["conv"]["value"], float)


def test_the_command_writes_both(tmp_path):
    net = costcalc.load("lenet5")
    for name, file in (("a.overlay.json", net.overlay()), ("a.graph.json", net.explorer_graph())):
        assert run(["show", "lenet5", "-o", str(tmp_path / name)]) == 0
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert text == file.to_json() and json.loads(text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("show lenet5 --depth 2 -o {}/a.overlay.json", "--depth: a .overlay.json file has every layer"),
        ("show lenet5 --shade params -o {}/a.graph.json", "--shade: a .graph.json file has no colours"),
        ("show lenet5 --columns name -o {}/a.overlay.json", "--columns: a .overlay.json file has no table"),
        ("compare lenet5 resnet18 -o {}/a.overlay.json", "compare has no .overlay.json file"),
        ("show lenet5 --shade mac -o {}/a.overlay.json", "unknown metric 'mac'; did you mean 'macs'?"),
    ],
)
def test_what_they_do_not_have(tmp_path, capsys, words, said):
    code = run(words.format(tmp_path).split())
    out, err = capsys.readouterr()
    assert (code, out, [*tmp_path.iterdir()]) == (2, "", [])
    assert said in err


def test_an_overlay_is_of_numbers():
    with pytest.raises(UsageError, match="an overlay needs numeric sizes; set batch"):
        costcalc.load("lenet5", batch=costcalc.size_symbol("batch")).overlay()
    with pytest.raises(UnknownName):
        costcalc.load("lenet5").overlay(shade="mac")
