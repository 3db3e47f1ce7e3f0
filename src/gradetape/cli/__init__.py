"""The command line: it parses, calls `grading` and other packages, and prints. One module for each command."""

from gradetape.cli.app import cli, main

__all__ = ["cli", "main"]
