"""`vidspec schema NAME`: a JSON Schema, for editors and other tools."""

from __future__ import annotations

import sys

from vidspec import schema


def run(name: str) -> int:
    """Print the schema of that name."""
    sys.stdout.write(schema.text(name))
    return 0
