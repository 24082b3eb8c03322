"""Where torch modules come from: zoos, configuration files, callables of Python files."""
