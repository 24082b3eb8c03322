"""The highest moment of a step on arrays is that of each point, with all copies written out."""

import random

import numpy as np
import pytest
from support.sizes import size

import costcalc
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.highest_moment import HighestMoment
from costcalc.analysis.training.high_moments import HighMoments
from costcalc.analysis.training.step_events import StepEvents
from costcalc.analysis.training.step_metrics import step_of
from costcalc.analysis.training.timeline import TEMPORARY, Begin, Change, End, Moment
from costcalc.analysis.unrolled import COPIES_TO_TRAIN, unrolled_layers
from costcalc.dims import to_exact
from costcalc.dims.exact_array import ExactArray
from costcalc.dims.shared_products import shared_products

TIMELINES = size(400, 20_000)
SHAPE = 3, 4
BLOCKS = 1, 5, 12


def some_size(rng):
    """A number, or an array along one axis of a grid or both: small or beyond 64 bits."""
    shape = rng.choice([(1, 1), (3, 1), (1, 4), SHAPE])
    most = rng.choice([1, 1, 3, 100, 2**61])
    numbers = [rng.choice([0, rng.randint(0, most)]) for _ in range(shape[0] * shape[1])]
    return numbers[0] if shape == (1, 1) else ExactArray.of(numbers, shape)


def some_copies(rng):
    """Copies that are the same at all points, from 1 on, or an array of them, from 0 on."""
    if rng.random() < 0.2:
        return rng.randint(1, 4)
    shape = rng.choice([(3, 1), (1, 4), SHAPE])
    return ExactArray.of([rng.randint(0, 4) for _ in range(shape[0] * shape[1])], shape)


def timeline(rng, held=(), depth=0):
    """Random events. A body gives back what it took, or a part of it, or what was held before it."""
    held, known = [*held], [*held]
    for _ in range(rng.randint(1, 8)):
        kind = rng.choice(["take", "take", "free", "moment", "moment", "body"])
        if kind == "take":
            held.append(rng.choice([*known, some_size(rng)]))
            known.append(held[-1])
            yield Change(TEMPORARY, held[-1])
        elif kind == "free" and held:
            yield Change(TEMPORARY, held.pop(rng.randrange(len(held))), -1)
        elif kind == "moment":
            yield Moment(rng.random(), "forward")
        elif kind == "body" and depth < 2:
            yield Begin(some_copies(rng))
            yield from timeline(rng, held, depth + 1)
            yield End()


def at(number, point):
    return int(number.at(point, SHAPE)) if isinstance(number, ExactArray) else number


def written_out(events, point):
    """The most that is held at a point at any moment, one copy after the other."""
    now, highest, begun = 0, [], []
    i = 0
    while i < len(events):
        match events[i]:
            case Change():
                now += at(events[i].size, point) * events[i].sign
            case Moment():
                highest.append(now)
            case Begin(copies):
                begun.append([i, at(copies, point)])
                if not begun[-1][1]:
                    i = end_of(events, i)
                    continue
            case End():
                begun[-1][1] -= 1
                if begun[-1][1] > 0:
                    i = begun[-1][0]
                else:
                    begun.pop()
        i += 1
    return max(highest)


def end_of(events, start):
    """The index of the end of the body that begins at an index."""
    depth = 0
    for i, event in enumerate(events[start:], start):
        depth += isinstance(event, Begin) - isinstance(event, End)
        if not depth:
            return i
    raise AssertionError("no end")


def on_arrays(events, mask, points):
    """The highest moment at each point of a grid, block by block."""
    highest = HighestMoment.of(HighMoments(events))
    found = np.zeros(SHAPE, object)
    for block in Grid({"i": tuple(range(3)), "j": tuple(range(4))}).blocks(points):
        most = highest.at(mask, block)
        found[block.within] = most.values() if isinstance(most, ExactArray) else most
    return found


def start(rng):
    """What is held throughout, then so much that nothing below it is ever given back, then its moment."""
    yield from (Change(TEMPORARY, some_size(rng)) for _ in range(3))
    yield Moment("start", "forward")
    yield Change(TEMPORARY, 2**70)
    yield Moment("start", "forward")


@pytest.mark.sized
def test_the_highest_moment_is_that_of_every_point():
    rng, largest, left_out = random.Random(16), 0, 0
    for number in range(TIMELINES):
        events = [*start(rng), *timeline(rng)]
        mask = rng.choice([1, ExactArray.of([rng.randint(0, 1) for _ in range(4)], (1, 4))])
        found = on_arrays(events, mask, rng.choice(BLOCKS))
        for point in np.ndindex(SHAPE):
            wanted = written_out(events, point) if at(mask, point) else 0
            assert found[point] == wanted, f"timeline {number} at {point}"
            largest = max(largest, wanted)
        left_out += len(HighMoments(events).rises) < sum(isinstance(event, Moment) for event in events)
    assert largest > 2**70
    assert left_out > TIMELINES // 2


def test_what_changes_nothing_is_a_moment_too():
    size = ExactArray.of([5, 7, 9], (3, 1))
    body = [Begin(3), Moment("inside", "forward"), End()]
    events = [Moment("before", "forward"), Change(TEMPORARY, size), *body, Change(TEMPORARY, size, -1)]
    assert on_arrays(events, 1, 12)[:, 0].tolist() == [5, 7, 9]


def test_a_network_without_layers_holds_what_its_numbers_say():
    assert HighestMoment.of(HighMoments([Change(TEMPORARY, 5)])).at(1, Grid({})) == 0


def test_few_moments_are_left_and_no_array_of_the_whole_grid_is_made():
    """EfficientNet over r, d and w: half a thousand moments and more at each combination of copies."""
    axes = {"r": range(64, 94), "d": [1 + i / 10 for i in range(30)], "w": [1 + i / 20 for i in range(30)]}
    grid = Grid({name: tuple(map(to_exact, values)) for name, values in axes.items()})
    net = costcalc.load("efficientnet")
    graph = net.at({name: grid.column(name) for name in axes}).layers()
    plans = [*unrolled_layers(graph, COPIES_TO_TRAIN)]
    assert len(plans) == 5  # one more if three copies were not taken with more
    with shared_products():
        for _, layers in plans:
            step = step_of(graph, layers, net.dtype)
            events = [*StepEvents(step.layers, step.dtype, step.optimizer).events()]
            found = HighMoments(events)
            assert len(found.rises) < 100 < 500 < sum(isinstance(event, Moment) for event in events)
            assert len(found.arrays) < 500  # of thousands of sizes
            highest = HighestMoment.of(found)
            assert len(highest.moments) <= 4
            summands = [summand for moment in highest.moments for summand in moment.summands]
            assert all(getattr(size, "size", 1) <= 900 for size, _ in [*highest.throughout, *summands])
