"""Colours as people see them who lack one kind of cone, or all: Machado, Oliveira and Fernandes 2009, severity 1, and
CIELAB distances of 1976."""

DEFICIENT = {  # of linear sRGB
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
    "greyscale": ((0.2126, 0.7152, 0.0722),) * 3,
}
TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
WHITE = (0.9505, 1.0, 1.089)


def linear(color):
    """`#1f5fa8` as linear sRGB, each part 0 to 1."""
    parts = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return tuple(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)


def seen(color, deficiency):
    """The colour as linear sRGB, for a `deficiency`, or for "" as most people see it."""
    rgb = linear(color)
    return rgb if not deficiency else tuple(min(max(part, 0), 1) for part in product(DEFICIENT[deficiency], rgb))


def luminance(rgb):
    """Relative luminance, 0 to 1."""
    return product(TO_XYZ, rgb)[1]


def contrast(one, other):
    """The contrast of WCAG 2: 1 to 21."""
    low, high = sorted(luminance(linear(color)) for color in (one, other))
    return (high + 0.05) / (low + 0.05)


def distance(one, other, deficiency=""):
    """ΔE*ab: some 2.3 can just be told apart side by side, 10 at a glance."""
    labs = (lab(seen(color, deficiency)) for color in (one, other))
    return sum((a - b) ** 2 for a, b in zip(*labs)) ** 0.5


def lab(rgb):
    """CIELAB of linear sRGB."""
    x, y, z = (
        value ** (1 / 3) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116
        for value in (part / white for part, white in zip(product(TO_XYZ, rgb), WHITE))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def product(matrix, vector):
    """Of a matrix and a vector."""
    return tuple(sum(a * b for a, b in zip(row, vector)) for row in matrix)
