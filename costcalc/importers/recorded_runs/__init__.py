"""A recorded run as plain data, and the layer graph that is built from it."""
