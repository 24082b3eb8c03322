"""Comparisons: the lecture's numbers, where the saving is, and laws of alignment."""

import json
from fractions import Fraction
from types import SimpleNamespace

import pytest
from support import needed
from support.layers import joined

import costcalc
from costcalc import ops, report
from costcalc.analysis.align import align, by_size
from costcalc.analysis.compare import Comparison
from costcalc.analysis.cost import Cost
from costcalc.cli import run
from costcalc.table import cell


@pytest.fixture(scope="module")
def inception():
    return costcalc.compare("inception_naive", "inception_bottleneck")


def test_the_bottleneck_saves_what_the_lecture_says(inception):
    naive, bottleneck = inception.costs
    assert (naive.macs, bottleneck.macs) == (120_422_400, 12_443_648)
    assert inception.ratio(bottleneck) == pytest.approx(1 / 9.68, abs=0.0001)
    assert [(p.second, p.second_cost) for p in inception.pairs] == [("reduce", 2_408_448), ("conv", 10_035_200)]


def test_the_k_by_k_convolutions_stand_side_by_side(inception):
    assert [(p.first, p.second) for p in inception.pairs] == [(None, "reduce"), ("conv", "conv")]


def test_the_table_says_how_many_times(inception):
    totals, breakdown = inception.tables()
    assert [cell(row["ratio"], "factor") for row in totals.rows] == ["", "÷9.68"]
    assert breakdown.totals["saved"] == sum(row["saved"] for row in breakdown.rows) == 107_978_752


def test_depthwise_separable_is_a_third():
    both = costcalc.compare("conv_normal", "conv_depthwise_separable")
    assert [cost.macs for cost in both.costs] == [2160, 672]
    assert sorted(p.second_cost for p in both.pairs if p.second) == [240, 432]


@pytest.mark.parametrize("by", ["macs", "params", "elementwise", "activations"])
@pytest.mark.parametrize(
    "targets", [("resnet18", "plain18"), ("resnet50", "efficientnet_b3"), ("vgg16", "vgg19"), ("lenet5", "lenet5_1998")]
)
def test_every_cost_is_in_exactly_one_pair(targets, by):
    both = costcalc.compare(*targets, by=by, algebra=False)
    assert sum(p.first_cost for p in both.pairs) == both.costs[0].total(by)
    assert sum(p.second_cost for p in both.pairs) == both.costs[1].total(by)


def test_a_net_against_itself_saves_nothing():
    both = costcalc.compare("mobilenet_v2", "mobilenet_v2")
    assert {p.saved for p in both.pairs} == {0}
    assert all(p.first == p.second for p in both.pairs)
    assert cell(both.tables()[0].rows[1]["ratio"], "factor") == "="
    assert {row["share"] for row in both.tables()[1].rows} == {None}


def test_plain_and_residual_differ_in_the_projections_alone():
    both = costcalc.compare("resnet18", "plain18")
    assert {p.first for p in both.pairs if p.saved} == {p.first for p in both.pairs if p.second is None}
    assert all("projection" in p.first for p in both.pairs if p.saved)


def test_many_targets_are_measured_against_the_first():
    needed.module("pandas", "pandas")
    targets = ["conv_normal", "conv_depthwise_separable", "mobilenet_v2", "resnet50", "efficientnet_b3"]
    many = costcalc.compare(*targets)
    assert [cost.target for cost in many.costs] == targets
    assert many.pairs == () and len(many.tables()) == 1
    assert many.to_pandas()["macs"].tolist()[3] == 4_089_184_256


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (None, ""), (1, "="), (0, "0"), (0.5, "÷2.00"), (3, "×3.00"), (0.1033, "÷9.68"),
        (Fraction(4_089_186_304, 4_089_184_256), "×1.000001"), (Fraction(2000, 2001), "÷1.0005"),
        (Fraction(10**16 + 3, 10**16 + 2), "×1.000000…"), (Fraction(10**16 + 2, 10**16 + 3), "÷1.000000…"),
        (Fraction(123 * 10**398), "×1.23e+400"), (Fraction(1, 10**500), "÷1.00e+500"),
        (Fraction(10**12), "×1,000,000,000,000.00"),
    ],
)  # fmt: skip
def test_times_in_words(ratio, text):
    assert cell(ratio, "factor") == text


def test_nets_that_differ_by_one_multiply_are_not_equal():
    first, second = (Cost((SimpleNamespace(times=1, costs={"macs": 10**16 + n}),)) for n in (2, 3))
    assert cell(Comparison((first, second), "macs").ratio(second), "factor") == "×1.000000…"


def test_a_block_that_stays_has_no_share_of_a_loss():
    both = costcalc.compare("resnet50@stride_on=conv1", "resnet50")
    shares = {row["first"]: cell(row["share"], "share") for row in both.breakdowns[0].to_records()}
    assert (shares["conv1"], shares["conv3_x"]) == ("0.0 %", "33.3 %")


@pytest.mark.parametrize(("more", "words"), [(False, "÷1.00e+400"), (True, "×1.00e+400")])
def test_ratios_that_no_float_can_hold(more, words):
    needed.module("pandas", "pandas")
    (row, *_) = costcalc.load("lenet5").cost().layers
    first, second = (Cost((row._replace(costs=dict.fromkeys(row.costs, n)),)) for n in (7 * 10**400, 7))
    compared = Comparison((second, first) if more else (first, second), "macs")
    assert words in report.text(compared.tables(), None, "table")
    assert json.loads(report.text([], compared.to_dict(), "json"))["targets"][1]["ratio"] is None
    assert compared.to_pandas()["ratio"].isna()[1]


def test_enormous_nets_are_compared(capsys, tmp_path):
    sizes = ", ".join(["2147483648"] * 12)
    text = f"name: huge\ntitle: t\nsource: s\ninput: [{sizes}]\nlayers: [linear: 2147483648]\n"
    (tmp_path / "huge.yaml").write_text(text)
    assert run(["compare", "lenet5", str(tmp_path / "huge.yaml")]) == 0
    assert "×4.96e+115" in capsys.readouterr().out
    assert run(["compare", str(tmp_path / "huge.yaml"), "lenet5"]) == 0
    assert "÷4.96e+115" in capsys.readouterr().out


def test_names_align_even_when_a_block_comes_between():
    a, b = (costcalc.load(name).cost() for name in ("vgg11", "vgg13"))
    names = [(p.first, p.second) for p in align(a, b, "macs")]
    assert all(first == second for first, second in names if first and second)


def test_blocks_of_other_names_stand_beside_each_other_by_position():
    compared = costcalc.compare("alexnet", "resnet18", depth=1)
    names = [(pair.first, pair.second) for pair in compared.pairs]
    assert names[:2] + names[-2:] == [("conv1", "conv1"), ("conv2", "conv2_x"), ("fc7", None), ("fc8", None)]
    assert sum(pair.saved for pair in compared.pairs) == 724_406_816 - 1_814_073_344
    assert "blocks of other names stand beside each other by position alone" in compared.tables()[1].notes
    assert sum(pair["share"] for pair in compared.to_dict()["pairs"]) == 1


@pytest.mark.parametrize("depth", [None, 1, 2])
def test_networks_that_share_no_names_are_aligned_by_the_size_of_their_maps(depth):
    compared = costcalc.compare("resnet50", "mobilenet_v2", depth=depth)
    assert [pair.size for pair in compared.pairs] == ["112×112", "56×56", "28×28", "14×14", "7×7", "flat"]
    resnet = costcalc.load("resnet50").cost()
    of_56 = sum(row.macs for row in resnet.layers if row.output_shape[2:] == (56, 56))
    assert compared.pairs[1].first_cost == of_56
    if depth != 2:
        assert (compared.pairs[0].first, compared.pairs[0].second) == ("conv1", "stem … stage2")
        assert (compared.pairs[1].first, compared.pairs[-1].second) == ("conv2_x, conv3_x", "fc")
    assert sum(pair.saved for pair in compared.pairs) == 4_089_184_256 - 300_774_272
    assert "layers stand beside each other by the size of the maps that they make" in compared.tables()[1].notes
    assert compared.tables()[1].columns[0].title == "maps"


def test_names_that_mean_other_sizes_do_not_pair_blocks():
    """Both have a stage3; EfficientNet's makes maps of 56×56, MobileNet v2's of 28×28."""
    compared = costcalc.compare("efficientnet_b0", "mobilenet_v2")
    assert [pair.size for pair in compared.pairs] == ["112×112", "56×56", "28×28", "14×14", "7×7", "flat"]
    assert [pair.saved for pair in compared.pairs][:2] == [0, 0]


@pytest.mark.parametrize("other", ["resnet50@r=448", "resnet101", "resnet50@stride_on=conv1"])
def test_names_of_one_architecture_pair_blocks(other):
    compared = costcalc.compare("resnet50", other, depth=1)
    assert all(pair.first == pair.second and not pair.size for pair in compared.pairs)


def test_maps_with_channels_last_are_maps():
    """A block of ConvNeXt: its linear layers stand behind a transpose; a squeeze is flat, and comes last."""
    graph = joined(
        ("x", ops.Input((1, 3, 64, 64))), ("patches", ops.Conv(8, 4, 4), "x"),
        ("squeeze", ops.GlobalAveragePool(True), "patches"), ("excite", ops.Conv(8, 1), "squeeze"),
        ("gate", ops.Mul(), "patches", "excite"), ("last", ops.Transpose([0, 2, 3, 1]), "gate"),
        ("mlp", ops.Linear(32), "last"),
    )  # fmt: skip
    parts = {part.name: part.cost for part in by_size(costcalc.cost(graph), "params")}
    assert [*parts.items()] == [("16×16", 3 * 8 * 16 + 8 + 8 * 32 + 32), ("flat", 8 * 8 + 8)]


def test_rows_that_are_alike_are_one():
    compared = costcalc.compare("resnet18", "plain18")
    *others, alike = compared.tables()[1].rows
    assert [row["second_cost"] for row in others] == [None] * 3
    assert (alike["first"], alike["first_cost"], alike["saved"]) == ("18 rows alike", 1_794_805_760, 0)
    assert len(compared.to_dict()["pairs"]) == 21
    (same,) = costcalc.compare("vgg11", "vgg11").tables()[1].rows
    assert (same["first"], same["first_cost"], same["saved"]) == ("11 rows alike", 7_609_090_048, 0)


def test_a_depth_says_which_blocks_stand_side_by_side():
    for depth, names in ((1, {"conv1", "conv5_x", "fc"}), (2, {"conv5_x.first", "conv5_x.more"})):
        pairs = costcalc.compare("resnet18", "resnet34", depth=depth).pairs
        assert names <= {pair.first for pair in pairs} == {pair.second for pair in pairs}
    with pytest.raises(costcalc.UsageError, match="a depth is a whole number from 1"):
        costcalc.compare("resnet18", "resnet34", depth=0)


def test_several_metrics_at_once():
    compared = costcalc.compare("resnet50", "mobilenet_v2", "vgg16", by="macs,params", baseline="vgg16")
    totals, macs, params = compared.tables()
    assert [column.title for column in totals.columns][-2:] == ["MACs to vgg16", "params to vgg16"]
    assert [row["ratio"] for row in totals.rows][2] is None
    assert compared.to_records()[0]["params_ratio"] == Fraction(25_557_032, 138_357_544)
    for table, metric in ((macs, "macs"), (params, "params")):
        for i, cost in enumerate(compared.costs):
            assert sum(row[f"network{i}"] or 0 for row in table.rows) == cost.total(metric)
    two = costcalc.compare("inception_naive", "inception_bottleneck", by=["macs", "params"])
    assert [breakdown.by for breakdown in two.breakdowns] == ["macs", "params"]
    assert two.to_dict()["params_pairs"][0]["second_cost"] == 3_088


def test_the_baseline_is_any_of_them():
    first, second = (costcalc.compare("lenet5", "alexnet", baseline=name) for name in ("lenet5", "alexnet"))
    assert first.ratio(first.costs[1]) * second.ratio(second.costs[0]) == 1
    assert sum(pair.saved for pair in first.pairs) == -sum(pair.saved for pair in second.pairs)
    assert second.to_dict()["baseline"] == "alexnet"
    with pytest.raises(costcalc.UnknownName, match="unknown baseline 'alexne'"):
        costcalc.compare("lenet5", "alexnet", baseline="alexne")
    with pytest.raises(costcalc.UsageError, match="metric macs is there twice"):
        costcalc.compare("lenet5", "alexnet", by="macs,macs")


def test_a_graph_of_ones_own_is_compared_and_explained():
    graph = costcalc.load("conv_normal").graph()
    compared = costcalc.compare(graph, "conv_depthwise_separable")
    assert [cost.macs for cost in compared.costs] == [2160, 672]
    assert compared.algebra is None
    assert costcalc.explain(graph).to_records() == costcalc.explain("conv_normal").to_records()
    with pytest.raises(costcalc.UsageError, match="the ratio as algebra needs a model with knobs; got a layer graph"):
        costcalc.compare(graph, "conv_depthwise_separable", algebra=True)
    letters = costcalc.load("conv_normal").graph(free=["n"])
    for doing in (costcalc.explain, lambda graph: costcalc.compare(graph, graph)):
        with pytest.raises(costcalc.UsageError, match=r"needs numeric sizes; layer graph .* has the symbol n"):
            doing(letters)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: costcalc.compare("vgg16", "vgg19", by="mac"), "unknown metric 'mac'; did you mean 'macs'?"),
        (lambda: costcalc.compare("vgg16", "vgg99"), None),
    ],
)
def test_what_compare_refuses(call, message):
    with pytest.raises(costcalc.UnknownName) as caught:
        call()
    assert message is None or str(caught.value) == message


def test_one_network_is_no_comparison():
    with pytest.raises(costcalc.UsageError) as caught:
        costcalc.compare("vgg16")
    assert str(caught.value) == "compare takes two or more networks; `costcalc show` shows one"


def test_the_json_has_it_all(inception):
    document = inception.to_dict()
    assert [t["totals"]["macs"] for t in document["targets"]] == [120_422_400, 12_443_648]
    assert document["pairs"][0] == {
        "first": None,
        "first_cost": 0,
        "second": "reduce",
        "second_cost": 2_408_448,
        "size": "",
        "saved": -2_408_448,
        "share": Fraction(-2_408_448, 107_978_752),
    }
    assert document["by"] == "macs" and document["convention"].startswith("MACs:")


def test_a_notebook_shows_both_tables(inception):
    assert inception._repr_html_().count("<table>") == 2


SWITCHED = """
title: t
source: s
knobs: {r: 64}
input: [3, r, r]
layers:
  - conv: {channels: 8, kernel: 3, padding: same}
"""


def test_a_network_without_a_closed_form_is_compared_without_algebra_that_was_not_asked_for(tmp_path, capsys):
    (tmp_path / "plain.yaml").write_text(f"name: plain{SWITCHED}")
    switch = "  - conv: {channels: 8, kernel: 3, padding: same, when: r > 32}\n"
    (tmp_path / "switched.yaml").write_text(f"name: switched{SWITCHED}{switch}")
    nets = [costcalc.load(tmp_path / f"{name}.yaml") for name in ("plain", "switched")]
    for first, second in (nets, nets[::-1]):
        found = costcalc.compare(first, second)
        assert {cost.macs for cost in found.costs} == {884_736, 3_244_032}
        assert found.algebra is None
    files = [f"{tmp_path}/plain.yaml", f"{tmp_path}/switched.yaml"]
    assert run(["compare", *files]) == 0
    assert run(["compare", *files, "--algebra"]) == 2
    assert "cannot decide r > 32 while its symbols are free; set them, as in --set r=64" in capsys.readouterr().err
