"""``python -m sympe.cli`` is ``sympe``."""

from sympe.cli import main

main()
