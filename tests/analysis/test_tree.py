"""A network as a tree: each layer in one line, branches side by side where they are, numbers that add up."""

import pytest
from support.hostile_names import xss
from support.terminals import in_terminal, piped

import costcalc
from costcalc.analysis.picture.parallel_branches import Fork, Links, chain_of
from costcalc.analysis.picture.tree_branches import PARALLEL
from costcalc.cli.app import run
from costcalc.errors import UnknownName, UsageError
from costcalc.ops import Add, Conv, Input, ReLU
from costcalc.spec.library import entries
from costcalc.table.aligned import lines, text_width

MACS = 4  # the place of the column
SPECS = [entry.name for entry in entries() if entry.kind == "spec"]


def chain(count, *ends, reading=(), read=()):
    """The chain of so many items with these edges."""
    return chain_of(Links.of(ends, count, reading, read))


def fork(*branches, **about):
    return Fork(branches, **about)


@pytest.mark.parametrize(
    ("ends", "found"),
    [
        ([(0, 1), (1, 2)], (0, 1, 2)),
        ([(0, 1), (0, 2), (1, 3), (2, 3)], (0, fork((1,), (2,)), 3)),
        ([(0, 1), (1, 2), (0, 2)], (0, fork((1,), has_shortcut=True), 2)),
        ([(0, 1), (1, 2), (2, 3), (0, 3), (3, 4)], (0, fork((1, 2), has_shortcut=True), 3, 4)),
        ([(0, 1), (0, 2), (1, 3), (2, 3), (1, 2)], (0, 1, 2, 3)),
        ([(0, 1), (1, 2), (0, 3)], (0, fork((1, 2), is_side=True), 3)),  # the last item is the end
        ([(0, 1), (0, 2), (1, 3), (2, 3), (1, 4), (2, 4), (3, 5), (4, 5)], (0, 1, 2, 3, 4, 5)),  # no way to nest it
        ([(0, 2), (1, 2)], (fork((0,), (1,)), 2)),
        ([(0, 1), (1, 2), (2, 3), (1, 3), (3, 4), (0, 4)],
         (0, fork((1, fork((2,), has_shortcut=True), 3), has_shortcut=True), 4)),
    ],
)  # fmt: skip
def test_branches_are_found(ends, found):
    assert chain(1 + max(map(max, ends)), *ends) == found


def test_a_shortcut_from_outside_is_one():
    assert chain(2, (0, 1), reading=[0, 1]) == (fork((0,), has_shortcut=True), 1)


def test_forks_in_forks_end_at_some_depth():
    count = 40
    ends = [(i, i + 1) for i in range(2 * count)] + [(i, 2 * count - i) for i in range(count)]
    assert sorted(items_of(chain(2 * count + 1, *ends))) == [*range(2 * count + 1)]


def items_of(found):
    """The items of a chain, those of branches too."""
    for one in found:
        if isinstance(one, int):
            yield one
        else:
            for branch in one.branches:
                yield from items_of(branch)


def boxes_below(branches):
    """The boxes of the innermost lines."""
    for branch in branches:
        yield from boxes_below(branch.below) if branch.below else branch.boxes


@pytest.mark.parametrize("depth", [1, 2, 9])
@pytest.mark.parametrize("name", SPECS)
def test_each_layer_is_in_one_line_and_lines_add_up(name, depth):
    tree = costcalc.load(name).tree(depth=depth)
    boxes = [*boxes_below(tree.branches)]
    assert sorted(at for box in boxes for at in tree.sketch.boxes[box].layers) == [*range(len(tree.cost.layers))]
    rows, total = tree.table().rows, tree.cost.macs
    outermost = [row.get("macs") or 0 for row in rows if len(row["guide"]) == 3]
    assert sum(outermost) == total == tree.table().totals["macs"]
    for at, row in enumerate(rows):
        below = []
        for one in rows[at + 1 :]:
            if len(one["guide"]) <= len(row["guide"]):
                break
            below += [one.get("macs") or 0] if len(one["guide"]) == len(row["guide"]) + 3 else []
        assert not below or sum(below) == row["macs"]


def test_the_inception_module():
    printed = str(costcalc.load("inception_module").tree()).splitlines()
    names = [line.split("  ")[0] for line in printed[2:14]]
    assert names == [
        "layer", "├─ input", "├─ ∥ conv1x1", "├─ ∥ branch 2", "│", "│", "├─ ∥ branch 3", "│", "│", "├─ ∥ branch 4",
        "│", "│",
    ]  # fmt: skip
    assert printed[6].startswith("│  ├─ reduce3x3")
    assert printed[7].endswith("110.7 K  86.70 M  ██████▊     67.7 %")
    assert printed[14].startswith("└─ concat")


def test_a_branch_that_ends_is_said_to():
    printed = str(costcalc.load("googlenet@heads=true").tree(depth=1))
    assert "├─ ∥ head1              8 layers, ends here" in printed


def test_what_a_line_reads_is_said_where_the_tree_does_not_show_it():
    graph = costcalc.new_graph()
    x = costcalc.add(graph, "x", Input((1, 8, 8, 8)))
    a, b = (costcalc.add(graph, name, Conv(8, 3, padding=1), x) for name in "ab")
    c, d = (costcalc.add(graph, name, Add(), a, b) for name in "cd")
    costcalc.add(graph, "e", Add(), c, d)
    printed = str(costcalc.load(graph).tree())
    assert "add ← a, b" in printed
    assert "add ← c, d" in printed


def test_numbers_are_short_and_exact_with_units():
    tree = costcalc.load("lenet5").tree()
    assert "60.0 %" not in str(tree) and "117.6 K" in str(tree)
    assert "117,600" in str(tree.in_units("none"))
    assert "117.6" in str(tree.in_units("K"))
    assert "MACs (K)" in str(tree.in_units("K"))
    assert piped("show", "lenet5", "--tree", "--units", "none").stdout.decode().count("117,600") == 1


def test_bytes_have_units_too():
    assert "40.8 KiB" in str(costcalc.load("lenet5").tree(shade="peak_bytes"))
    assert "41,728" in str(costcalc.load("lenet5").tree(shade="peak_bytes").in_units("none"))


def test_symbols_have_formulas_and_no_bars():
    printed = str(costcalc.load("lenet5", batch=costcalc.size_symbol("batch")).tree())
    assert "117,600·batch" in printed
    assert "█" not in printed


def test_the_json_is_that_of_the_cost():
    net = costcalc.load("lenet5")
    assert net.tree().to_dict() == net.cost().to_dict()


def test_a_pipe_gets_plain_text():
    done = piped("show", "resnet18", "--tree", COLUMNS="40").stdout.decode()
    assert "\x1b" not in done and "hidden" not in done
    assert all(line == line.rstrip() for line in done.splitlines())
    assert "└─ fc" in done and "█" in done


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("name", ["resnet50", "googlenet", "efficientnet"])
def test_lines_fit_and_numbers_are_whole(name, width):
    table = costcalc.load(name).tree().table()
    printed = ["".join(part for part, _ in line) for line in lines([table], width, "─")]
    body = [line for line in printed if line.lstrip("│ ")[:1] in ("├", "└")]
    assert len(body) == len(table.rows)
    assert all(text_width(line) <= width for line in printed)
    assert all(text in "\n".join(printed) for row in table.rows if (text := table.texts(row)[MACS]))
    if width >= 80:
        assert "hidden" not in "\n".join(printed)


def test_a_terminal_without_signs_gets_plain_ones():
    printed, code = in_terminal(80, "show", "residual_block", "--tree", PYTHONIOENCODING="ascii", NO_COLOR="1")
    assert code == 0 and printed.isascii()
    assert "|- = shortcut" in printed.replace("|--", "|-")
    assert "`- add" in printed.replace("`--", "`-")


def test_hostile_names_stay_text():
    graph, x = costcalc.new_graph(), "x"
    costcalc.add(graph, x, Input((1, 8)))
    for name in xss(20):
        x = costcalc.add(graph, name, ReLU(), x)
    tree = costcalc.load(graph).tree(every_layer=True)
    narrow = "".join(part for line in lines([tree.table()], 60, "─") for part, _ in line)
    assert "\x1b" not in str(tree) + narrow
    assert "<script" not in tree._repr_html_() and "<img" not in tree._repr_html_()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-f", "csv"), "--tree is text, or JSON with all layers; leave it out for csv"),
        (("-o", "x.svg"), "--tree is text, and .svg is none; leave one of them out"),
        (("--columns", "name"), "--columns: a tree has its own; --shade METRIC says what its bars show"),
        (("--width", "100"), "--width: only drawings have them; add -o FILE.svg"),
        (("--shade", "mac"), "unknown metric 'mac'; did you mean 'macs'?"),
    ],
)
def test_what_a_tree_does_not_have(words, said, capsys):
    code = run(["show", "lenet5", "--tree", *words])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert said in err


def test_errors_in_python():
    net = costcalc.load("lenet5")
    with pytest.raises(UsageError, match="a depth is a whole number from 1"):
        net.tree(depth=0)
    with pytest.raises(UnknownName):
        net.tree(shade="mac")


def test_a_long_network_is_short():
    graph, x = costcalc.new_graph(), "x"
    costcalc.add(graph, x, Input((1, 8, 8, 8)))
    for number in range(3000):
        x = costcalc.add(graph, f"stage{number // 30}.conv{number}", Conv(8, 3, padding=1), x)
    tree = costcalc.load(graph).tree()
    assert len(tree.table().rows) <= 100
    assert sum(row.get("macs") or 0 for row in tree.table().rows if len(row["guide"]) == 3) == tree.cost.macs


def test_the_sign_of_branches_has_one_column():
    assert text_width(PARALLEL) == 1
