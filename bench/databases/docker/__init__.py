"""PostgreSQL servers in containers: images are fetched, servers started, and no container is left behind."""

from bench.databases.docker.daemon import available
from bench.databases.docker.images import docker_image
from bench.databases.docker.leftovers import sweep
from bench.databases.docker.server import DockerServer
from bench.databases.docker.source import DockerSource

__all__ = ["DockerServer", "DockerSource", "available", "docker_image", "sweep"]
