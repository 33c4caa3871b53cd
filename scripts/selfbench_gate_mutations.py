"""What the exact tier of the gate sees: changes to a scenario's file that make loading worse, and such as mean nothing.

    python scripts/selfbench_gate_mutations.py --unchanged 200
    python scripts/selfbench_gate_mutations.py --unchanged 10 --db postgres

A baseline is written of `tests/data/gated.py` at 30x4; then the file is changed, checked and put back, once for each
mutation and once for each meaningless change, which is drawn from renamings, comments and reformatting.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import catalogue, gating
from bench.reduce.gate import Checked
from bench.report.gate import reason

TEXT = (Path(__file__).parents[1] / "tests" / "data" / "gated.py").read_text()
LOAD = "    customers = session.scalars(strategy.apply(statement())).unique().all()\n"
EAGER = "statement.options(selectinload(Customer.orders))"
ROWS = "Customer.id > 0)"
SELECT = "return select(Customer)"

Change = tuple[str, str]

MUTATIONS: dict[str, Change] = {
    "the option dropped": (EAGER, "statement"),
    "lazy in its place": (EAGER, "statement.options(lazyload(Customer.orders))"),
    "joined in its place": (EAGER, "statement.options(joinedload(Customer.orders))"),
    "subquery in its place": (EAGER, "statement.options(__import__('sqlalchemy').orm.subqueryload(Customer.orders))"),
    "immediate in its place": (EAGER, "statement.options(__import__('sqlalchemy').orm.immediateload(Customer.orders))"),
    "chunks of 7": ("selectinload(Customer.orders)", "selectinload(Customer.orders, chunksize=7)"),
    "chunks of 1": ("selectinload(Customer.orders)", "selectinload(Customer.orders, chunksize=1)"),
    "a way back that nobody asked for": (EAGER, EAGER[:-1] + ".joinedload(Order.customer))"),
    "an extra join": (SELECT, f"{SELECT}.outerjoin(Customer.orders)"),
    "a filter by EXISTS": (ROWS, "Customer.id > 0, Customer.orders.any())"),
    "a filter by a function": (ROWS, "Customer.id > 0, func.lower(Customer.email) != '')"),
    "a literal for a parameter": (ROWS, 'text("customers.id > 0"))'),
    "a sort": (ROWS, f"{ROWS}.order_by(Customer.email)"),
    "DISTINCT": (SELECT, f"{SELECT}.distinct()"),
    "LIMIT": (ROWS, f"{ROWS}.limit(1000)"),
    "a column more": (SELECT, "return select(Customer, func.length(Customer.email))"),
    "a count": (LOAD, f"{LOAD}    session.scalar(select(func.count()).select_from(Order))\n"),
    "loaded twice": (LOAD, LOAD + LOAD),
    "expired before it is touched": (LOAD, f"{LOAD}    session.expire_all()\n"),
    "an identity map emptied": (LOAD, f"{LOAD}    session.expunge_all()\n{LOAD}"),
    "a refresh of each": ("customer.orders  # noqa", "customer.orders, session.refresh(customer)  # noqa"),
    "a statement for each": (LOAD, "    customers = [session.get_one(Customer, at) for at in range(1, 31)]\n"),
    "populated once more": (
        LOAD,
        LOAD + LOAD.replace("statement()", "statement().execution_options(populate_existing=True)"),
    ),
    "a call of Python's for each row": ("customer.orders  # noqa", "sum(1 for _ in customer.orders)  # noqa"),
    "a row lost": ("Customer.id > 0", "Customer.id > 1"),
    "a load that raises": (EAGER, "statement.no_such_method()"),
    "an index lost": (", index=True", ""),
    "a key more": (
        "email: Mapped[str] = mapped_column(String(80))",
        "email: Mapped[str] = mapped_column(String(80), unique=True)",
    ),
    "a key that is deferred": ('ForeignKey("customers.id")', 'ForeignKey("customers.id", deferrable=True)'),
    "a shorter column": ("String(120)", "String(100)"),
    "a column that may be null": ("email: Mapped[str]", "email: Mapped[str | None]"),
}


@contextmanager
def changed(source: Path, text: str) -> Iterator[None]:
    """Have the scenario's file read so for as long as the block runs."""
    source.write_text(text)
    catalogue._from_file.cache_clear()  # a process imports a file once, and here it is another file each time
    try:
        yield
    finally:
        source.write_text(TEXT)


def mutated(change: Change) -> str:
    """Return the file with one text in the place of another."""
    was, now = change
    if was not in TEXT:
        raise ValueError(f"{was!r} is not in the file")
    return TEXT.replace(was, now)


def in_load(text: str, was: str, now: str) -> str:
    """Return the file with a variable of the load function renamed."""
    before, define, rest = text.partition("def load")
    load, ends, after = rest.partition("GATED =")
    return before + define + re.sub(rf"\b{was}\b", now, load) + ends + after


def meaningless(draw: random.Random) -> str:
    """Return the file with changes that mean nothing, some of them drawn."""
    name = "".join(draw.choices("abcdefghij", k=8))
    changes: list[Callable[[str], str]] = [
        lambda text: in_load(text, "customers", f"all_{name}"),
        lambda text: in_load(text, "customer", f"one_{name}"),
        lambda text: text.replace("statement()", f"{name}_all()"),
        lambda text: text.replace(
            f"lambda statement: {EAGER}", f"lambda {name}: {name}{EAGER.removeprefix('statement')}"
        ),
        lambda text: text.replace("class Order(Base):", f"class Order(Base):  # {name}"),
        lambda text: text.replace("Customer.id > 0", "0 < Customer.id"),
        lambda text: text.replace(".unique().all()\n", ".unique().all()\n    session.flush()\n"),
        lambda text: text.replace(".options(lazyload", ".options().options(lazyload"),
        lambda text: re.sub(r"    (\w+\.orders)  # noqa", r"    (\1, \1)  # noqa", text),
        lambda text: text.replace("UNUSED =", f"{name.upper()} ="),
        lambda text: text.replace("\n\n\nclass", f"\n\n\n# {name}\n\n\nclass"),
        lambda text: text.replace('summary="Without."', f'summary="Without {name}."'),
    ]
    text = TEXT
    for change in draw.sample(changes, k=draw.randint(1, 4)):
        text = change(text)
    return text


def main() -> None:
    """Print what was seen of each mutation, and how many meaningless changes were told to differ."""
    parser = argparse.ArgumentParser(description="What the exact tier of the gate sees.")
    parser.add_argument("--unchanged", type=int, default=200, help="meaningless changes to try")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--db", default="sqlite", help="where, as postgres or postgres+asyncpg")
    asked = parser.parse_args()
    draw = random.Random(asked.seed)  # noqa: S311 - chosen changes need no cryptography
    with tempfile.TemporaryDirectory() as folder:
        file, source = Path(folder) / "bench-baseline.jsonl", Path(folder) / "gated.py"
        source.write_text(TEXT)
        gating.write(
            file=file, scenario=f"{source}:GATED", sizes="30x4", strategies=None, databases=asked.db, provider="auto",
            quiet=True,
        )  # fmt: skip

        def check(text: str) -> Checked:
            with changed(source, text):
                return gating.check_now(file=file, only=None, databases=None, provider="auto", quiet=True)

        seen = 0
        for name, change in MUTATIONS.items():
            checked = check(mutated(change))
            seen += bool(checked.failing)
            print(f"{'seen  ' if checked.failing else 'MISSED'} {name}: {reason(checked)[:110]}", flush=True)
        print(f"{seen} of {len(MUTATIONS)} mutations seen on {asked.db}", flush=True)
        began = time.monotonic()
        alarms = [reason(found) for _ in range(asked.unchanged) if (found := check(meaningless(draw))).findings]
        print(
            f"{len(alarms)} of {asked.unchanged} meaningless changes told to differ; {time.monotonic() - began:.0f} s"
        )
        print("\n".join(alarms))


if __name__ == "__main__":
    main()
