"""Where the command `gradetape` begins, and `python -m gradetape`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs a command. It is imported here, so that Ctrl-C ends even the first moments without a traceback."""
    try:
        from gradetape.cli import main as run
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
