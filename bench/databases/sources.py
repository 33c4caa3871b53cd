"""From the targets that a user asks for to where each of their servers comes from, before anything is started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bench.databases.embedded import EmbeddedSource
from bench.databases.protocol import Provider, Source
from bench.errors import DatabaseUnavailable
from bench.model import Asked, Secrets

Sources = Mapping[Asked, Source]
"""Where servers come from, by `Asked.server`."""


def find_sources(targets: Sequence[Asked], *, run: str, secrets: Secrets) -> Sources:
    """Return the source of each target's server.

    run: what a schema on a user's server is named for. Servers of our own come from one provider and one origin,
    because builds differ more than versions do; from several only where each names its own. Raises
    DatabaseUnavailable for what cannot be had, and BenchError for what does not go together.
    """
    servers = list(dict.fromkeys(asked.server for asked in targets))
    found: dict[Asked, Source] = {}
    own: list[Asked] = []
    for asked in servers:
        if asked.existing:
            found[asked] = _existing(asked, secrets)
        elif asked.database == "sqlite":
            found[asked] = EmbeddedSource(asked)
        elif asked.url:
            from bench.databases.postgres.url import UrlSource

            found[asked] = UrlSource(asked, password=secrets.by_url.get(asked.url, ""), run=run)
        else:
            own.append(asked)
    found.update(_own(own) if own else {})
    return {asked: found[asked] for asked in servers}


def _existing(asked: Asked, secrets: Secrets) -> Source:
    """Return the source of a database that holds the user's data."""
    if asked.database == "sqlite":
        from bench.databases.existing import ExistingFile

        return ExistingFile(asked)
    from bench.databases.postgres.existing import ExistingServer

    return ExistingServer(asked, password=secrets.by_url.get(asked.url, ""))


def _own(servers: Sequence[Asked]) -> dict[Asked, Source]:
    """Return the sources of servers of our own: those that are Docker's by name, and the others all of one provider."""
    open_ones = [asked for asked in servers if asked.provider == "auto" and not asked.origin]
    docker = [asked for asked in servers if asked.provider == "docker"]
    if docker:  # one provider serves them all, but for what names its origin
        docker = [asked for asked in servers if asked in docker or asked in open_ones]
        open_ones = []
    binaries = [asked for asked in servers if asked not in docker]
    if not binaries:
        return _in_containers(docker)
    try:
        return {**_from_binaries(binaries), **_in_containers(docker)}
    except DatabaseUnavailable as missing:
        if open_ones != list(servers):
            raise
        return _in_containers(servers, instead_of=missing)


def _from_binaries(servers: Sequence[Asked]) -> dict[Asked, Source]:
    from bench.databases.postgres import BinariesSource, choose, survey

    at_hand = survey()
    chosen = choose(servers, at_hand.found, left_out=at_hand.left_out)
    return {
        asked: BinariesSource(installation=installation, name=str(asked))
        for asked, installation in zip(servers, chosen, strict=True)
    }


def _in_containers(servers: Sequence[Asked], *, instead_of: DatabaseUnavailable | None = None) -> dict[Asked, Source]:
    """Return the sources of servers in containers. instead_of: why they could not be had otherwise."""
    if not servers:
        return {}
    from bench.databases.docker import DockerSource, available, docker_image

    reason = available()
    if reason and instead_of is not None:
        raise DatabaseUnavailable(f"{instead_of.message} Nor is Docker: {reason}", remedy=instead_of.remedy)
    if reason:
        raise DatabaseUnavailable(f"Docker cannot be used: {reason}", remedy="Or leave --provider docker out.")
    found = {
        asked: DockerSource(image=asked.image or docker_image(asked.version), name=str(asked)) for asked in servers
    }
    return {asked: _Instead(source, instead_of) if instead_of else source for asked, source in found.items()}


@dataclass(frozen=True, slots=True)
class _Instead:
    """A source that was turned to because another had nothing; where it has nothing either, both are told."""

    source: Source
    missing: DatabaseUnavailable

    @property
    def fresh(self) -> bool:
        return self.source.fresh

    def prepare(self) -> Iterator[str]:
        try:
            yield from self.source.prepare()
        except DatabaseUnavailable as error:
            raise DatabaseUnavailable(
                f"{self.missing.message} Nor can Docker have it: {error.message}", remedy=self.missing.remedy
            ) from error

    def up(self) -> AbstractContextManager[Provider]:
        return self.source.up()
