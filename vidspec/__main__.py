"""`python -m vidspec`."""

from vidspec.cli import main

main()
