"""Networks that are written elsewhere become models: torch modules, and the zoos that make them."""
