"""Runs the tests that take too long for the gate: `python tests/nightly/run.py [PART …] [--markdown]`.

Each part is a run of pytest; `sizes` takes the full sizes of tests/support/sizes.py. Seeds are fixed. A line is printed
for each part as it ends; what pytest printed stands in tests/nightly/PART.log. Exits 1 if a part failed.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PARTS = {  # what it tries, and pytest's arguments
    "action": ("the GitHub action and the hook, from a wheel", "tests/nightly/test_action_from_wheel.py -n 0"),
    "coverage": ("the branches that the gate's tests reach, at least 95 %", "--cov"),
    "mermaid": ("diagrams as Mermaid from npm draws them", "tests/nightly/test_mermaid.py -n 0"),
    "order": ("steps of transfer learning in turns, five times", "tests/nightly/test_order_of_strategies.py -n 0"),
    "site": ("the gallery of every spec, and the documentation with it", "tests/nightly/test_whole_site.py -n 0"),
    "sizes": ("the tests that have a size, at their full size", "-m sized -o timeout=7200"),
}


def run(part: str) -> tuple[bool, str, float]:
    """Did a part pass? Also the summary of pytest, and the minutes that it took."""
    env = os.environ | ({"COSTCALC_FULL": "1"} if part == "sizes" else {})
    words = [sys.executable, "-m", "pytest", "-n", "2", "--durations=25", *PARTS[part][1].split()]
    start = time.monotonic()
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True)
    minutes = (time.monotonic() - start) / 60
    (HERE / f"{part}.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    lines = re.findall(r"^TOTAL .*?[\d.]+%$|^=* ?\d+ (?:passed|failed).*$", done.stdout, re.MULTILINE)
    said = "; ".join(re.sub(r"^TOTAL .* |=+ ?| in \d+.*$", "", line) for line in lines)
    return done.returncode == 0, said or f"pytest ended with {done.returncode}", minutes


def main() -> int:
    """Runs the parts that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="*", default=[*PARTS], help=f"of {', '.join(PARTS)}")
    parser.add_argument("--markdown", action="store_true", help="print lines of the table of docs/performance.md")
    given = parser.parse_args()
    if unknown := sorted({*given.part} - {*PARTS}):
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    passed = True
    for part in given.part:
        ok, said, minutes = run(part)
        passed &= ok
        row = (part, PARTS[part][0], said, f"{minutes:.0f} min")
        print(f"| {' | '.join(row)} |" if given.markdown else ": ".join(row), flush=True)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
