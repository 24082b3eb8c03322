"""Transfer learning of an imported network whose weights are operands of products."""

from support import needed

torch = needed.module("torch", "torch")

from support.function_module import Function  # noqa: E402
from torch import nn  # noqa: E402

import costcalc  # noqa: E402

W, X = nn.Parameter(torch.zeros(8, 8)), torch.zeros(2, 8)


def test_a_network_is_frozen_up_to_a_layer_and_not_to_a_tensor():
    net = Function(lambda self, x: self.c(self.b(self.a(x @ self.w))), w=W, a=nn.Linear(8, 8), b=nn.Linear(8, 8))
    net.c = nn.Linear(8, 5)
    found = costcalc.transfer(costcalc.load(net, X), classes=3)
    assert "freeze up to a" in str(found)


def test_a_tensor_alone_is_nothing_to_freeze_up_to():
    net = Function(lambda self, x: self.c(torch.relu(x @ self.w)), w=W, c=nn.Linear(8, 5))
    assert "freeze up to" not in str(costcalc.transfer(costcalc.load(net, X), classes=3))
