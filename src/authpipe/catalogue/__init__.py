"""The template catalogue: ready functions to start from."""
