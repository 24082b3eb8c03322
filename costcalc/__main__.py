"""`costcalc …` and `python -m costcalc …`."""

from __future__ import annotations

import gc
import signal
import sys

from costcalc.version import __version__


def main() -> None:
    """Runs the command line and exits."""
    if sys.argv[1:] == ["--version"]:  # typer takes longer to import than this takes to answer
        print(f"costcalc {__version__}")
        return
    try:
        gc.set_threshold(500_000)  # modules and layers stay: looking for cycles takes a tenth of a short run
        from costcalc.cli import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while typer was being imported
        print("interrupted", file=sys.stderr)
        code = 130
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said and done: Python would tell of where it cleans up
    sys.exit(code)


if __name__ == "__main__":
    main()
