"""Each step beside torchvision's transform: shapes, dtypes, bytes, views, and what either refuses."""

# ruff: noqa: E402

import random

import pytest
from support import needed

torch = needed.module("torch", "torch")
needed.module("psutil", "torch")
needed.module("torchvision", "vision")

from support.pipelines import CASES
from torchvision.transforms import v2

import costcalc
from costcalc import pipeline as p
from costcalc.cli.app import run
from costcalc.errors import MissingExtra, TooLarge, UsageError
from costcalc.pipeline.augmentation import augmentation_of
from costcalc.pipeline.image_tensor import ImageTensor
from costcalc.pipeline.pipeline import pipeline_of
from costcalc.pipeline.pipeline_library import load_pipeline, pipeline_paths
from costcalc.pipeline.step_base import STEPS, Step, one_view, only_moves, single_image, step, unchanged
from costcalc.torch_backend import feeding_verdict, pipeline_timing, time_pipeline
from costcalc.torch_backend.feeding_verdict import Demand, Supply, feeding_fields, feeding_table
from costcalc.torch_backend.transforms import TRANSFORMS, random_image, transforms_of

SIZES = 20


def images_like(x, height, width):
    """A tensor for an image of these sizes, or the tuple of several."""
    image = random_image(ImageTensor(int(x.channels), height, width))
    image = image if x.dtype == "uint8" else image.float() / 255
    return image if x.images == 1 else (image,) * x.images


def random_sizes(name):
    """Sizes that the step of a case takes, from its own on; the same each time."""
    draw, (_, x) = random.Random(name), CASES[name]
    return [(x.height + draw.randrange(40), x.width + draw.randrange(40)) for _ in range(SIZES)]


def about(made):
    """Shape, dtype, number and bytes of what a transform gives."""
    images = made if isinstance(made, (tuple, list)) else (made,)
    (shape,), (dtype,) = {tuple(one.shape) for one in images}, {str(one.dtype) for one in images}
    return shape, dtype.removeprefix("torch."), len(images), sum(one.nbytes for one in images)


@pytest.mark.parametrize("name", CASES)
def test_shape_dtype_and_bytes_are_torchvisions(name):
    made, x = CASES[name]
    for height, width in random_sizes(name):
        before = x._replace(height=height, width=width)
        assert [need.truth for need in made.needs(before)] == [True] * len(list(made.needs(before)))
        after = made.after(before)
        given = images_like(x, height, width)
        assert about(given)[3] == before.bytes
        found = TRANSFORMS[type(made).name](made, before)(given)
        assert about(found) == (after.shape, after.dtype, after.images, after.bytes)


def test_every_step_has_a_transform():
    assert {*TRANSFORMS} == {*STEPS}


@pytest.mark.parametrize("name", pipeline_paths())
def test_pipelines_run_as_they_are_counted(name):
    found = augmentation_of(load_pipeline(name))
    image = random_image(found.rows[0].before)
    for row, transform in zip(found.rows, transforms_of(found), strict=True):
        assert about(image) == (row.before.shape, row.before.dtype, row.before.images, row.before.bytes)
        image = transform(image)
    assert about(image) == (found.image.shape, found.image.dtype, found.image.images, found.image.bytes)


@pytest.mark.parametrize(
    "steps",
    [[p.HorizontalFlip(), p.VerticalFlip()], [p.RandomCrop((3, 4)), p.HorizontalFlip()], [p.ColorShift(1)],
     [p.Pad(1), p.RandomCrop(5)]],
    ids=repr,
)  # fmt: skip
def test_views_are_what_torchvision_draws(steps):
    """All that come out of many draws: with 100 draws for each view, one is missing with a chance of e⁻¹⁰⁰."""
    found = augmentation_of(pipeline_of(steps, (1, 5, 6)))
    image = torch.randint(50, 200, (1, 5, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))
    chain = transforms_of(found)
    seen = set()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for _ in range(100 * found.views):
            made = image
            for transform in chain:
                made = transform(made)
            seen.add(made.numpy().tobytes())
    assert len(seen) == found.views


def test_crops_that_do_not_fit_are_refused_by_both():
    with pytest.raises(ValueError, match="Required crop size"):
        v2.RandomCrop(9)(torch.zeros(3, 8, 8))
    with pytest.raises(ValueError, match="crop size"):
        v2.TenCrop(9)(torch.zeros(3, 8, 8))
    for made in (p.RandomCrop(9), p.TenCrop(9)):
        with pytest.raises(costcalc.ShapeError, match="a crop of 9×9 does not fit into 8×8"):
            costcalc.augment([made], image=(3, 8, 8))


def test_an_elastic_field_that_torchvision_cannot_reflect_is_refused_by_both():
    for side in (20, 21):
        fits = all(need.truth for need in p.Elastic().needs(ImageTensor(3, side, side)))
        image = torch.zeros(3, side, side)
        if fits:
            assert v2.ElasticTransform()(image).shape == image.shape
        else:
            with pytest.raises(RuntimeError, match="Padding size"):
                v2.ElasticTransform()(image)
    assert fits


def test_pca_color_is_the_same_for_all_pixels():
    image = torch.rand(3, 4, 5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        change = TRANSFORMS["pca_color"](p.PcaColor(), ImageTensor(3, 4, 5, "float32"))(image) - image
    assert torch.allclose(change, change[:, :1, :1].expand(3, 4, 5), atol=1e-6)
    assert change.abs().max() > 0


def test_color_shift_keeps_within_uint8():
    shift = TRANSFORMS["color_shift"](p.ColorShift(255), ImageTensor(3, 4, 5))
    for _ in range(20):
        assert shift(torch.full((3, 4, 5), 128, dtype=torch.uint8)).dtype == torch.uint8


# --- running it ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def timed():
    """A small pipeline, measured shortly, beside a rate that is given."""
    return time_pipeline("resnet_cifar", step="lenet5", rate=1e9, workers=2, seconds=0.01)


def test_a_timing_has_each_step_and_the_whole(timed):
    names = [row.name for row in timed.augmentation.rows]
    assert [row["step"] for row in timed.table().rows] == [*names, "batch"]
    assert len(timed.steps) == len(names) + 1
    for summary in (*timed.steps, timed.whole):
        assert summary.runs >= 10
        assert 0 < summary.low <= summary.median <= summary.high
    assert timed.images_per_second == 1 / timed.whole.median
    assert timed.table().totals["per_second"] == timed.images_per_second
    assert timed.table().totals["elementwise"] == costcalc.augment("resnet_cifar").elementwise
    assert timed.table().totals["bytes_out"] == sum(row["bytes_out"] for row in timed.table().rows)
    fields = timed.to_dict()["time"]
    assert fields["threads"] == 1
    assert fields["seconds"]["whole"]["median"] == timed.whole.median


def test_a_rate_that_is_given_answers(timed):
    feed = timed.to_dict()["feeding"]
    assert feed["network_inputs_per_second"] == 1e9
    assert (feed["images_per_second"], feed["how"], feed["workers"]) == (1e9, "given", 2)
    assert feed["verdict"] == "highly input-bound: the device starves"
    text = str(timed)
    assert "⌈rate·Σt⌉" in text
    assert "input-bound: from 5 % of a step spent waiting, highly from 20 %" in text
    assert "the pipeline makes images of 32×32×3, lenet5 takes 32×32×1" in text
    assert "this does not predict" not in text


def test_a_step_measured_on_the_same_cpu_says_why_it_does_not_predict():
    found = time_pipeline("resnet_cifar", step="lenet5@batch=2", device="cpu", seconds=0.01)
    assert found.demand.same_cpu
    assert found.demand.rate > 0
    assert "measured on cpu" in found.demand.how
    assert "this does not predict: the step was measured on the CPU that the workers would take cores from" in str(
        found
    )


def test_threads_and_draws_are_as_before():
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    time_pipeline("resnet_cifar", seconds=0.001)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_a_pipeline_runs_on_one_thread(monkeypatch):
    seen = []

    class Count(Step):
        needs, after, elementwise, views = single_image, unchanged, only_moves, one_view

    monkeypatch.setitem(STEPS, "count", None)
    counted = step(Count)
    monkeypatch.setitem(
        TRANSFORMS, "count", lambda made, x: lambda image: seen.append(torch.get_num_threads()) or image
    )
    time_pipeline([counted()], image=(3, 8, 8), seconds=0.001)
    assert {*seen} == {1}


def test_a_step_of_a_readers_own_needs_a_transform(monkeypatch):
    class Shuffle(Step):
        needs, after, elementwise, views = single_image, unchanged, only_moves, one_view

    monkeypatch.setitem(STEPS, "shuffle", None)
    made = step(Shuffle)
    with pytest.raises(UsageError, match=r"step 'shuffle' has no transform to run; costcalc.torch_backend.TRANSFORMS"):
        time_pipeline([made()], image=(3, 8, 8))


def test_ten_crops_make_ten_images():
    found = time_pipeline("alexnet_test", size=40, crop=32, seconds=0.01)
    assert found.images_per_second == 1 / found.whole.median
    assert found.supply.images == 10
    *rows, total = [*found.table().rows, found.table().totals]
    assert all(row["per_second"] == pytest.approx(1000 / row["ms"]) for row in (*rows, total))
    assert "images/s: of images that enter; 10 network inputs leave for each" in found.table().notes


@pytest.mark.parametrize(
    ("workers", "share", "said"),
    [(10, 0.0, "not input-bound"), (9, 0.1, "input-bound: the device starves at times"),
     (5, 0.5, "highly input-bound: the device starves"), (None, None, None)],
)  # fmt: skip
def test_the_answer_from_a_supply_and_a_demand(monkeypatch, workers, share, said):
    monkeypatch.setattr(feeding_verdict, "cores", lambda: 10)
    supply, demand = Supply(0.01, 0.009, 0.0111), Demand("net", 1000, "given")
    found = feeding_fields(supply, demand, workers)
    assert (found["workers_needed"], found["workers_needed_interval"]) == (10, [9, 12])
    assert found["images_per_second_of_a_core"] == 100
    assert (found.get("waiting_share"), found.get("verdict")) == (pytest.approx(share) if share else share, said)
    assert "more workers than cores" not in str(feeding_table(supply, demand, workers))


def test_more_workers_than_cores_make_no_more(monkeypatch):
    monkeypatch.setattr(feeding_verdict, "cores", lambda: 2)
    supply, demand = Supply(0.01, 0.01, 0.01), Demand("net", 1000, "given")
    found, two = feeding_fields(supply, demand, 10**6), feeding_fields(supply, demand, 2)
    assert (found["workers"], found["workers_with_a_core"]) == (10**6, 2)
    assert (found["waiting_share"], found["verdict"]) == (two["waiting_share"], two["verdict"])
    assert found["verdict"] == "highly input-bound: the device starves"
    table = feeding_table(supply, demand, 10**6)
    assert ("1,000,000 workers make", "200 images/s", "no more than 2 cores") in {tuple(r.values()) for r in table.rows}
    assert "this machine has 2 cores: more workers than cores make no more images" in table.notes
    assert "no more than 2 cores" not in str(feeding_table(supply, demand, 2))


def test_ten_network_inputs_of_one_image_need_a_tenth_of_the_workers():
    supply, demand = Supply(0.01, 0.01, 0.01, images=10), Demand("net", 1001, "given")
    found = feeding_fields(supply, demand, 1)
    assert (found["network_inputs_per_second"], found["images_per_second"]) == (1001, 100.1)
    assert (found["workers_needed"], found["images_per_second_of_a_core"]) == (2, 100)
    assert found["waiting_share"] == pytest.approx(1 - 100 / 100.1)
    rows = [tuple(row.values()) for row in feeding_table(supply, demand, 1).rows]
    assert rows[:4] == [
        ("one core makes", "100 images/s", "1/Σt"), ("a step consumes", "1,001 network inputs/s", "given"),
        ("these are made of", "100 images/s", "rate/10"), ("workers needed", "2", "⌈rate/10·Σt⌉, 95 %: 2 to 2"),
    ]  # fmt: skip


def test_what_cannot_be_run_is_said(monkeypatch):
    with pytest.raises(UsageError, match="alexnet@crop=c has symbols"):
        time_pipeline("alexnet", crop=costcalc.size_symbol("c"))
    with pytest.raises(UsageError, match="rate and workers are about a training step; give step too"):
        time_pipeline("alexnet", rate=3)
    with pytest.raises(UsageError, match="--workers must be a whole number of at least 1, got 0"):
        time_pipeline("alexnet", step="lenet5", rate=3, workers=0)
    with pytest.raises(TooLarge, match=r"running it needs .* at least, this machine has"):
        time_pipeline("alexnet", size=10**6)
    assert MissingExtra("running a pipeline needs torchvision", "vision").exit_code == 3


def test_a_step_that_could_not_be_measured_exits_with_3(monkeypatch, capsys):
    def measured(models, **how):
        from types import SimpleNamespace

        lost = SimpleNamespace(ok=False, status="killed(9)", message="killed by signal 9")
        return SimpleNamespace(measurements=(lost,))

    monkeypatch.setattr(pipeline_timing, "time_nets", measured)
    assert run(["augment", "resnet_cifar", "--step", "lenet5", "--time", "--quick"]) == 3
    out, err = capsys.readouterr()
    assert (out, err) == (
        "", "error: a training step of lenet5 was not measured, killed(9): killed by signal 9\n",
    )  # fmt: skip


def test_the_command_runs_it(capsys):
    assert (
        run(["augment", "resnet_cifar", "--time", "--quick", "--step", "lenet5", "--rate", "100", "--workers", "1"])
        == 0
    )
    printed = capsys.readouterr().out
    assert "on one thread of" in printed
    assert "feeding lenet5" in printed
