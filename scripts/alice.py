"""Alice and her three books: what a strategy sends, the rows that come back, and what the ORM makes of them.

Type: python scripts/alice.py STRATEGY [--without-unique]
"""

from __future__ import annotations

import argparse
from dataclasses import replace

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool
from tabulate import tabulate

from bench.catalogue import find_strategy
from bench.measure.statements import Sent, counting
from bench.model import Strategy
from scenarios.one_to_many import ONE_TO_MANY, Base, Book, User

BOOKS = (("Emma", 1815), ("Persuasion", 1817), ("Sanditon", 1925))


def main() -> None:
    """Load Alice by the strategy asked for, and print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strategy")
    parser.add_argument("--without-unique", action="store_true", help="leave out Result.unique(), and see")
    asked = parser.parse_args()
    strategy = find_strategy(ONE_TO_MANY, asked.strategy)
    show(library(), replace(strategy, unique=False) if asked.without_unique else strategy)


def library() -> Engine:
    """Return an in-memory database that holds Alice and her books."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        books = [
            Book(id=number, title=title, year=year, summary="") for number, (title, year) in enumerate(BOOKS, start=1)
        ]
        session.add(User(id=1, name="Alice", email="alice@example.org", bio="Reads.", books=books))
        session.commit()
    return engine


def show(engine: Engine, strategy: Strategy) -> None:
    """Print each statement with its rows, then what was loaded or raised, then the counters."""
    with Session(engine) as session, counting(engine) as tally:
        try:
            users = ONE_TO_MANY.load(session, strategy)
            outcome = "\n".join(f"{user.name}: {', '.join(book.title for book in user.books)}" for user in users)
        except InvalidRequestError as error:
            outcome = f"InvalidRequestError: {error}"
    for number, sent in enumerate(tally.sent, start=1):
        print(f"-- statement {number}\n{sent.sql}")
        if sent.parameters:
            print(f"-- parameters {sent.parameters}")
        print(f"{rows_of(engine, sent)}\n")
    counters = tally.counters()
    print(outcome)
    print(
        f"statements {counters.statements}, rows {counters.rows}, of which {counters.repeated_rows} repeat a parent, "
        f"inflation {counters.inflation:.2f}"
    )


def rows_of(engine: Engine, sent: Sent) -> str:
    """Return the rows of a statement as the driver gives them."""
    with engine.connect() as connection:
        result = connection.exec_driver_sql(sent.sql, sent.parameters)
        return tabulate(result.fetchall(), headers=list(result.keys()), tablefmt="simple")


if __name__ == "__main__":
    main()
