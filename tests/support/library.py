"""A small real SQLite database with the classes of `one_to_many`, written through the ORM."""

from __future__ import annotations

import weakref

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from scenarios.one_to_many import Base, Book, User


def library(*books_of_each: int) -> Engine:
    """Return an in-memory database with a user for each argument, who has that many books."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    weakref.finalize(engine, engine.pool.dispose)  # Python 3.13 warns of a connection that is left to be collected
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        for number, books in enumerate(books_of_each, start=1):
            session.add(
                User(
                    id=number,
                    name=f"User {number}",
                    email=f"user{number}@example.org",
                    bio="b" * 10,
                    books=[
                        Book(id=100 * number + book, title=f"Book {book}", year=1900 + book, summary="é" * 5)
                        for book in range(books)
                    ],
                )
            )
        session.commit()
    return engine
