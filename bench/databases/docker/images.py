"""Images: which one a version is, fetching one with progress for a reader, and what an image says of itself."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.databases.docker.daemon import explanation, trouble
from bench.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.images import Image

_VERSION_OF_TAG = re.compile(r"^(?:latest|[0-9]+(?:\.[0-9]+)*)(?:-|$)", re.ASCII)

_SAY_EVERY_S = 0.25

_MB = 1_000_000

_DENIED = re.compile("denied|unauthorized|authentication required|forbidden", re.IGNORECASE)
_UNKNOWN = re.compile("manifest .*not found|manifest unknown|no matching manifest|invalid reference", re.IGNORECASE)


def docker_image(version: str | None) -> str:
    """Return the official image of a version of PostgreSQL, such as `17` or `16.4`; None is the newest release."""
    return f"postgres:{version or 'latest'}"


def origin_of(reference: str) -> str:
    """Return whose build an image is: `docker postgres` for `postgres:17` and `postgres:16.4`, so that they compare.

    What follows the version is another build: `docker postgres:alpine` for `postgres:17-alpine`.
    """
    repository = _repository(reference)
    tag = reference.partition("@")[0][len(repository) + 1 :]
    variant = _VERSION_OF_TAG.sub("", tag)
    return f"docker {repository}" + (f":{variant}" if variant else "")


def local_image(client: DockerClient, reference: str) -> Image | None:
    """Return the image of that name where the daemon has it. Raises DatabaseUnavailable where it cannot tell."""
    from docker.errors import ImageNotFound

    try:
        return client.images.get(reference)
    except ImageNotFound:
        return None
    except trouble() as error:
        raise DatabaseUnavailable(
            f"Docker does not tell whether it has the image {reference}: {explanation(error)}.",
            remedy="Check the name; an example is postgres:17.",
        ) from error


def pull(client: DockerClient, reference: str, *, clock: Callable[[], float] = time.monotonic) -> Iterator[str]:
    """Fetch an image, and yield a phrase for a reader where there is news, at most a few a second.

    Raises DatabaseUnavailable for one that does not exist, may not be had, or cannot be reached.
    """
    progress = PullProgress(reference)
    said, said_at = progress.phrase(), clock()
    yield said
    try:
        for event in client.api.pull(reference, stream=True, decode=True):
            if "error" in event:
                raise _cannot_be_had(reference, str(event["error"]))
            progress.add(event)
            if progress.phrase() != said and clock() - said_at >= _SAY_EVERY_S:
                said, said_at = progress.phrase(), clock()
                yield said
    except trouble() as error:
        raise _cannot_be_had(reference, explanation(error)) from error


@dataclass(slots=True)
class PullProgress:
    """How far a pull has come, from the daemon's own reports of each layer."""

    reference: str
    _layers: dict[str, tuple[int, int]] = field(default_factory=dict)
    _unpacking: bool = False

    def add(self, event: Mapping[str, Any]) -> None:
        """Take in a report. The daemon tells a layer's size when its download begins, and none for one it has."""
        layer, status = str(event.get("id", "")), event.get("status")
        detail = event.get("progressDetail") or {}
        if status == "Downloading" and detail.get("total"):
            self._layers[layer] = (int(detail.get("current") or 0), int(detail["total"]))
        elif status in ("Download complete", "Pull complete") and layer in self._layers:
            self._layers[layer] = (self._layers[layer][1],) * 2
        done, total = self._bytes()
        if status in ("Downloading", "Extracting"):
            self._unpacking = status == "Extracting" and done == total

    def phrase(self) -> str:
        """Return a phrase such as `pulling postgres:17, 43 of 151 MB`; the whole grows until all layers have begun."""
        done, total = self._bytes()
        if self._unpacking:
            return f"pulling {self.reference}, unpacking"
        if not total:
            return f"pulling {self.reference}"
        return f"pulling {self.reference}, {done / _MB:,.0f} of {total / _MB:,.0f} MB"

    def _bytes(self) -> tuple[int, int]:
        return sum(done for done, _ in self._layers.values()), sum(total for _, total in self._layers.values())


def digest(image: Image, reference: str) -> str:
    """Return what names the image's very content: its digest in its registry, or its id where it is of no registry."""
    known: list[str] = image.attrs.get("RepoDigests") or []
    repository = _repository(reference)
    of_this_name = [each for each in known if _repository(each) == repository]
    return (of_this_name or known or [str(image.id)])[0]


def major_version(image: Image) -> int | None:
    """Return the version of PostgreSQL that the image says it has, as the official ones do in PG_MAJOR."""
    environment = dict(entry.partition("=")[::2] for entry in image.attrs["Config"].get("Env") or [])
    major = environment.get("PG_MAJOR", "")
    return int(major) if re.fullmatch("[0-9]{1,3}", major, re.ASCII) else None


def _repository(reference: str) -> str:
    """Return a reference without tag and digest: the last colon may also be that of a registry's port."""
    name = reference.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return head if colon and "/" not in tag else name


def _cannot_be_had(reference: str, said: str) -> DatabaseUnavailable:
    """Say why an image cannot be pulled. A registry answers alike for one that is closed and one that is not there."""
    if _DENIED.search(said):
        return DatabaseUnavailable(
            f"The image {reference} may not be pulled, or does not exist. Docker says: {said}.",
            remedy="Check the name, or `docker login` first.",
        )
    if _UNKNOWN.search(said):
        return DatabaseUnavailable(
            f"There is no image {reference}. Docker says: {said}.",
            remedy="The official ones are postgres:14 to postgres:18, with a minor version postgres:16.4.",
        )
    return DatabaseUnavailable(
        f"The image {reference} cannot be pulled. Docker says: {said}.",
        remedy="Check the network; an image that Docker has already, as after `docker load`, is used without it.",
    )
