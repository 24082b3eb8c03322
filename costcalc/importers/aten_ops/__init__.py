"""ATen's ops as ours, and the layer graph that a recorded run makes with them."""
