"""The questions of the twelve lectures. No number of an answer is typed: `{macs of vgg16}` is computed, see numbers.py.

The last question of each lecture turns a knob.
"""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """A question about a number, the command that has it, and the answer and why, with their numbers left open."""

    question: str
    command: str  # without `costcalc`
    answer: str
    why: str


STEPS: tuple[tuple[Step, ...], ...] = (
    (
        Step(
            "LeNet-5 of 1998 has 60,000 trainable parameters. How many has the dense variant that courses teach?",
            "show lenet5",
            "{params of lenet5}",
            "Its second convolution sees all 6 maps, {params of lenet5, conv2} parameters in place of {params of "
            "lenet5_1998, c3}, and its output is a linear layer of {params of lenet5, fc5} in place of fixed "
            "centres. As published it has {params of lenet5_1998}: costcalc show lenet5_1998.",
        ),
        Step(
            "A colour image of 300×300 pixels and 100 neurons: how many parameters?",
            "show quiz_dense_colour",
            "{params of quiz_dense_colour}",
            "300·300·3 weights and a bias for each neuron. A convolution of 100 filters of 5×5 has {params of "
            "quiz_conv_5x5}, at any resolution: costcalc show quiz_conv_5x5.",
        ),
        Step(
            "With 8 filters on colour images, what has the first layer?",
            "show lenet5@c_in=3,c1=8",
            "{params of lenet5@c_in=3,c1=8, conv1}",
            "8·(5·5·3 + 1). The course's table prints 208, as if a filter had one channel: costcalc reconcile lenet5.",
        ),
    ),
    (
        Step(
            "AlexNet's filters see half of the maps in three layers, one tower for each GPU. How many parameters "
            "has it without that?",
            "compare alexnet alexnet_single",
            "{params of alexnet_single}",
            "As published, in two towers, it has {params of alexnet}: the 60 million of the paper.",
        ),
        Step(
            "What would the first layer have if no two positions shared their filters?",
            "compare conv_locally_connected@shared=true conv_locally_connected",
            "{params of conv_locally_connected}",
            "{output of conv_locally_connected} neurons, each with 11·11·3 weights and a bias: ·364. Shared along"
            " the positions there are {params of conv_locally_connected@shared=true}.",
        ),
        Step(
            "The paper prints 224 pixels, its network needs 227. How many parameters at 224?",
            "show alexnet_single@r=224 --depth 1",
            "{params of alexnet_single@r=224}",
            "(224 − 11)/4 is no whole number, and one position is lost: {out of alexnet_single@r=224, conv1} in "
            "place of {out of alexnet_single, conv1}. At the end 5·5·256 values reach fc6 in place of 6·6·256.",
        ),
    ),
    (
        Step(
            "VGG-16 has {params of vgg16} parameters. How many are in its first linear layer?",
            "show vgg16 --depth 1",
            "{params of vgg16, fc6}",
            "7·7·512 values times 4,096, and 4,096 biases. The multiplies are elsewhere: all three linear layers "
            "have less than a hundredth of {macs of vgg16}.",
        ),
        Step(
            'CS231n sums the values of VGG-16 to "24M · 4 bytes". What do the rows of its table sum to?',
            "reconcile vgg16 --figure 15237608",
            "{activations_in_place+input_elements of vgg16}",
            "A ReLU writes over what its convolution wrote, and the image itself counts: {activations_in_place of"
            " vgg16} + {input_elements of vgg16}.",
        ),
        Step(
            "At 448 pixels the convolutions have four times the multiplies and no parameter more. And the whole "
            "network?",
            "show vgg16@r=448 --depth 1",
            "{params of vgg16@r=448}",
            "14·14·512 values reach fc6, which has {params of vgg16@r=448, fc6}. Nets that end in global average "
            "pooling do not grow.",
        ),
    ),
    (
        Step(
            "A shortcut skips two convolutions. How many convolutions and linear layers must a signal pass in "
            "resnet34?",
            "show resnet34 --depth 1 --columns name,out,shortest_path,paths",
            "{shortest_path of resnet34}",
            "conv1, three projections and fc. plain34 has one path, through {shortest_path of plain34} layers; "
            "resnet34 has {paths of resnet34} paths.",
        ),
        Step(
            "Others print 252.56 M for ResNet-56 on CIFAR; the paper's net has {macs of resnet56} multiplies. "
            "What do they count?",
            "reconcile resnet56 --figure 252.56M",
            "{flops+2*bn_elements of resnet56@shortcut=bare_projection}",
            "Two operations for each multiply and for each element of batch norm, in a net whose two projections "
            "have no batch norm: 2·({macs of resnet56@shortcut=bare_projection} + {bn_elements of "
            "resnet56@shortcut=bare_projection}).",
        ),
        Step(
            "Tables print 3.8 and 4.1 billion multiplies for ResNet-50. Move the stride to the first convolution "
            "of a block: how many are left?",
            "show resnet50@stride_on=conv1 --depth 1",
            "{macs of resnet50@stride_on=conv1}",
            "That is the paper's. Libraries have the stride in the 3×3 and {macs of resnet50}.",
        ),
    ),
    (
        Step(
            "28×28×192 becomes 28×28×32 by a 1×1 convolution. How many multiplies?",
            "show conv1x1",
            "{macs of conv1x1}",
            "Each of 28·28·32 outputs is a sum over 192 channels. It mixes channels and looks at no neighbour.",
        ),
        Step(
            "Network in network has no linear layer at its end. How many parameters has it for CIFAR-10?",
            "show network_in_network",
            "{params of network_in_network}",
            "The last map of each class is averaged. LeNet-5, a much smaller net, has {params of lenet5, fc3} of "
            "its {params of lenet5} in the first linear layer.",
        ),
        Step(
            "28×28×192 to 16 maps, half as many: how many multiplies?",
            "show conv1x1@c_out=16",
            "{macs of conv1x1@c_out=16}",
            "Half of {macs of conv1x1}: the cost is linear in the filters, and in the channels that come in.",
        ),
    ),
    (
        Step(
            "32 filters of 5×5 on 28×28×192 cost {macs of inception_naive} multiplies. How many behind a 1×1 "
            "convolution to 16 channels?",
            "compare inception_naive inception_bottleneck",
            "{macs of inception_bottleneck}",
            "{macs of inception_bottleneck, reduce} to shrink and {macs of inception_bottleneck, conv} for the "
            "5×5: {macs of inception_naive / inception_bottleneck} times fewer.",
        ),
        Step(
            "And with a bottleneck of 32 channels?",
            "compare inception_naive inception_bottleneck@b=32",
            "{macs of inception_bottleneck@b=32}",
            "Twice as many: both layers are linear in the bottleneck. From 155 channels on it costs more than "
            "none: costcalc compare inception_naive inception_bottleneck@b=155.",
        ),
    ),
    (
        Step(
            "One inception module, 28×28×192 to 28×28×256: how many multiplies?",
            "show inception_module",
            "{macs of inception_module}",
            "Four branches side by side; the paper's table prints 128 M for 3a. The 3×3 behind its bottleneck has"
            " {macs of inception_module, conv3x3.conv}.",
        ),
        Step(
            "GoogLeNet kept to a budget of 1.5 billion. What has it?",
            "show googlenet --depth 1",
            "{macs of googlenet}",
            "The 7×7 of the first layer has {macs of googlenet, conv1}; the table prints 34 M there. "
            "torchvision's has {macs of googlenet_torchvision}, because its 5×5 are 3×3: costcalc compare "
            "googlenet googlenet_torchvision.",
        ),
        Step(
            "The auxiliary classifiers are used in training only. How many parameters has the net with them?",
            "compare googlenet googlenet@heads=true",
            "{params of googlenet@heads=true}",
            "In place of {params of googlenet}: each head has a linear layer of 2,048 to 1,024 values.",
        ),
    ),
    (
        Step(
            "A 3×3 convolution of 6×6×3 to 4×4×5 has {macs of conv_normal} multiplies. How many in two steps, "
            "depthwise and 1×1?",
            "compare conv_normal conv_depthwise_separable",
            "{macs of conv_depthwise_separable}",
            "{macs of conv_depthwise_separable, depthwise} + {macs of conv_depthwise_separable, pointwise}. The "
            "ratio is exactly 1/5 + 1/9.",
        ),
        Step(
            "The convolutions of VGG-16 have {macs of vgg_separable@head=false,separable=false} multiplies. And "
            "each in two steps?",
            "compare vgg_separable@head=false,separable=false vgg_separable@head=false",
            "{macs of vgg_separable@head=false}",
            "{macs of vgg_separable@head=false,separable=false / vgg_separable@head=false} times fewer, and "
            "nearly 9 where there are many filters.",
        ),
        Step(
            "MobileNet v1 has {macs of mobilenet_v1} multiplies. How many at half the width?",
            "show mobilenet_v1@w=0.5 --depth 1",
            "{macs of mobilenet_v1@w=0.5}",
            "Nearly a quarter: the 1×1 convolutions are quadratic in the width, the depthwise ones and the first "
            "layer are linear.",
        ),
    ),
    (
        Step(
            "The bottleneck is said to keep memory small. MobileNet v1 holds {peak_bytes of mobilenet_v1} bytes "
            "of activations at once. And v2?",
            "compare mobilenet_v1 mobilenet_v2 --columns target,params,macs,peak_bytes",
            "{peak_bytes of mobilenet_v2}",
            "More: run layer by layer, the expansion to 96 channels at 112×112 lies in memory whole.",
        ),
        Step(
            "Compute the inside of each block in six slices. What is held then?",
            "compare mobilenet_v2 mobilenet_v2_sliced --columns target,params,macs,peak_bytes",
            "{peak_bytes of mobilenet_v2_sliced}",
            "The same weights and multiplies: channels of the expansion do not meet before the projection. Small "
            "memory is a property of how a block is run.",
        ),
        Step(
            "And in two slices?",
            "show mobilenet_v2_sliced@slices=two --depth 1 --columns name,out,peak_bytes",
            "{peak_bytes of mobilenet_v2_sliced@slices=two}",
            "The first expansion still decides. In six slices it is the first layer, which has none.",
        ),
    ),
    (
        Step(
            "EfficientNet-B7 is B0 made deeper, wider and sharper. How many multiplies has it?",
            "sweep efficientnet --presets b0,b7",
            "{macs of efficientnet_b7}",
            "{macs of efficientnet_b7 / efficientnet_b0} times the {macs of efficientnet_b0} of B0. Width is "
            "rounded to multiples of 8 and depth up to whole blocks, so the law d·w²·r² is too low.",
        ),
        Step(
            "Double the depth, or the width, of B0: which costs more? How many multiplies at w = 2?",
            "compare efficientnet_b0 efficientnet_b0@d=2 efficientnet_b0@w=2",
            "{macs of efficientnet_b0@w=2}",
            "Width is about quadratic; at d = 2 there are {macs of efficientnet_b0@d=2}.",
        ),
    ),
    (
        Step(
            "VGG-16 for three classes: all is frozen but the new layer. How many parameters learn?",
            "compare vgg16@classes=3 vgg16@classes=3,freeze=fc7 --train",
            "{trainable_params of vgg16@classes=3,freeze=fc7}",
            "4,096·3 weights and 3 biases. A step on one image still has the whole forward pass: {train_macs of "
            "vgg16@classes=3,freeze=fc7} multiplies in place of {train_macs of vgg16@classes=3}.",
        ),
        Step(
            "Keras prints 2,257,984 for MobileNet v2 without its last layer. How many numbers with one output?",
            "reconcile mobilenet_v2@classes=1",
            "{params+buffers of mobilenet_v2@classes=1}",
            "Keras counts running statistics too: {params of mobilenet_v2@classes=1} params and {buffers of "
            "mobilenet_v2@classes=1} of those; 1,281 are new.",
        ),
        Step(
            "Thaw the last convolutions, from conv5 on. How many parameters learn?",
            "compare vgg16@classes=3,freeze=fc7 vgg16@classes=3,freeze=conv4 --train",
            "{trainable_params of vgg16@classes=3,freeze=conv4}",
            "Most of them are in fc6 and fc7. A step has {train_macs of vgg16@classes=3,freeze=conv4} multiplies.",
        ),
    ),
    (
        Step(
            "AlexNet crops 224 of 256 pixels and mirrors: the paper says 2,048 views. How many are there?",
            "reconcile augment:alexnet",
            "{views of augment:alexnet}",
            "256 − 224 = 32 steps are 33 places along each axis: 33·33·2.",
        ),
        Step(
            "The network needs 227 pixels. How many views then?",
            "augment alexnet@crop=227",
            "{views of augment:alexnet@crop=227}",
            "30 places along each axis, and the mirror: 30·30·2.",
        ),
    ),
)
