"""How cost grows with depth, width and resolution: laws, presets, steps, and backwards from a budget."""
