"""Ways to freeze a network, for tests."""

WAYS = ("all", "last layer", "second half", "first half", "random layers", "biases", "random tensors")


def trained_tensors(tensors, way, rng):
    """Those that learn, of pairs of a layer's name and a tensor's in execution order."""
    layers = list(dict.fromkeys(layer for layer, _ in tensors))
    half = len(layers) // 2
    some = {"last layer": layers[-1:], "second half": layers[half:], "first half": layers[:half]}.get(way, layers)
    if way == "random layers":
        some = [layer for layer in layers if rng.random() < 0.5]
    found = {(layer, name) for layer, name in tensors if layer in {*some}}
    if way == "biases":
        return {(layer, name) for layer, name in found if name == "bias"}
    return {pair for pair in sorted(found) if rng.random() < 0.5} if way == "random tensors" else found
