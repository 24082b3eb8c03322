"""The twelve lectures that specs belong to: Ng, Convolutional Neural Networks, week 2, and the papers behind it."""

from __future__ import annotations

LECTURES = (
    "LeNet-5", "AlexNet", "VGG", "plain nets and ResNets", "1×1 convolutions and network in network",
    "Inception, the motivation", "the Inception network", "MobileNet v1", "MobileNet v2", "EfficientNet",
    "transfer learning", "data augmentation",
)  # fmt: skip
