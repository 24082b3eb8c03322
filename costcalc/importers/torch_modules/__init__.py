"""Torch modules: where they come from, one run of them recorded on meta tensors, and ATen's ops as ours."""
