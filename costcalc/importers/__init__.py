"""Networks from elsewhere as models: torch modules, names of zoos, configuration files, ONNX files.

- symbolic_sizes: the forms of a network's sizes, found in several runs
- torch_runs: one run of a torch module as plain data
- aten_ops: ATen's ops as ours, and the layer graph of a run
- module_sources: where torch modules come from
- onnx_files: ONNX files as layer graphs, without torch; tensors of safetensors files

`targets.py` says which is meant, `imported_architecture.py` makes a model of it.
"""
