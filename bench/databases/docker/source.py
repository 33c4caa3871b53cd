"""The source `docker`: each server is a container of an image, on a cluster that is made in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.databases.docker.daemon import daemon
from bench.databases.docker.images import local_image, pull
from bench.databases.docker.server import DockerServer
from bench.databases.postgres.own import OwnDatabases


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerSource:
    """Servers of one image, called `name`."""

    image: str
    name: str
    fresh: bool = True

    def prepare(self) -> Iterator[str]:
        """Pull the image where the daemon does not have it; yield how far that is. Raises DatabaseUnavailable."""
        with daemon() as client:
            if local_image(client, self.image) is None:
                yield from pull(client, self.image)

    def up(self) -> OwnDatabases:
        """Return a provider on a server that is up inside its `with` block."""
        return OwnDatabases(DockerServer(self.image, name=self.name))
