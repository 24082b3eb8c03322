"""`costcalc …` and `python -m costcalc …`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line and exits."""
    if sys.argv[1:] == ["--version"]:  # typer takes longer to import than this takes to answer
        from costcalc.analysis.cost import version

        print(f"costcalc {version()}")
        return
    from costcalc.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
