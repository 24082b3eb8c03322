"""The twelve lectures that specs belong to: Ng, Convolutional Neural Networks, week 2, and the papers behind it."""

from __future__ import annotations

LECTURES = (
    "LeNet-5", "AlexNet", "VGG", "Plain nets and ResNets", "1×1 convolutions and network in network",
    "Inception, the motivation", "The Inception network", "MobileNet v1", "MobileNet v2", "EfficientNet",
    "Transfer learning", "Data augmentation",
)  # fmt: skip
