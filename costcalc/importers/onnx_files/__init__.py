"""ONNX files as layer graphs, without torch; and the tensors of safetensors files."""
