"""Every step: number and formula agree, counts derived by hand, views by enumeration, and what a step refuses."""

import itertools
from dataclasses import fields, replace

import numpy as np
import pytest
import sympy
from support.pipelines import CASES, COLOR, FLOATS

import costcalc
from costcalc import pipeline as p
from costcalc.dims import is_symbolic, size_symbol
from costcalc.errors import CostcalcError, ShapeError, UsageError
from costcalc.pipeline.image_tensor import ImageTensor
from costcalc.pipeline.step_base import CONTINUOUS, STEPS, Step, one_view, only_moves, single_image, step, unchanged

JITTER = ("brightness", "contrast", "saturation", "hue")


def answers(step, x):
    """All that a step says of an image."""
    y = step.after(x)
    return [*y.shape, y.images, y.dtype, y.bytes, step.elementwise(x, y), step.views(x, y)]


def with_symbols(made):
    """The step with a symbol for each size, and the values of the symbols."""
    values, changed = {}, {}
    for field in fields(made):
        value = getattr(made, field.name)
        sizes = value if isinstance(value, tuple) else (value,)
        if all(isinstance(size, int) for size in sizes) and type(made).name not in (
            "elastic",
            "color_jitter",
            "rotation",
        ):
            letters = tuple(size_symbol(f"{field.name}{i}") for i in range(len(sizes)))
            values |= dict(zip(letters, sizes))
            changed[field.name] = letters if isinstance(value, tuple) else letters[0]
    return replace(made, **changed), values


@pytest.mark.parametrize("name", CASES)
def test_number_and_formula_agree(name):
    made, x = CASES[name]
    open_step, values = with_symbols(made)
    height, width = size_symbol("h"), size_symbol("w")
    values |= {height: x.height, width: x.width}
    for number, formula in zip(answers(made, x), answers(open_step, x._replace(height=height, width=width))):
        filled = sympy.sympify(formula).subs(values) if is_symbolic(formula) else formula
        assert filled == number


def test_every_step_has_a_case():
    assert {type(made).name for made, _ in CASES.values()} == {*STEPS}


@pytest.mark.parametrize("name", CASES)
def test_bytes_are_elements_in_their_dtype(name):
    made, x = CASES[name]
    y = made.after(x)
    c, h, w = y.shape
    assert y.bytes == y.images * c * h * w * (4 if y.dtype == "float32" else 1)


PIXELS = 64 * 48
BY_HAND = {  # of an image of 3×64×48
    "horizontal_flip": 0, "vertical_flip": 0, "random_crop": 0, "random_crop of two sizes": 0, "center_crop": 0,
    "five_crop": 0, "ten_crop": 0, "pad": 0, "resize, nearest": 0,
    "resize to two sizes": 3 * (64 * 100 * 3 + 32 * 100 * 7),  # 48 → 100: 2 taps, 3 operations; 64 → 32: 4 taps, 7
    "resize": 3 * (64 * 32 * 7 + 42 * 32 * 7),  # 48 → 32, then 64 → 42: 4 taps, 7 operations
    "random_resized_crop": 3 * (64 * 24 * 7 + 24 * 24 * 11),  # 48 → 24: 4 taps; 64 → 24: 6 taps
    "rotation": PIXELS * (8 + 2),
    "rotation, bilinear": PIXELS * (8 + 10 + 3 * 7),
    "shear": PIXELS * (8 + 2),
    # sigma 2: a window of 17. Two fields: 2·u − 1, 17² products, 17² − 1 sums, ·alpha, ÷ side, + the place
    "elastic": PIXELS * (2 * (2 + 289 + 288 + 2 + 1) + 10 + 3 * 7),
    "color_shift": 3 * PIXELS * (1 + 2),
    # brightness 1 + 2; contrast and saturation: gray 5, rounding, mean or product; 2 + 2; hue 47, and ÷255, ·255
    "color_jitter": 3 * PIXELS * 3 + 2 * (7 * PIXELS + 4 * 3 * PIXELS) + 47 * PIXELS + 2 * 3 * PIXELS,
    "color_jitter of floats": 3 * PIXELS * 3 + 47 * PIXELS,
    "pca_color": 3 * PIXELS, "to_float": 3 * PIXELS, "normalize": 2 * 3 * PIXELS,
    "normalize, ten images": 10 * 2 * 3 * PIXELS, "subtract_mean": 3 * PIXELS,
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_elementwise_as_derived_by_hand(name):
    made, x = CASES[name]
    assert made.elementwise(x, made.after(x)) == BY_HAND[name]


def windows(image, height, width):
    """All windows of an image (c, h, w)."""
    _, h, w = image.shape
    for top, left in itertools.product(range(h - height + 1), range(w - width + 1)):
        yield image[:, top : top + height, left : left + width]


def shifted(image, amount):
    """All images to each of whose channels a number from −amount to amount is added."""
    for draw in itertools.product(range(-amount, amount + 1), repeat=len(image)):
        yield image + np.array(draw)[:, None, None]


DRAWS = {  # all that a step may make of an image
    "horizontal_flip": lambda made, image: (image, image[:, :, ::-1]),
    "vertical_flip": lambda made, image: (image, image[:, ::-1]),
    "random_crop": lambda made, image: windows(
        image, *(made.size if isinstance(made.size, tuple) else [made.size] * 2)
    ),
    "pad": lambda made, image: (np.pad(image, ((0, 0), *[(made.padding, made.padding)] * 2)),),
    "color_shift": lambda made, image: shifted(image, made.amount),
}


@pytest.mark.parametrize(
    "steps",
    [
        [p.HorizontalFlip()],
        [p.RandomCrop(3)],
        [p.RandomCrop((2, 5)), p.HorizontalFlip()],
        [p.HorizontalFlip(), p.VerticalFlip(), p.RandomCrop((4, 2))],
        [p.Pad(1), p.RandomCrop((5, 6)), p.HorizontalFlip()],
        [p.ColorShift(2)],
        [p.ColorShift(1), p.RandomCrop(4), p.VerticalFlip()],
    ],
    ids=repr,
)
def test_views_are_the_different_images_that_can_come_out(steps):
    image = np.random.default_rng(0).integers(10, 200, (1, 5, 6))
    made = [image]
    for one in steps:
        made = [after for before in made for after in DRAWS[type(one).name](one, before)]
    found = costcalc.augment(steps, image=(1, 5, 6))
    assert found.views == len({after.tobytes() for after in made})
    assert {after.shape for after in made} == {found.image.shape}


def test_the_same_step_twice_says_that_views_may_be_the_same():
    found = costcalc.augment([p.RandomCrop(6), p.RandomCrop(4)], image=(1, 8, 8))
    assert found.views == 3**2 * 3**2  # of 5·5 windows
    assert "random_crop stands several times: two ways may give the same view" in found.table().notes
    assert [row["step"] for row in found.to_records()] == ["random_crop_1", "random_crop_2"]


def test_continuous_steps_are_named_and_not_multiplied():
    found = costcalc.augment([p.Rotation(10), p.HorizontalFlip(), p.Shear(10)], image=(3, 8, 8))
    assert (found.views, found.continuous) == (2, ("rotation", "shear"))
    assert found.of_step("rotation", "views") == CONTINUOUS


SMALL = ImageTensor(3, 20, 30)
REFUSED = {
    "a crop of 65×65 does not fit into 64×48": ([p.RandomCrop(65)], COLOR),
    "a crop of 40×49 does not fit into 64×48": ([p.CenterCrop((40, 49))], COLOR),
    "a crop of 64×64 does not fit into 64×48": ([p.TenCrop(64)], COLOR),
    "takes one size or two, got 3": ([p.RandomCrop((1, 2, 3))], COLOR),
    "takes float32, got uint8; put to_float before it": ([p.Normalize()], COLOR),
    "takes uint8, got float32; leave it out": ([p.ToFloat(), p.ToFloat()], COLOR),
    "takes uint8, got float32; put it before to_float": ([p.ToFloat(), p.ColorShift()], COLOR),
    "takes one image, got 10; put it before the step that makes several": ([p.TenCrop(3), p.HorizontalFlip()], COLOR),
    "takes an image of 3 channels, got 1": ([p.ColorJitter(hue=0.1)], ImageTensor(1, 8, 8)),
    "hue is from 0 to 0.5, got 0.7": ([p.ColorJitter(hue=0.7)], COLOR),
    "changes nothing; give brightness, contrast, saturation, hue": ([p.ColorJitter()], COLOR),
    "degrees are more than 0 and less than 181, got 0": ([p.Rotation(0)], COLOR),
    "degrees are more than 0 and less than 90, got 90": ([p.Shear(90)], COLOR),
    "the field is smoothed by a window of 41, which is too wide for a side of 20": (
        [p.Elastic()],
        ImageTensor(3, 20, 30),
    ),
    "amount is at most 255, got 256": ([p.ColorShift(256)], COLOR),
    "takes an image of 1 or 3 channels, got 2": ([p.ColorShift()], ImageTensor(2, 8, 8)),
    "sigma is more than 0, got 0": ([p.Elastic(sigma=0)], COLOR),
    "std is more than 0, got 0": ([p.ToFloat(), p.PcaColor(0)], COLOR),
    "std is more than 0, got -1": ([p.ToFloat(), p.PcaColor(-1)], COLOR),
    "min_scale is more than 0 and at most 1, got 0": ([p.RandomResizedCrop(8, min_scale=0)], COLOR),
    "min_scale is more than 0 and at most 1, got 2": ([p.RandomResizedCrop(8, min_scale=2)], COLOR),
}


@pytest.mark.parametrize("message", REFUSED)
def test_a_step_that_cannot_be_is_refused(message):
    steps, image = REFUSED[message]
    with pytest.raises(ShapeError) as caught:
        costcalc.augment(steps, image=image.shape)
    assert f"step {steps[-1].name!r}: {message}" in str(caught.value).replace("_2'", "'").replace("_1'", "'")


def test_a_hint_helps():
    for steps, hint in (([p.ColorShift(300)], ""), ([p.RandomCrop(9)], "make it smaller, or resize before it")):
        with pytest.raises(ShapeError) as caught:
            costcalc.augment(steps, image=(3, 8, 8))
        assert caught.value.said[1] == hint


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: costcalc.augment([], image=(3, 8, 8)), "the pipeline is empty; give at least one step"),
        (lambda: costcalc.augment([p.Pad(1)]), "a list of steps needs the sizes of an image: image=(3, 256, 256)"),
        (lambda: costcalc.augment([p.Pad(1)], image=(8, 8)), "a list of steps needs the sizes of an image"),
        (lambda: costcalc.augment([p.Pad(1)], image=(3, 0, 8)), "image must be a whole number from 1"),
        (
            lambda: costcalc.augment([p.Pad(1)], image=(3, np.arange(2), 8)),
            "a pipeline takes numbers and symbols, and no",
        ),
        (lambda: costcalc.augment([p.Pad(1)] * 101, image=(3, 8, 8)), "the pipeline has 101 steps; at most 100"),
        (lambda: costcalc.augment(["pad"], image=(3, 8, 8)), "'pad' is no step of a pipeline"),
        (lambda: costcalc.augment([p.Pad(1)], image=(3, 8, 8), crop=3), "a list of steps has no knobs; got crop"),
        (lambda: p.RandomCrop(np.arange(3)), "random_crop: size: a pipeline takes numbers and symbols, and no arrays"),
        (lambda: p.RandomCrop(0), "random_crop: size must be a whole number from 1 to 2^31, got 0"),
        (lambda: p.Resize(8, "bicubic"), "resize: interpolation must be 'nearest' or 'bilinear', got 'bicubic'"),
        (lambda: p.Rotation("far"), "rotation: degrees must be a number, got 'far'"),
    ],
)
def test_what_is_no_pipeline_is_said(make, message):
    with pytest.raises(CostcalcError) as caught:
        make()
    assert message in str(caught.value)
    assert isinstance(caught.value, (ShapeError, UsageError))


def test_a_step_that_leaves_a_question_open_is_refused():
    with pytest.raises(TypeError, match="step Blur does not answer: elementwise, views"):

        @step
        class Blur(Step):
            needs = single_image

            def after(self, x):
                return x

    with pytest.raises(TypeError, match="field 'radius' is of no kind costcalc knows"):

        @step
        class Sharpen(Step):
            radius: int
            needs = single_image
            elementwise = only_moves
            views = one_view

            def after(self, x):
                return x

    assert {"blur", "sharpen"}.isdisjoint(STEPS)


def test_a_step_of_ones_own_may_not_take_a_known_name():
    with pytest.raises(TypeError, match=r"costcalc\.pipeline\.crop_steps\.Pad has its name, pad, already"):

        @step
        class Pad(Step):
            needs, after, elementwise, views = single_image, unchanged, only_moves, one_view

    assert STEPS["pad"] is p.Pad


def test_symbols_leave_conditions_that_are_printed():
    crop, size = size_symbol("crop"), size_symbol("size")
    found = costcalc.augment([p.RandomCrop(crop)], image=(3, size, size))
    assert found.views == (size - crop + 1) ** 2
    assert "holds where size is at least crop" in found.table().notes


def test_float_and_uint8_differ_where_they_do():
    jitter = p.ColorJitter(contrast=0.4)
    pixels = COLOR.positions
    assert jitter.elementwise(COLOR, COLOR) - jitter.elementwise(FLOATS, FLOATS) == pixels  # gray is rounded in uint8
