"""The commands: one a module, from values to an exit code."""
