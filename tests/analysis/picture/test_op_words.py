"""The words of ops in few characters, for trees on narrow terminals."""

import pytest

import costcalc
from costcalc.analysis.picture.branch import Branch
from costcalc.ops import (
    Add,
    AveragePool,
    BatchNorm,
    Conv,
    ConvTranspose,
    Flatten,
    GlobalAveragePool,
    Input,
    LocalResponseNorm,
    MaxPool,
    ReLU,
)  # fmt: skip
from costcalc.table.aligned import lines


def image(channels, *layers):
    """A graph of an image of so many channels, and layers behind it; the first has a name."""
    graph = costcalc.new_graph()
    x = costcalc.add(graph, "x", Input((1, channels, 8, 8)))
    for at, layer in enumerate(layers):
        x = costcalc.add(graph, *(layer if at == 0 else (f"l{at}", layer)), x)
    return graph


CONV = Conv(64, 7, stride=2, padding=3), BatchNorm(), ReLU()


@pytest.mark.parametrize(
    ("layers", "size", "shorter"),
    [
        (CONV, 18, "7×7 conv/2+BN+ReLU"),
        (CONV, 14, "7×7 conv/2+BN…"),
        (CONV, 13, "7×7 conv/2…"),
        ((Conv(64, 3, stride=2, groups=32), BatchNorm()), 14, "3×3 conv g32/2"),
        ((Conv(64, 3, stride=2, groups=32), BatchNorm()), 13, "3×3 conv g32/2"),  # no more can go: the column cuts it
        ((MaxPool(3, stride=2), LocalResponseNorm(5)), 14, "maxpool 3×3/2…"),
        ((MaxPool(3, stride=2), LocalResponseNorm(5)), 13, "maxpool 3×3/2"),
        ((Conv(64, 3, groups=64), BatchNorm(), ReLU()), 13, "3×3 dw+BN…"),
        ((ConvTranspose(64, 2, stride=2), ReLU()), 13, "2×2 convT/2…"),
        ((AveragePool(2, stride=2),), 13, "avgpool 2×2/2"),
        ((GlobalAveragePool(), Flatten()), 13, "global pool…"),
    ],
)
def test_words_are_shorter_on_a_narrow_terminal(layers, size, shorter):
    """The layer's name is that of an op with a shorter one, and stays."""
    tree = costcalc.load(image(64, ("depthwise", layers[0]), *layers[1:])).tree()
    branch = tree.branches[1]
    assert (branch.name, branch.shorter_words(size)) == ("depthwise", shorter)


def test_what_a_line_reads_is_not_said_shorter():
    ends = ("∥ depthwise + BN", ("ends here",))
    read = Branch(ends[0], "3×3 conv + ReLU", (0,), (), ("3×3 conv", "ReLU"), ends[1], "← depthwise, max pool + BN")
    assert read.words == "3×3 conv + ReLU, ends here ← depthwise, max pool + BN"
    assert read.shorter_words(13) == "3×3 conv+ReLU, ends here ← depthwise, max pool + BN"
    folded = Branch("block", "23 layers", (0,))
    assert folded.shorter_words(5) == folded.words == "23 layers"
    graph = image(64, ("depthwise", Conv(64, 3, padding=1)), Conv(64, 3, padding=1))
    costcalc.add(graph, "add", Add(), "l1", "depthwise")
    narrow = ["".join(part for part, _ in line) for line in lines([costcalc.load(graph).tree().table()], 60, "─")]
    assert any("∥ shortcut  from depthwise" in line for line in narrow)


def test_an_addition_in_blocks_that_are_drawn_once_is_said_shorter_too():
    graph = image(8)
    for at, before in enumerate(("x", "s.0.relu", "s.1.relu")):
        costcalc.add(graph, f"s.{at}.conv", Conv(8, 3, padding=1), before)
        costcalc.add(graph, f"s.{at}.add", Add(), f"s.{at}.conv", before)
        costcalc.add(graph, f"s.{at}.relu", ReLU(), f"s.{at}.add")
    *_, add = costcalc.load(graph).tree().branches[1].below
    assert (add.name, add.words, add.shorter_words(8)) == ("add", "add + ReLU", "add+ReLU")


AT_80_COLUMNS = {
    "7×7 conv /2 + BN + ReLU": "7×7 conv/2…", "7×7 conv /2 + ReLU": "7×7 conv/2…", "max pool 3×3 /2": "maxpool 3×3/2",
    "max pool 3×3 /2 + LRN": "maxpool 3×3/2", "max pool 3×3": "max pool 3×3", "1×1 conv + BN": "1×1 conv + BN",
    "1×1 conv /2 + BN": "1×1 conv/2+BN", "1×1 conv + BN + ReLU": "1×1 conv+BN…", "3×3 conv + BN + ReLU": "3×3 conv+BN…",
    "3×3 conv /2 + BN + ReLU": "3×3 conv/2…", "3×3 conv /2 + BN + ReLU6": "3×3 conv/2…",
    "3×3 conv /2 + BN + SiLU": "3×3 conv/2…", "1×1 conv + ReLU": "1×1 conv+ReLU", "3×3 conv + ReLU": "3×3 conv+ReLU",
    "5×5 conv + ReLU": "5×5 conv+ReLU", "3×3 conv + ReLU + LRN": "3×3 conv…", "1×1 conv + BN + ReLU6": "1×1 conv+BN…",
    "1×1 conv + BN + SiLU": "1×1 conv+BN…", "3×3 depthwise + BN + ReLU6": "3×3 dw+BN…",
    "3×3 depthwise /2 + BN + ReLU6": "3×3 dw/2+BN…", "3×3 depthwise + BN + SiLU": "3×3 dw+BN…",
    "3×3 depthwise /2 + BN + SiLU": "3×3 dw/2+BN…", "5×5 depthwise + BN + SiLU": "5×5 dw+BN…",
    "5×5 depthwise /2 + BN + SiLU": "5×5 dw/2+BN…", "global avg pool": "global pool",
    "global avg pool + dropout": "global pool…",
}  # fmt: skip


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "mobilenet_v2", "efficientnet_b0"])
def test_at_80_columns_each_line_says_its_op_and_its_settings(name):
    """Names and bars give way first, then params; what is absorbed in an op stands behind it."""
    table = costcalc.load(name).tree().table()
    printed = ["".join(part for part, _ in line) for line in lines([table], 80, "─")]
    begin = next(line for line in printed if line.startswith("layer")).index("op")
    body = [line for line in printed if line.lstrip("│ ")[:1] in ("├", "└")]
    said = [(row["op"], line[begin:].split("  ")[0]) for row, line in zip(table.rows, body, strict=True) if row["op"]]
    ops = [(words, shown) for words, shown in said if not words.startswith("from ")]  # a shortcut is no op
    assert len(ops) > 10
    assert all(shown == AT_80_COLUMNS.get(words, words) for words, shown in ops)
    assert len({words for words, _ in ops} & {*AT_80_COLUMNS}) > 4
