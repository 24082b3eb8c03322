"""Pipelines of the library and of readers: what the papers say, rows that add up, names, knobs, files, schema."""

import json
import subprocess
import sys

import jsonschema
import pytest
import sympy
from ruamel.yaml import YAML

import costcalc
from costcalc.dims import is_symbolic
from costcalc.pipeline.augmentation import METRICS
from costcalc.pipeline.pipeline_library import is_pipeline, load_pipeline, pipeline_paths
from costcalc.pipeline.pipeline_schema import pipeline_schema
from costcalc.pipeline.step_base import STEPS
from costcalc.spec.library import entries, library_folder

NAMES = [*pipeline_paths()]
SCHEMA = jsonschema.Draft202012Validator(pipeline_schema())
GOOD = """
name: mine
title: A pipeline
source: made up
knobs:
  r: {default: 40, about: side}
  turn: {default: 10, kind: real}
input: [3, r, r + 8]
steps:
  - resize: {size: [r, r], interpolation: nearest}
  - random_crop: r - 8
  - rotation: {degrees: turn}
  - horizontal_flip
  - to_float
  - normalize
published:
  - {metric: views, value: 162, source: by hand}
  - {metric: views, value: 81, source: by hand, block: random_crop, at: {r: 48}}
"""


# --- truths -------------------------------------------------------------------------------------------------------


def test_alexnet_as_printed_and_exact():
    found = costcalc.augment("alexnet")
    assert found.views == 33**2 * 2 == 2178
    assert costcalc.augment("alexnet", crop=227).views == 30**2 * 2 == 1800
    (figure,) = costcalc.reconcile("augment:alexnet").figures
    assert (figure.published.value, figure.exact) == ("2048", 2178)
    assert 32**2 * 2 == 2048
    assert "33²·2 = 2,178" in figure.published.because
    assert "30²·2 = 1,800" in figure.published.because


def test_bytes_and_work_of_alexnet():
    found = costcalc.augment("alexnet")
    assert (found.rows[0].before.bytes, found.image.bytes) == (256**2 * 3, 4 * 224**2 * 3) == (196_608, 602_112)
    assert found.of_step("pca_color", "elementwise") == 3 * 224**2 == 150_528


def test_ten_crops_are_ten_forward_passes():
    found = costcalc.augment("alexnet_test")
    assert (found.images, found.image.shape) == (10, (3, 224, 224))
    assert "10 images leave for one that enters: 10 forward passes of a network" in found.table().notes
    assert costcalc.reconcile("augment:alexnet_test").ok


def test_the_lecture_has_all_that_lectures_list():
    wanted = ["horizontal_flip", "random_crop", "rotation", "shear", "elastic", "color_shift", "pca_color"]
    assert [row.name for row in costcalc.augment("lecture").rows if row.name in wanted] == wanted


def test_cifar_pads_and_crops():
    found = costcalc.augment("resnet_cifar")
    assert (found.views, found.image.shape) == (9 * 9 * 2, (3, 32, 32))


def test_resnet_scales_its_shorter_side():
    assert costcalc.augment("resnet", side=256).rows[0].after.shape == (3, 256, 341)
    assert costcalc.augment("resnet", side=480).rows[0].after.shape == (3, 480, 640)


# --- laws ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_rows_sum_to_totals(name):
    found = costcalc.augment(name)
    table = found.table()
    for metric in ("elementwise", "bytes_in", "bytes_out"):
        assert sum(row[metric] for row in table.rows) == table.totals[metric] == found.total(metric)
    for before, after in zip(found.rows, found.rows[1:]):
        assert before.after == after.before


@pytest.mark.parametrize("name", NAMES)
def test_a_number_is_the_formula_filled_in(name):
    number = costcalc.augment(name)
    letters = {knob: costcalc.size_symbol(knob) for knob in number.pipeline.values}
    formula = costcalc.augment(name, **letters)
    values = {letters[knob]: value for knob, value in number.pipeline.values.items()}
    for metric in METRICS:
        found = formula.total(metric)
        assert (sympy.sympify(found).subs(values) if is_symbolic(found) else found) == number.total(metric)


def test_metrics_of_a_pipeline_are_what_it_has():
    found = costcalc.augment("alexnet")
    assert found.to_dict()["totals"] == {metric: getattr(found, metric) for metric in METRICS}


# --- a namespace of its own ---------------------------------------------------------------------------------------


def test_pipelines_are_no_networks_and_networks_no_pipelines():
    assert {"alexnet", "resnet", "lecture"} <= {*NAMES}
    listed = {record["name"] for record in costcalc.specs().to_records()}
    assert listed == {entry.name for entry in entries()}
    assert {"lecture", "alexnet_test"}.isdisjoint(listed)
    assert costcalc.load("alexnet").macs == 724_406_816
    with pytest.raises(costcalc.UnknownName, match="no pipeline named 'vgg16'"):
        costcalc.augment("vgg16")
    with pytest.raises(costcalc.UsageError, match="augment:alexnet is an augmentation pipeline, not a network"):
        costcalc.load("augment:alexnet")


def test_each_kind_of_file_is_told_from_the_other():
    network, pipeline = library_folder() / "alexnet.yaml", library_folder() / "augment" / "alexnet.yaml"
    assert (is_pipeline(network), is_pipeline(pipeline), is_pipeline("alexnet")) == (False, True, False)
    with pytest.raises(costcalc.SpecError, match="this is an augmentation pipeline, not a network; see `costcalc aug"):
        costcalc.load(pipeline)
    with pytest.raises(costcalc.SpecError, match="this is a network, not a pipeline; see `costcalc show"):
        costcalc.augment(network)


# --- targets ------------------------------------------------------------------------------------------------------


def test_text_dict_file_and_steps_are_one_pipeline(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    data = YAML(typ="safe", pure=True).load(GOOD)
    steps = costcalc.pipeline
    made = costcalc.augment(
        [steps.Resize((40, 40), "nearest"), steps.RandomCrop(32), steps.Rotation(10), steps.HorizontalFlip(),
         steps.ToFloat(), steps.Normalize()], image=(3, 40, 48),
    )  # fmt: skip
    found = [costcalc.augment(target) for target in (GOOD, data, path, f"{path}@r=40", load_pipeline(path))]
    assert {tuple(map(str, one.rows)) for one in found} == {tuple(map(str, made.rows))}
    assert found[3].pipeline.label == f"{path}@r=40"
    assert costcalc.augment("augment:alexnet").rows == costcalc.augment("alexnet").rows


def test_knobs_are_set_as_those_of_networks():
    ways = [costcalc.augment("alexnet@crop=227"), costcalc.augment("alexnet", crop=227),
            costcalc.augment("alexnet", crop="227"), costcalc.augment("alexnet@crop=200", crop=227)]  # fmt: skip
    assert {one.views for one in ways} == {1800}
    assert {one.pipeline.label for one in ways} == {"alexnet@crop=227"}


@pytest.mark.parametrize(
    ("given", "knobs", "message"),
    [
        ("alxnet", {}, "no pipeline named 'alxnet'; did you mean 'alexnet'? see `costcalc augment`"),
        ("./nowhere.yaml", {}, "there is no file './nowhere.yaml'"),
        ("alexnet", {"crp": 3}, "alexnet: unknown knob 'crp'; did you mean 'crop'?"),
        ("alexnet@crp=3", {}, "alexnet: unknown knob 'crp'; did you mean 'crop'?"),
        ("alexnet@", {}, "'' sets no knob"),
        ("alexnet", {"crop": 1.5}, "knob 'crop' is a whole number, got 1.5"),
        ("alexnet", {"freeze": "conv1"}, "alexnet: unknown knob 'freeze'"),
        ("resnet", {"side": 100}, "knob 'side' is at least 256, got 100"),
        (7, {}, "a int is not a pipeline; give a name, a path, a dict, or steps"),
        (
            "alexnet@crop=300",
            {},
            "step 'random_crop': a crop of 300×300 does not fit into 256×256; make it",
        ),
    ],
)
def test_bad_targets(given, knobs, message):
    with pytest.raises(costcalc.CostcalcError) as caught:
        costcalc.augment(given, **knobs)
    assert message in str(caught.value)


def test_an_impossible_crop_has_its_place_in_the_file():
    with pytest.raises(costcalc.SpecError) as caught:
        costcalc.augment("alexnet", crop=300)
    (problem,) = caught.value.problems
    assert (problem.place.file.endswith("augment/alexnet.yaml"), problem.place.line) == (True, 12)


# --- files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_pipeline_of_the_library_is_valid_fits_the_schema_and_reconciles(name):
    path = pipeline_paths()[name]
    assert [*costcalc.validate(path)] == [*costcalc.validate(f"augment:{name}")] == []
    assert costcalc.validate(path).ok
    data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    assert [error.message for error in SCHEMA.iter_errors(data)] == []
    assert costcalc.reconcile(f"augment:{name}").ok
    assert data["source"]


def test_a_pipeline_with_everything_in_it_is_valid(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    (report,) = costcalc.validate(str(path)).files
    assert (report.ok, report.line) == (True, f"{path}: ok (6 steps, 162 views)")
    assert [figure.exact for figure in costcalc.reconcile(str(path)).figures] == [162, 81]
    assert [f.exact for f in costcalc.reconcile(f"{path}@r=48").figures] == [81]
    assert SCHEMA.is_valid(YAML(typ="safe", pure=True).load(GOOD))


FIGURES = {
    "metric: veiws": "unknown metric 'veiws'; did you mean 'views'?",
    "metric: views, block: rotaton": "no step 'rotaton' in mine; did you mean 'rotation'?",
    "metric: views, block: rotation": "the views of rotation are continuous",
}


@pytest.mark.parametrize("wrong", FIGURES)
def test_a_figure_of_what_is_not_there_has_its_place(wrong):
    text = GOOD.replace("metric: views", wrong, 1)
    with pytest.raises(costcalc.SpecError) as caught:
        costcalc.reconcile(text)
    assert FIGURES[wrong] in str(caught.value)
    assert [problem.place.line for problem in costcalc.validate(text)] == [17]
    assert caught.value.problems[0].place.line == 17


def test_reconcile_takes_what_augment_takes():
    made = load_pipeline("alexnet")
    assert costcalc.reconcile(made).figures[0].exact == 2178
    with pytest.raises(costcalc.UsageError, match="reconcile needs numeric sizes; alexnet@crop=c has symbols"):
        costcalc.reconcile(load_pipeline("alexnet", crop=costcalc.size_symbol("c")))
    steps = costcalc.augment([costcalc.pipeline.Pad(1)], image=(3, 8, 8)).pipeline
    assert costcalc.reconcile(steps).table().notes == ["no published figures: a list of steps lists none"]
    assert costcalc.reconcile("augment:lecture").table().notes[0].startswith("no published figures: add them")
    with pytest.raises(costcalc.UsageError, match="a Pipeline has its knobs set"):
        costcalc.augment(made, crop=3)
    with pytest.raises(costcalc.UsageError, match="image goes with a list of steps"):
        costcalc.augment("alexnet", image=(3, 8, 8))


def test_what_cannot_be_read_is_said(tmp_path):
    for target, message in {
        str(tmp_path): "it is a folder", "/dev/null": "it is a pipe or a device", "a\0.yaml": "cannot read",
    }.items():  # fmt: skip
        with pytest.raises(costcalc.UsageError, match=message):
            costcalc.augment(target)
        assert not is_pipeline(target)


WRONG = {  # what stands in GOOD, what in its place, and what is said
    "random_crop: r - 8": ("random_corp: r - 8", "unknown step 'random_corp'; did you mean 'random_crop'?"),
    "degrees: turn": ("degree: turn", "unknown key in rotation 'degree'; did you mean 'degrees'?"),
    "rotation: {degrees: turn}": ("rotation", "rotation needs 'degrees'"),
    "interpolation: nearest": ("interpolation: nearst", "must be 'nearest' or 'bilinear'; did you mean 'nearest'?"),
    "- to_float": ("- to_float: 3", "to_float has no fields; write - to_float"),
    "[3, r, r + 8]": ("[r, r + 8]", "input has the sizes of one image, got 2; as in input: [3, 256, 256]"),
    "- horizontal_flip": ("- {to_float: , normalize: }", "a step is a name, or name: fields"),
    "r - 8": ("q - 8", "unknown name 'q'"),
    "r - 8\n": ("r/3\n", "random_crop: size must be a whole number"),
    "r - 8\n ": ("r + 8\n ", "a crop of 48×48 does not fit into 40×40; make it smaller, or resize before it"),
    "metric: views, value: 162": ("metric: veiws, value: 162", "unknown metric 'veiws'; did you mean 'views'?"),
    "block: random_crop": ("block: random_corp", "no step 'random_corp' in mine; did you mean 'random_crop'?"),
    "title: A pipeline\n": ("", "a pipeline needs 'title'"),
    "name: mine": ("name: other", "the pipeline 'other' stands in mine.yaml; name it mine"),
    "knobs:": ("konbs:", "unknown key in a pipeline 'konbs'; did you mean 'knobs'?"),
}


@pytest.mark.parametrize("old", WRONG)
def test_validate_says_what_is_wrong_and_where(tmp_path, old):
    new, message = WRONG[old]
    assert old in GOOD
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace(old, new, 1))
    found = costcalc.validate(str(path))
    assert not found.ok
    assert message in str([*map(str, found)])
    assert all(problem.place.file == str(path) for problem in found)
    assert not found.files[0].line


SAYS_NO = ("- to_float", "[3, r, r + 8]", "degrees: turn", "interpolation: nearest", "random_crop: r - 8", "knobs:")


@pytest.mark.parametrize("old", SAYS_NO)
def test_the_schema_marks_it_too(old):
    assert not SCHEMA.is_valid(YAML(typ="safe", pure=True).load(GOOD.replace(old, WRONG[old][0], 1)))


def test_a_wrong_name_hides_no_other_mistake(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace("name: mine", "name: other").replace("r - 8", "r + 8"))
    said = str([*map(str, costcalc.validate(str(path)))])
    assert "the pipeline 'other' stands in mine.yaml" in said
    assert "does not fit into 40×40" in said


def said_of(steps, sizes="[3, 64, 64]"):
    """Line of the step, from 1, and message of each problem."""
    head = f"name: mine\ntitle: t\nsource: s\ninput: {sizes}\nsteps:\n"
    found = costcalc.validate(head + "".join(f"  - {step}\n" for step in steps))
    return [(problem.place.line - 5, problem.message.removeprefix("step ")) for problem in found]


CROP_300 = "'random_crop': a crop of 300×300 does not fit into 64×64"


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        # fields are wrong whatever the image is
        (["color_shift: 300", "random_crop: 300", "rotation: 200", "color_jitter: {brightness: 2, hue: 1}"],
         [(1, "'color_shift': amount is at most 255, got 300"), (2, CROP_300),
          (3, "'rotation': degrees are more than 0 and less than 181, got 200"),
          (4, "'color_jitter': brightness is from 0 to 1, got 2"), (4, "'color_jitter': hue is from 0 to 0.5, got 1")]),
        # what follows a crop that is too large has no image
        (["random_crop: 300", "normalize"], [(1, CROP_300)]),
        # nor has what follows a step that is not valid; what stands before it has one
        (["random_crop: 300", "rotation", "normalize", "random_corp: 3", "pad: 0.5"],
         [(1, CROP_300), (2, "rotation needs 'degrees'"), (4, "unknown step 'random_corp'"),
          (5, "pad: padding must be a whole number from 1 to 2^31, got 0.5")]),
        (["pad: 0.5", "random_crop: 300"], [(1, "pad: padding must be a whole number from 1 to 2^31, got 0.5")]),
    ],
)  # fmt: skip
def test_all_that_is_wrong_with_steps_is_said_at_once(steps, said):
    assert said_of(steps) == said


def test_an_input_that_is_none_hides_no_step():
    found = said_of(["random_crop: 300", "color_shift: 300"], "[3, 64]")
    assert [line for line, _ in found] == [-1, 2]


def test_no_steps_are_said():
    empty = GOOD[: GOOD.index("steps:")] + "steps: []\n"
    with pytest.raises(costcalc.SpecError, match="steps is empty; give at least one step, as in - horizontal_flip"):
        costcalc.augment(empty)
    assert not SCHEMA.is_valid(YAML(typ="safe", pure=True).load(empty))


def test_the_largest_pipeline_is_printed():
    head = GOOD[: GOOD.index("input:")]
    steps = "".join("  - pad: 2147483648\n  - random_crop: 1\n" for _ in range(50))
    found = costcalc.augment(f"{head}input: [3, 2147483648, 2147483648]\nsteps:\n{steps}")
    assert str(found).count("\n") > 100
    with pytest.raises(costcalc.SpecError, match="steps has 101 steps; at most 100"):
        costcalc.augment(f"{head}input: [3, 8, 8]\nsteps:\n{steps}  - horizontal_flip\n")


def test_a_hostile_file_is_read_as_strictly_as_a_spec():
    for text, message in {
        GOOD.replace("- to_float", "- &a to_float"): "an anchor, &a",
        GOOD.replace("- to_float", "- !!python/name to_float"): "a tag",
        GOOD.replace("r - 8", "__import__('os')", 1): "calls '__import__'",
        GOOD + "name: again\n": "'name' stands twice",
        GOOD.replace("A pipeline", '"\\u202e"'): "invisible character",
    }.items():
        with pytest.raises(costcalc.SpecError, match=message):
            costcalc.augment(text)


def test_the_schema_has_every_step():
    jsonschema.Draft202012Validator.check_schema(pipeline_schema())
    *alone, mapping = pipeline_schema()["properties"]["steps"]["items"]["anyOf"]
    assert {one["const"] for one in alone} | {*mapping["properties"]} == {*STEPS}
    assert all(one["description"] for one in (*alone, *mapping["properties"].values()))
    ran = subprocess.run([sys.executable, "-m", "costcalc", "schema", "--augment"], capture_output=True, check=True)
    assert json.loads(ran.stdout) == pipeline_schema()


def test_pipelines_ship_beside_the_specs():
    assert {path.parent for path in pipeline_paths().values()} == {library_folder() / "augment"}
