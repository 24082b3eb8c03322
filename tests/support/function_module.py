"""A torch module of a function, for tests of imports."""

from torch import nn


class Function(nn.Module):
    """A module that has some parts, and calls a function of itself and its inputs."""

    def __init__(self, call, **parts):
        super().__init__()
        self.call = call
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs):
        return self.call(self, *inputs)
