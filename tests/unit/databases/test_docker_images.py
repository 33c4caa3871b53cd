"""What images are called, and how far a pull is, without a daemon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.databases.docker import docker_image
from bench.databases.docker.images import PullProgress, origin_of

LAYERS = st.lists(st.integers(1, 10**10), max_size=5)

PIECES = st.lists(
    st.tuples(
        st.sampled_from(["Pulling fs layer", "Waiting", "Downloading", "Download complete", "Extracting", "news"]),
        st.sampled_from(["a", "b", None]),
        st.none() | st.fixed_dictionaries({}, optional={"current": st.integers(0), "total": st.integers(0)}),
    )
)


def test_a_version_is_the_official_image_of_that_tag() -> None:
    assert [docker_image(version) for version in ("17", "16.4", None)] == [
        "postgres:17",
        "postgres:16.4",
        "postgres:latest",
    ]


@pytest.mark.parametrize(
    ("image", "origin"),
    [
        ("postgres:17", "docker postgres"),
        ("postgres:16.4", "docker postgres"),
        ("postgres:latest", "docker postgres"),
        ("postgres", "docker postgres"),
        ("postgres@sha256:0123", "docker postgres"),
        ("postgres:17@sha256:0123", "docker postgres"),
        ("postgres:17-alpine", "docker postgres:alpine"),
        ("postgres:17.2-alpine3.20", "docker postgres:alpine3.20"),
        ("postgres:alpine", "docker postgres:alpine"),
        ("postgres:18beta1", "docker postgres:18beta1"),
        ("127.0.0.1:5000/team/postgres:17", "docker 127.0.0.1:5000/team/postgres"),
        ("127.0.0.1:5000/team/postgres", "docker 127.0.0.1:5000/team/postgres"),
    ],
)
def test_versions_of_one_image_are_of_one_origin_and_variants_of_another(image: str, origin: str) -> None:
    assert origin_of(image) == origin


@given(LAYERS)
def test_all_bytes_of_all_layers_are_counted_once(sizes: list[int]) -> None:
    progress = PullProgress("an/image")
    for number, size in enumerate(sizes):
        for done in (0, size // 2, size):
            detail = {"current": done, "total": size}
            progress.add({"id": str(number), "status": "Downloading", "progressDetail": detail})
        progress.add({"id": str(number), "status": "Download complete", "progressDetail": {}})

    megabytes = f"{sum(sizes) / 1_000_000:,.0f}"
    assert progress.phrase() == "pulling an/image" + (f", {megabytes} of {megabytes} MB" if sizes else "")


def test_what_is_downloaded_is_told_until_all_of_it_is_being_unpacked() -> None:
    progress = PullProgress("postgres:17")
    told = []
    for layer, status, current in (
        ("a", "Downloading", 43),
        ("b", "Downloading", 0),
        ("a", "Download complete", None),
        ("a", "Extracting", 10),
        ("b", "Download complete", None),
        ("b", "Extracting", 10),
        ("b", "Pull complete", None),
    ):
        detail = {} if current is None else {"current": current * 10**6, "total": 75 * 10**6}
        progress.add({"id": layer, "status": status, "progressDetail": detail})
        told.append(progress.phrase().removeprefix("pulling postgres:17, "))

    assert told == [
        "43 of 75 MB",
        "43 of 150 MB",
        "75 of 150 MB",
        "75 of 150 MB",
        "150 of 150 MB",
        "unpacking",
        "unpacking",
    ]


@given(PIECES)
def test_reports_of_whatever_kind_make_a_phrase(pieces: list[tuple[str, str | None, dict[str, int] | None]]) -> None:
    progress = PullProgress("it")
    for status, layer, detail in pieces:
        progress.add({"status": status, "id": layer, "progressDetail": detail})

        assert progress.phrase().startswith("pulling it")
