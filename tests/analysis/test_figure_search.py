"""What gives a figure: the search finds what it should, and says what chance would explain."""

import json
import random

import pytest

import costcalc
from costcalc.analysis.figure_forms import CONVENTIONS, MAX_CHANGES, variants
from costcalc.analysis.figure_search import SAMPLE, networks, read_printed, search_figure
from costcalc.cli.app import run
from costcalc.errors import UsageError


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
    tried = {label: values for variant in variants(net) for label, values in networks(variant)}
    assert len(tried) > 300
    for label in rng.sample([*tried], 5):
        cost = costcalc.cost(label)
        for convention in CONVENTIONS:
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
    assert figure.steps_by(61_650, 1000) == {616, 617} and figure.steps_by(61_649, 1000) == {616}


def test_a_k_of_1024():
    _, match = first("googlenet", "6834.5K")
    assert match.network == "googlenet" and match.exact == 6_998_552
    assert match.counts.startswith("params, K = 1024")


@pytest.mark.parametrize("figure", ["15.2Q", "", "-3", "1e9", "9.74 G", 9.74, True, None, "0", "0.0M", "1,23"])
def test_what_is_no_figure(figure):
    with pytest.raises(UsageError, match="figure"):
        read_printed(figure)


def test_the_command(capsys):
    assert run(["reconcile", "tiny_vgg", "--figure", "19920", "-f", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] and document["matches"][0]["network"] == "tiny_vgg"
    assert (document["random_figures"], document["explained_by_chance"]) == (SAMPLE, 0)
    assert run(["reconcile", "tiny_vgg", "--figure", "48371920"]) == 1
    assert run(["reconcile", "tiny_vgg", "--figure", "many"]) == 2
    assert "error: 'many' is not a figure" in capsys.readouterr().err
    assert run(["reconcile", "augment:alexnet", "--figure", "5"]) == 2
