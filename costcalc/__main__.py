"""`costcalc …` and `python -m costcalc …`."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Runs the command line and exits."""
    if sys.argv[1:] == ["--version"]:  # typer takes longer to import than this takes to answer
        from costcalc import __version__

        print(f"costcalc {__version__}")
        return
    gc.set_threshold(500_000)  # modules and layers stay: looking for cycles takes a tenth of a short run
    try:
        from costcalc.cli import run

        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:  # while typer was being imported
        sys.exit(130)


if __name__ == "__main__":
    main()
