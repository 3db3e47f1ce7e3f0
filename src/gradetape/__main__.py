"""The entry point of the command `gradetape`, and of `python -m gradetape`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs a command; the import is here so that Ctrl-C during start-up shows no traceback."""
    try:
        from gradetape.cli import main as run
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
