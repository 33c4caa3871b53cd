from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.databases.postgres import Installation, LeftOut, choose
from bench.errors import BenchError, DatabaseUnavailable
from bench.model import Asked


def made(origin: str, version: str) -> Installation:
    major, minor = version.split(".")
    home = Path("/at", origin, version)
    return Installation(
        origin=origin,
        version=version,
        major=int(major),
        minor=int(minor),
        bin=home / "bin",
        library=home / "lib",
        base=home,
        trees=(home,),
    )


DEBIAN = (made("debian", "15.18"),)
WHEEL = (made("wheel", "16.14"), made("wheel", "18.4"))
NPM = tuple(made("npm", version) for version in ("18.4", "17.10", "16.14", "16.4", "15.18", "14.23"))
FOUND = (*DEBIAN, *WHEEL, *NPM)

versions = st.sampled_from([None, "14", "15", "16", "17", "18", "16.4", "16.14", "13"])


def ask(*versions: str | None) -> list[Asked]:
    """What a user asks for: versions, with the origin after an @ where it is named."""
    parts = [(version or "").partition("@") for version in versions]
    return [
        Asked(database="postgres", driver="psycopg", version=version or None, origin=origin)
        for version, _, origin in parts
    ]


def named(chosen: tuple[Installation, ...]) -> list[tuple[str, str]]:
    return [(each.origin, each.version) for each in chosen]


def test_no_version_is_the_newest() -> None:
    assert named(choose(ask(None), FOUND)) == [("wheel", "18.4")]


def test_a_major_is_its_newest_minor_by_number_not_by_letter() -> None:
    assert named(choose(ask("16"), [made("npm", "16.4"), made("npm", "16.14"), made("npm", "16.9")])) == [
        ("npm", "16.14")
    ]


def test_a_full_version_is_that_one() -> None:
    assert named(choose(ask("16.4"), FOUND)) == [("npm", "16.4")]


def test_a_version_is_not_its_beginning() -> None:
    with pytest.raises(DatabaseUnavailable, match=r"PostgreSQL 16\.1 is not at hand"):
        choose(ask("16.1"), FOUND)


def test_the_first_found_serves_what_others_have_as_new() -> None:
    assert named(choose(ask("15"), FOUND)) == [("debian", "15.18")]


def test_versions_are_of_the_one_origin_that_has_them_all() -> None:
    assert named(choose(ask("15", "18"), FOUND)) == [("npm", "15.18"), ("npm", "18.4")]


def test_origins_are_not_mixed_unless_each_is_named() -> None:
    with pytest.raises(DatabaseUnavailable, match="No single origin has PostgreSQL 15 and 18"):
        choose(ask("15", "18"), (*DEBIAN, *WHEEL))

    assert named(choose(ask("15@debian", "18@wheel"), FOUND)) == [("debian", "15.18"), ("wheel", "18.4")]


def test_a_version_without_an_origin_beside_two_that_have_one_is_refused() -> None:
    with pytest.raises(BenchError, match="Several origins are named, and a version without any"):
        choose(ask("15@debian", "18@wheel", "16"), FOUND)


def test_one_origin_that_is_named_is_that_of_all() -> None:
    assert named(choose(ask("15@npm", "18"), FOUND)) == [("npm", "15.18"), ("npm", "18.4")]


def test_an_origin_that_has_it_not_is_said_with_what_is_at_hand() -> None:
    with pytest.raises(DatabaseUnavailable, match=r"no PostgreSQL 17 of the origin 'debian' at hand\. At hand: debian"):
        choose(ask("17@debian"), FOUND)


def test_a_version_that_is_not_at_hand_lists_those_that_are_by_origin_and_those_left_out() -> None:
    left_out = (LeftOut(origin="path", bin=Path("/opt/pg/bin"), reason="it does not run (no such library)"),)

    with pytest.raises(DatabaseUnavailable) as raised:
        choose(ask("13", "18"), (*DEBIAN, *WHEEL), left_out=left_out)

    assert raised.value.exit_code == 3
    assert raised.value.message == (
        "PostgreSQL 13 is not at hand. At hand: debian: 15.18; wheel: 16.14, 18.4. "
        "Left out: /opt/pg/bin (path), because it does not run (no such library)."
    )
    assert "scripts/prepare_postgres.py" in raised.value.remedy


def test_nothing_at_hand_is_said_so() -> None:
    with pytest.raises(DatabaseUnavailable, match="no PostgreSQL server binaries at hand"):
        choose(ask(None), ())


@pytest.mark.parametrize(
    "text",
    ["", "x", "17.", "17.1.2", "-17", "017", "1e1", "17 ", "\N{FULLWIDTH DIGIT ONE}\N{FULLWIDTH DIGIT SEVEN}", "999"],
)
def test_what_is_no_version_is_wrong_usage(text: str) -> None:
    with pytest.raises(BenchError, match="is not a version of PostgreSQL") as raised:
        choose([Asked(database="postgres", driver="psycopg", version=text)], FOUND)
    assert raised.value.exit_code == 2


@given(wanted=st.lists(versions, min_size=1, max_size=4), order=st.permutations(FOUND))
def test_whatever_is_chosen_is_of_one_origin_and_what_was_asked_for(
    wanted: list[str | None], order: list[Installation]
) -> None:
    try:
        chosen = choose(ask(*wanted), order)
    except DatabaseUnavailable:
        return
    assert len(chosen) == len(wanted)
    assert len({each.origin for each in chosen}) == 1
    for version, each in zip(wanted, chosen, strict=True):
        assert version in (None, str(each.major), each.version)
