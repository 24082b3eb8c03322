"""What gives a figure: the search finds what it should, and says what chance would explain."""

import json
import random

import pytest
from support import needed

import costcalc
from costcalc.analysis.counting_forms import COUNTS, FILE_BYTES, forms_of_bytes, stored_tensors
from costcalc.analysis.figure_forms import MAX_CHANGES, variants
from costcalc.analysis.figure_search import networks, search_figure
from costcalc.analysis.printed_figure import SAMPLE, read_printed
from costcalc.cli.app import run
from costcalc.errors import UnknownName, UsageError


def first(target, figure):
    found = costcalc.reconcile(target, figure=figure)
    return found, found.matches[0]


def test_resnet50_of_darknet():
    """9.74 "BFLOPs" are 2·MACs at 256 pixels, without weights in the shortcuts; three digits prove nothing."""
    found, match = first("resnet50", "9.74G")
    assert (match.network, match.exact, match.changes) == ("resnet50@r=256,shortcut=zero_pad", 9_741_172_736, 2)
    assert match.counts.startswith("2·MACs;")
    assert not found.ok
    assert str(found.table()).startswith("resnet50, 9.74G: candidates; chance explains 9")


def test_resnet56_of_other_counters():
    found, match = first("resnet56", "252.56M")
    assert (match.network, match.exact) == ("resnet56@shortcut=bare_projection", 252_560_640)
    assert match.counts.startswith("2·MACs + 2·batch-norm elements")
    assert found.ok and found.chance < 0.05
    assert {m.network for m in found.matches} == {"resnet56@shortcut=bare_projection"}


def test_the_table_of_cs231n_without_a_change():
    found, match = first("vgg16", 15_237_608)
    assert match == ("vgg16", "activations in place + input elements", 15_237_608, 0)
    assert found.ok and found.by_chance == 0


def test_a_random_number_of_eight_digits_is_explained_by_nothing():
    for figure in ("48371920", "61,803,398"):
        found = costcalc.reconcile("vgg16", figure=figure)
        assert found.matches == () and not found.ok
        assert "nothing that was tried gives this figure" in str(found.table())


def test_every_form_is_a_count_of_that_network():
    rng, net = random.Random(5), costcalc.load("mobilenet_v2")
    metrics = {name for convention in COUNTS for name in convention.metrics}
    tried = {label: values for variant in variants(net) for label, values, _ in networks(variant, [*metrics])}
    assert len(tried) > 300
    for label in rng.sample([*tried], 5):
        cost = costcalc.cost(label)
        for convention in COUNTS:
            assert convention.of(tried[label].__getitem__) == convention.total(cost), (label, convention.text)
        own, other = net.values, costcalc.load(label).values
        assert 0 < sum(own[name] != other[name] for name in own) <= 2 * MAX_CHANGES  # a preset sets several


def test_chance_is_counted_alike_every_time_and_grows_with_fewer_digits():
    net = costcalc.load("lenet5")
    shares = [search_figure(net, figure).by_chance for figure in ("61.7K", "61.7K", "61,706", "6")]
    assert shares[0] == shares[1] > shares[2]
    assert shares[3] <= SAMPLE
    figure = read_printed("61.7K")
    drawn = figure.random()
    assert len(drawn) == SAMPLE and all(100 <= step < 1000 for step in drawn)
    assert [*figure.steps_by(61_650, 1000)] == [616, 617] and [*figure.steps_by(61_649, 1000)] == [616]


def test_a_k_of_1024():
    _, match = first("googlenet", "6834.5K")
    assert match.network == "googlenet" and match.exact == 6_998_552
    assert match.counts.startswith("params, K = 1024")


@pytest.mark.parametrize(
    "figure", ["15.2Q", "", "-3", "1e9", "9.74 G", "98 XB", "MB", "0 MB", 9.74, True, None, "0", "0.0M", "1,23"]
)
def test_what_is_no_figure(figure):
    with pytest.raises((UsageError, UnknownName), match="figure"):
        read_printed(figure)


@pytest.mark.parametrize(
    ("target", "figure", "counts", "exact"),
    [  # torchinfo, torchsummary (three), Keras, the sizes of torchvision's files, a number of bytes
        ("resnet50", "102.23 MB", "params in float32, MB = 10^6", 102_228_128),
        ("resnet50", "97.49MB", "params in float32, MB = 2^20", 102_228_128),
        ("resnet50", "286.56 MB", "2·activations in float32, MB = 2^20", 300_478_272),
        ("resnet50", "384.62 MB", "params + 2·activations + input elements in float32, MB = 2^20", 403_308_512),
        ("resnet50@conv_bias=true", "98 MB", "params in float32, MB = 2^20; or params + buffers", 102_334_368),
        ("resnet50", "97.781 MB", "a file of params + buffers in float32, up to 512 B more a tensor", 102_440_608),
        ("efficientnet_b7", "254.675MB", "a file of params + buffers in float32, up to", 266_634_720),
        ("vgg16", "527.796 MB", "a file of params + buffers in float32", 553_430_176),
        ("resnet50", "97.49 mib", "params in float32", 102_228_128),
        ("resnet50", "51,114,064 B", "params in float16 or bfloat16", 51_114_064),
        ("vgg16", "26,292,224 bytes", "peak bytes in float32", 26_292_224),
    ],
)
def test_figures_of_bytes_that_others_print(target, figure, counts, exact):
    found, match = first(target, figure)
    assert (match.network, match.exact, match.changes) == (target, exact, 0)
    assert match.counts.startswith(counts)
    assert found.ok == (figure != "98 MB")  # chance gives two digits as well
    assert "MACs" not in str(found.table())


def test_every_form_of_bytes_is_what_is_counted_in_that_dtype():
    net = costcalc.load("mobilenet_v2")
    forms = forms_of_bytes(net.dtype)
    values = {name: net.cost().total(name) for form in forms for _, name in form.terms}
    for name in ("float32", "float16", "int8"):
        cost = costcalc.load("mobilenet_v2", dtype=name).cost()
        by_words = {form.words: form.of(values) for form in forms if form.words.endswith((name, f"{name} or bfloat16"))}
        by_words = {words.split(" in ")[0]: value for words, value in by_words.items() if words[0] != "a"}
        assert by_words["params + buffers"] == cost.total("weight_bytes")
        assert by_words["params + buffers + peak bytes"] == cost.total("memory_bytes")
        assert by_words["peak bytes"] == cost.total("peak_bytes")


def test_one_dtype_is_searched_if_it_is_given():
    net = costcalc.load("resnet50", dtype="weights=int8,activations=float16")
    found = search_figure(net, "25,610,152 B")
    assert found.matches[0].counts == "params + buffers weights in int8 and activations in float16"
    assert len(forms_of_bytes(net.dtype)) * 3 < len(forms_of_bytes(costcalc.load("vgg16").dtype))


def test_a_file_has_a_name_and_a_shape_for_each_tensor_of_torch():
    models = needed.module("torchvision", "vision").models
    for name, also in (("resnet18", 20), ("vgg11", 0)):  # torch counts the batches of each batch norm besides
        tensors = stored_tensors(costcalc.load(name))
        state = models.get_model(name).state_dict()
        file = models.get_model_weights(name).DEFAULT.meta["_file_size"] * 2**20
        assert tensors + also == len(state)
        assert 0 < file - costcalc.cost(name).total("weight_bytes") < FILE_BYTES * tensors


def test_what_a_b_means():
    """Billions where digits end in it, bytes behind a space or behind digits in groups."""
    assert [read_printed(text).of_bytes for text in ("9.74B", "9.74 B", "15,237,608B", "98kB", "98K")] == [
        False, True, True, True, False,
    ]  # fmt: skip
    assert [unit.size for unit in read_printed("1 GB").units] == [10**9, 2**30]
    assert [unit.size for unit in read_printed("1 GiB").units] == [2**30]


def test_the_command(capsys):
    assert run(["reconcile", "tiny_vgg", "--figure", "19920", "-f", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] and document["matches"][0]["network"] == "tiny_vgg"
    assert (document["random_figures"], document["explained_by_chance"]) == (SAMPLE, 0)
    assert run(["reconcile", "tiny_vgg", "--figure", "48371920"]) == 1
    assert run(["reconcile", "tiny_vgg", "--figure", "many"]) == 2
    assert "error: 'many' is not a figure" in capsys.readouterr().err
    assert run(["reconcile", "tiny_vgg", "--figure", "98 QB"]) == 2
    assert "error: figure '98 QB': unknown unit 'QB'; known: " in capsys.readouterr().err
    assert run(["reconcile", "augment:alexnet", "--figure", "5"]) == 2


def test_where_chance_explains_a_figure_one_more_setting_is_tried():
    """Of two digits, 3.8G is many things; the paper's stride is the first of those with one setting changed."""
    found = costcalc.reconcile("resnet50", figure="3.8G")
    assert [match.changes for match in found.matches] == sorted(match.changes for match in found.matches)
    first = next(match for match in found.matches if match.changes)
    assert (first.network, first.counts[:4], first.exact) == ("resnet50@stride_on=conv1", "MACs", 3_857_973_248)
