"""One run of a torch module on meta tensors, as plain data: which op is called with which tensors, in which module."""
