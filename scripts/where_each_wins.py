"""Makes the table "Where each strategy wins" of docs/loading-strategies.md from stored runs.

    python scripts/where_each_wins.py results/*-where-sqlite results/*-where-postgres

It replaces what stands between the two markers of the page, and nothing else: the same runs give the same bytes.
`--page -` prints the table, `--page FILE` takes another page. The commands that make the runs stand beside the table.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.errors import BenchError  # noqa: E402 - found by the path set above
from bench.model import Run  # noqa: E402
from bench.record import load  # noqa: E402
from bench.report.wins import wins_markdown  # noqa: E402

PAGE = ROOT / "docs" / "loading-strategies.md"
BEGIN = "<!-- where each strategy wins: made by scripts/where_each_wins.py, do not edit -->"
END = "<!-- where each strategy wins: end -->"


def main() -> int:
    """Read the runs, make the table, put it in its place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a stored run: its folder, its run.json or its name")
    parser.add_argument("--page", default=str(PAGE), help="the page with the markers, or - to print (%(default)s)")
    parser.add_argument("--results", type=Path, default=Path("results"), help="where runs are looked for by name")
    chosen = parser.parse_args()
    try:
        made = wins_markdown(_whole([load(name, results=chosen.results) for name in chosen.runs]))
        if chosen.page == "-":
            print(made, end="")
        else:
            replace_between(Path(chosen.page), made)
    except BenchError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def replace_between(page: Path, made: str) -> None:
    """Put the text between the markers of the page. Raises BenchError where they are not there once, in order."""
    try:
        text = page.read_text(encoding="utf-8")
    except OSError as error:
        raise BenchError(
            f"{str(page)!r} cannot be read: {error.strerror}.", remedy="Name the page with --page."
        ) from None
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise BenchError(f"{str(page)!r} has not both markers, once each.", remedy=f"Write {BEGIN!r}, then {END!r}.")
    page.write_text(f"{before}{BEGIN}\n\n{made}\n{END}{after}", encoding="utf-8")


def _whole(runs: Sequence[Run]) -> Sequence[Run]:
    """The runs. Raises BenchError for one that lacks cases, or that was too quick for a claim."""
    for run in runs:
        if run.status != "complete" or not run.cases:
            raise BenchError(f"The run {run.id} is not whole.", remedy=f"Finish it: bench run --resume {run.id}")
        if run.sampling.quick:
            raise BenchError(
                f"The run {run.id} is a quick look.", remedy="Measure without --quick: a page makes claims."
            )
    return runs


if __name__ == "__main__":
    raise SystemExit(main())
