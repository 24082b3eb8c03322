"""A table by block of an imported network: calls of a module itself that follow each other are one row if they must."""

import pytest

from costcalc import cost, new_graph, ops
from costcalc.analysis.own_calls import MAX_BLOCKS
from costcalc.graph import add
from costcalc.importers.torch_runs.run_record import Origin


def recorded(*layers):
    """The cost of a chain of layers, each (name, op, the path of the module that runs it)."""
    graph, modules = new_graph(name="net"), {}
    at = add(graph, "x", ops.Input((1, 3, 32, 32)))
    for name, op, path in layers:
        at, modules[name] = add(graph, name, op, at), path
    graph.graph |= {"origin": Origin(modules, {}), "warnings": ()}
    return cost(graph)


def functional(stages=(20, 20, 20), after=1):
    """Convolutions and functions, all called by the network itself, then a module."""
    layers = []
    for at, count in enumerate(stages):
        for i in range(count):
            layers.append((f"conv_{at}_{i}", ops.Conv(4 * (at + 1), 3, 2 if at and not i else 1, padding=1), ""))
            layers += [(f"relu_{at}_{i}_{j}", ops.ReLU(), "") for j in range(after)]
    return [*layers, ("flatten", ops.Flatten(), ""), ("head", ops.Linear(10), "head")]


def names(found, depth=1):
    """The rows of a table by block."""
    return [row["name"] for row in found.table(depth=depth).rows]


def test_what_fits_a_screen_stays_as_it_is():
    found = recorded(*functional([MAX_BLOCKS // 2 - 1]))
    assert names(found) == [row.name for row in found.layers[1:]]
    assert len(names(found)) == MAX_BLOCKS


@pytest.mark.parametrize(
    ("stages", "after", "expected"),
    [
        ([20], 1, [*(f"conv_0_{i} … relu_0_{i}_0" for i in range(19)), "conv_0_19 … flatten", "head"]),
        ([20, 20, 20], 1, ["conv_0_0 … relu_0_19_0", "conv_1_0 … relu_1_19_0", "conv_2_0 … flatten", "head"]),
        ([1] * 5, 10, [*(f"conv_{i}_0 … relu_{i}_0_9" for i in range(4)), "conv_4_0 … flatten", "head"]),
    ],
)
def test_each_product_is_a_row_with_what_follows_it_or_each_size(stages, after, expected):
    assert names(recorded(*functional(stages, after))) == expected


def test_rows_sum_to_totals_in_every_form():
    found = recorded(*functional())
    table = found.table(depth=1)
    for metric in ("params", "macs", "elementwise", "activations"):
        assert sum(row[metric] for row in table.rows) == found.total(metric)
    written = [line.split(",")[0] for line in found.at_depth(1).to_csv().splitlines()]
    assert [name for name in written[1:] if name != "total"] == names(found)
    assert [block["name"] for block in found.at_depth(1).to_dict()["blocks"]] == names(found)


def test_modules_and_what_no_module_reads_are_rows_of_their_own():
    many = [(f"relu_{i}", ops.ReLU(), "") for i in range(50)]
    again = [(f"act_{i}", ops.ReLU(), "act") for i in range(2, 5)]  # a module that is called again
    inside = [(f"body.{i}", ops.ReLU(), f"body.{i}") for i in range(50)]
    apart = [("constants.table", ops.ReLU(), ""), ("constants.mask", ops.ReLU(), "")]
    found = recorded(("act", ops.ReLU(), "act"), *many, *again, *inside, ("view", ops.ReLU(), ""), *apart)
    assert names(found) == ["act", "relu_0 … relu_49", "act_2", "act_3", "act_4", "body", "view", "constants"]


def test_calls_of_two_modules_are_two_rows():
    layers = [(f"{path}.add_{i}", ops.ReLU(), path) for path in ("a", "b") for i in range(30)]
    assert names(recorded(*layers), 2) == ["a.add_0 … a.add_29", "b.add_0 … b.add_29"]


def test_other_networks_keep_their_rows():
    found = recorded(*functional())
    del found.graph.graph["origin"]
    assert len(names(found)) == 122
