"""Modules as a reader writes them, in a file, so that a worker process can import their classes."""

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """A convolution, and another one by a function, with a shortcut; its activation writes over its input."""

    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.act = nn.ReLU(inplace=True)
        self.weight = nn.Parameter(torch.randn(width, width, 1, 1))

    def forward(self, x):
        return x + F.conv2d(self.act(self.norm(self.conv(x))), self.weight)


class Attending(nn.Module):
    """Attention between a stem and a head, with a mask by name; two outputs in a dict."""

    def __init__(self, width=16, heads=2):
        super().__init__()
        self.stem = nn.Linear(width, width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.head = nn.Linear(width, 5)

    def forward(self, x, mask=None):
        x = self.stem(x)
        x = x + self.attention(x, x, x, attn_mask=mask, need_weights=False)[0]
        return {"logits": self.head(x).flatten(1), "features": x.mean(1)}


class Words(nn.Module):
    """A tied table: indices to scores."""

    def __init__(self, words=50, width=8):
        super().__init__()
        self.table = nn.Embedding(words, width)
        self.scores = nn.Linear(width, words, bias=False)
        self.scores.weight = self.table.weight

    def forward(self, words):
        return self.scores(self.table(words)).mean(1)


class Counting(nn.Module):
    """One number, of which no classes are to be learned."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        return self.linear(x).sum()


def images():
    """A small network of blocks."""
    return nn.Sequential(nn.Conv2d(3, 8, 3), Block(8), Block(8), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))
