import json

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload
from support.library import library

from bench.measure.graph import fingerprint, graph_lines
from scenarios.one_to_many import ONE_TO_MANY, Book, User


def lines_of(*books_of_each: int) -> list[str]:
    with Session(library(*books_of_each)) as session:
        return list(graph_lines(ONE_TO_MANY, session.scalars(select(User).order_by(User.id.desc())).all()))


def test_a_line_is_a_root_with_its_columns_by_name_and_its_relationships() -> None:
    first, _ = lines_of(1, 0)

    assert json.loads(first) == [
        "User",
        [["bio", "b" * 10], ["email", "user1@example.org"], ["id", 1], ["name", "User 1"]],
        {
            "books": [
                [
                    "Book",
                    [["id", 100], ["summary", "é" * 5], ["title", "Book 0"], ["user_id", 1], ["year", 1900]],
                    {},
                ]
            ]
        },
    ]


def test_roots_and_children_come_by_primary_key_however_they_were_loaded() -> None:
    parsed = [json.loads(line) for line in lines_of(3, 2)]

    assert [dict(root[1])["id"] for root in parsed] == [1, 2]
    assert [dict(book[1])["id"] for book in parsed[0][2]["books"]] == [100, 101, 102]


def test_a_graph_that_differs_in_one_value_of_one_child_has_another_fingerprint() -> None:
    engine = library(2, 2)
    with Session(engine) as session:
        users = session.scalars(select(User).options(selectinload(User.books))).all()
        before = fingerprint(graph_lines(ONE_TO_MANY, users))
        session.get_one(Book, 201).title += "!"
        after = fingerprint(graph_lines(ONE_TO_MANY, users))

    assert before != after


def test_the_fingerprint_is_sha256_of_the_lines_with_their_newlines() -> None:
    # printf 'a\nb\n' | sha256sum
    assert fingerprint(["a", "b"]) == "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2"
