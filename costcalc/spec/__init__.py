"""Specs: YAML text becomes a Spec, and with a value for each knob a layer graph."""
