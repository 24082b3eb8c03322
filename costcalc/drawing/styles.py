"""The styles of drawings."""

BLOCKS, VOLUMES = STYLES = ("blocks", "volumes")
