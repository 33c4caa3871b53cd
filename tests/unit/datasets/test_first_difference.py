from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.publishing import PUBLISHING, UPWARDS

from bench.datasets import first_difference, graph_lines, graph_plan, key_attributes
from bench.model import DatasetOptions, Size
from scenarios.composite_keys import COMPOSITE_KEYS
from scenarios.counts_only import COUNTS_ONLY
from scenarios.one_to_many import ONE_TO_MANY
from scenarios.partly_used import PARTLY_USED

Roots = list[Any]

KNOWN = list(graph_lines(ONE_TO_MANY, Size((3, 4)), DatasetOptions(text_width=90)))


def altered(alter: Callable[[Roots], object], known: list[str] = KNOWN) -> list[str]:
    roots = [json.loads(line) for line in known]
    alter(roots)
    return [json.dumps(root, separators=(",", ":")) for root in roots]


def put(root: int, column: str, value: object) -> Callable[[Roots], object]:
    """Return an alteration of a root's column."""

    def alter(roots: Roots) -> None:
        for pair in roots[root][1]:
            if pair[0] == column:
                pair[1] = value

    return alter


def books(roots: Roots, root: int = 1) -> list[Any]:
    found: list[Any] = roots[root][2]["books"]
    return found


def test_equal_graphs_do_not_differ_with_or_without_newlines() -> None:
    assert first_difference(KNOWN, [f"{line}\n" for line in KNOWN]) is None


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (lambda roots: roots.pop(1), "User 2 is missing."),
        (lambda roots: roots.pop(2), "User 3 is missing."),
        (lambda roots: roots.clear(), "User 1 is missing."),
        (lambda roots: roots.insert(1, roots[0]), "User 1 comes more than once."),
        (lambda roots: roots.append(roots[2]), "User 3 comes more than once."),
        (lambda roots: (roots.append(roots[2]), put(2, "id", 2)(roots)), "User 2 comes more than once."),
        (put(0, "id", 0), "User 0 was loaded, but the dataset has none."),
        (put(2, "id", 4), "User 3 is missing."),
        (put(0, "name", "x"), "User 1: name is 'x', the dataset has 'Nicolas Ferguson'."),
        (put(0, "name", None), "User 1: name is None, the dataset has 'Nicolas Ferguson'."),
        (lambda roots: roots[0][1].pop(0), "User 1: bio was not loaded."),
        (lambda roots: roots[0][1].append(["age", 3]), "User 1: age was loaded, but the dataset has no such column."),
        (lambda roots: roots[0][2].clear(), "User 1: books was not loaded."),
        (lambda roots: roots[0][2].update(pets=[]), "User 1: pets was loaded, but is not on a path."),
        (lambda roots: roots[0][2].update(books=None), "User 1: books is nothing, the dataset has a collection."),
        (lambda roots: books(roots).pop(2), "User 2: books has 3 entries, the dataset has 4: Book 7 is missing."),
        (lambda roots: books(roots).clear(), "User 2: books has 0 entries, the dataset has 4: Book 5 is missing."),
        (
            lambda roots: books(roots, 0).append(books(roots)[0]),
            "User 1: books has 5 entries, the dataset has 4: Book 5 does not belong there.",
        ),
        (
            lambda roots: books(roots).insert(0, books(roots)[0]),
            "User 2: books has 5 entries, the dataset has 4: Book 5 comes more than once.",
        ),
        (lambda roots: books(roots).reverse(), "User 2: books is not in the order of its primary keys."),
        (
            lambda roots: books(roots)[3][1].__setitem__(4, ["year", "1900"]),
            "User 2: books: Book 8: year is '1900', the dataset has 1930.",
        ),
        (
            lambda roots: books(roots)[3][1].__setitem__(4, ["year", 1930.0]),
            "User 2: books: Book 8: year is 1930.0, the dataset has 1930.",
        ),
        (lambda roots: roots[0].__setitem__(0, "Admin"), "User 1 is missing: Admin 1 stands in its place."),
    ],
)
def test_the_first_difference_is_said_in_words(alter: Callable[[Roots], object], said: str) -> None:
    assert first_difference(KNOWN, altered(alter)) == said


def test_what_the_dataset_has_not_is_found_behind_its_last_root() -> None:
    assert first_difference(KNOWN[:2], KNOWN) == "User 3 was loaded, but the dataset has none."


def test_long_texts_are_shown_where_they_part() -> None:
    bio = dict(json.loads(KNOWN[0])[1])["bio"]

    said = first_difference(KNOWN, altered(put(0, "bio", bio[:80] + "#" + bio[81:])))

    assert said == f"User 1: bio is …{bio[50:80] + '#' + bio[81:]!r}, the dataset has …{bio[50:]!r}."


def test_a_line_that_is_written_otherwise_is_a_difference_too() -> None:
    spaced = [json.dumps(json.loads(line)) for line in KNOWN]

    assert first_difference(KNOWN, spaced) == "User 1 is written otherwise than the dataset has it."


def test_three_levels_are_followed_and_named_by_their_own_keys() -> None:
    known = list(graph_lines(PUBLISHING, Size((2, 2, 2)), DatasetOptions()))

    def alter(roots: Roots) -> None:
        roots[1][2]["authors"][1][2]["works"].pop()

    assert (
        first_difference(known, altered(alter, known), keys=key_attributes(graph_plan(PUBLISHING)))
        == "Publisher 11: authors: Author 1003: works has 1 entry, the dataset has 2: Work 8 is missing."
    )


def test_a_scalar_is_followed_too() -> None:
    known = list(graph_lines(UPWARDS, Size((2, 2, 1)), DatasetOptions()))
    keys = key_attributes(graph_plan(UPWARDS))

    def alter_city(roots: Roots) -> None:
        roots[3][2]["author"][2]["publisher"][1][0][1] = "Atlantis"

    def lose_author(roots: Roots) -> None:
        roots[0][2]["author"] = None

    said = first_difference(known, altered(alter_city, known), keys=keys)
    assert said is not None
    assert said.startswith(
        "Work 4: author: Author 1003: publisher: Publisher 11: city is 'Atlantis', the dataset has '"
    )
    assert (
        first_difference(known, altered(lose_author, known), keys=keys)
        == "Work 1: author is nothing, the dataset has Author 1000."
    )


LEAF = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from(["a", "b"]))
NODE = st.recursive(
    st.tuples(LEAF, st.just(None)),
    lambda nodes: st.tuples(LEAF, st.one_of(nodes, st.lists(nodes, max_size=3), st.none())),
    max_leaves=6,
).map(lambda node: _as_node(node))


def _as_node(node: Any) -> Any:
    leaf, below = node
    related = [_as_node(one) if isinstance(one, tuple) else one for one in below] if isinstance(below, list) else below
    return ["N", [["id", leaf]], {"r": _as_node(related) if isinstance(related, tuple) else related}]


@given(expected=st.lists(NODE, max_size=3), found=st.lists(NODE, max_size=3))
def test_any_two_graphs_either_are_equal_or_differ_in_words(expected: Roots, found: Roots) -> None:
    ours, theirs = ([json.dumps(node, separators=(",", ":")) for node in nodes] for nodes in (expected, found))

    assert (first_difference(ours, theirs) is None) == (ours == theirs)


def test_numbers_that_stand_for_entities_are_compared_as_such() -> None:
    known = list(graph_lines(COUNTS_ONLY, Size((2, 3)), DatasetOptions()))

    def miscounted(roots: Roots) -> None:
        roots[1][2]["books"] = 4

    assert first_difference(known, altered(miscounted, known)) == ("User 2: books is counted as 4, the dataset has 3.")


def test_an_entity_with_a_two_column_key_is_named_by_both() -> None:
    known = list(graph_lines(COMPOSITE_KEYS, Size((60, 1)), DatasetOptions()))
    keys = key_attributes(graph_plan(COMPOSITE_KEYS))

    assert first_difference(known, known[:55] + known[56:], keys=keys) == "Order (2, 6) is missing."


def test_a_relationship_that_should_not_have_been_walked_is_a_difference() -> None:
    known = list(graph_lines(PARTLY_USED, Size((3, 2)), DatasetOptions()))
    walked = list(graph_lines(PARTLY_USED.configured({"touched": 100}), Size((3, 2)), DatasetOptions()))

    assert first_difference(known, walked) == "User 1: books was loaded, but is not on a path."
