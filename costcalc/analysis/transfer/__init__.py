"""Transfer learning: what it costs to train a known network for other classes, strategy by strategy."""
