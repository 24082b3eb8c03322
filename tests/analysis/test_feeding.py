"""A pipeline beside the network that it feeds: counts beside counts, and the arithmetic of workers."""

import pytest

import costcalc
from costcalc import pipeline as p
from costcalc.analysis.feeding import verdict, waiting_share, workers_needed


def values(found):
    return {(row["side"], row["count"]): row["value"] for row in found.counts()}


def test_counts_of_a_step_are_those_of_either_alone():
    found = costcalc.augment("alexnet", step="resnet50@batch=32")
    alone, net = costcalc.augment("alexnet"), costcalc.load("resnet50@batch=32").cost()
    assert found.batch == 32
    assert values(found) == {
        ("alexnet", "elementwise"): 32 * alone.elementwise, ("alexnet", "bytes in"): 32 * alone.bytes_in,
        ("alexnet", "bytes out"): 32 * alone.bytes_out, ("alexnet", "bytes into the network"): 32 * 602_112,
        ("resnet50@batch=32", "MACs, forward"): net.total("macs"),
        ("resnet50@batch=32", "MACs, training"): net.total("train_macs"),
        ("resnet50@batch=32", "elementwise, training"): net.total("train_elementwise"),
    }  # fmt: skip


def test_ten_crops_cost_ten_forward_passes():
    one, ten = (values(costcalc.augment(name, step="resnet50")) for name in ("alexnet", "alexnet_test"))
    for count in ("MACs, forward", "MACs, training"):
        assert ten["resnet50", count] == 10 * one["resnet50", count]
    notes = costcalc.augment("alexnet_test", step="resnet50").tables()[1].notes
    assert notes[0] == "one image becomes 10: the network makes 10 forward passes for each"


def test_a_rate_makes_counts_a_second():
    rows = costcalc.augment("alexnet", step="resnet50", rate=1000).tables()[1].rows
    assert [row["value"] for row in rows if row["side"] == "at 1000 images/s"] == [451_584_000, 602_112_000]


def test_a_rate_counts_what_the_network_is_given():
    found = costcalc.augment("alexnet_test", step="resnet50", rate=1000)  # ten of each image
    rows = [row for row in found.tables()[1].rows if "a second" in row["count"]]
    assert {row["side"] for row in rows} == {"at 1000 network inputs/s, 100 images/s"}
    assert [row["value"] for row in rows] == [100 * found.augmentation.elementwise, 100 * 10 * 4 * 3 * 224**2]
    beside = found.to_dict()["beside"]
    assert (beside["network_inputs_per_second"], beside["images_per_second"]) == (1000, 100)


def test_images_of_another_size_than_the_network_takes_are_said():
    (_, table) = costcalc.augment("alexnet", step="alexnet").tables()
    assert table.notes[0] == "the pipeline makes images of 224×224×3, alexnet takes 227×227×3"
    (_, table) = costcalc.augment("alexnet@crop=227", step="alexnet").tables()
    assert "the pipeline makes" not in str(table)


def test_it_says_that_counts_are_not_time():
    assert "counts are not time" in str(costcalc.augment("alexnet", step="resnet50"))


@pytest.mark.parametrize(
    ("rate", "seconds", "needed"), [(100, 0.01, 1), (101, 0.01, 2), (727, 1 / 100, 8), (1, 0.001, 1), (1000, 0.004, 4)]
)
def test_workers_needed(rate, seconds, needed):
    assert workers_needed(rate, seconds) == needed
    assert waiting_share(rate, seconds, needed) == 0
    assert needed == 1 or waiting_share(rate, seconds, needed - 1) > 0


@pytest.mark.parametrize(
    ("workers", "share", "said"),
    [(100, 0, "not input-bound"), (96, 0.04, "not input-bound"), (95, 0.05, "input-bound: the device starves at times"),
     (81, 0.19, "input-bound: the device starves at times"), (79, 0.21, "highly input-bound: the device starves"),
     (1, 0.99, "highly input-bound: the device starves")],
)  # fmt: skip
def test_a_step_waits_for_what_its_workers_do_not_make(workers, share, said):
    found = waiting_share(10_000, 0.01, workers)  # 100 workers make what the step consumes
    assert found == pytest.approx(share, abs=1e-12)
    assert verdict(round(found, 9)) == said


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), "fast", True])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(costcalc.UsageError, match=r"the rate is .* network inputs/s; give what a step consumes"):
        costcalc.augment("alexnet", step="resnet50", rate=rate)


def test_what_cannot_stand_beside_a_network():
    with pytest.raises(costcalc.UsageError, match="rate is what a step consumes; give step too"):
        costcalc.augment("alexnet", rate=100)
    with pytest.raises(costcalc.UsageError, match="alexnet@crop=c has symbols"):
        costcalc.augment("alexnet", crop=costcalc.size_symbol("c"), step="resnet50")
    graph = costcalc.load("lenet5").graph()
    with pytest.raises(costcalc.UsageError, match=r"makes 10 images of one, and lenet5 has no knob .batch."):
        costcalc.augment([p.TenCrop(32)], image=(1, 40, 40), step=graph)
