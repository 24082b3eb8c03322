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
        gc.set_threshold(500_000)  # the search for cycles takes a tenth of a short run and frees little
        from costcalc.cli import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while typer was being imported
        print("interrupted", file=sys.stderr)
        code = 130
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Python would print where its clean-up was interrupted
    sys.exit(code)


if __name__ == "__main__":
    main()
