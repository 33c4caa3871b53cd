"""Real containers for tests: images of this machine's own PostgreSQL, and a registry to pull from, on this machine.

Named in `pytest_plugins` by the files that use it; what asks for an image is skipped, with the reason, where there is
no daemon or nothing to make an image of.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import secrets
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from bench.databases.docker import available
from bench.databases.docker.daemon import daemon
from bench.databases.postgres import Installation, survey
from scripts.build_test_image import REPOSITORY, build

if TYPE_CHECKING:
    from docker import DockerClient

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
BLOB = "application/octet-stream"


def why_not() -> str:
    """Return why there are no containers for tests; empty where there are."""
    if platform.system() != "Linux":
        return "images for tests are made of the machine's own programs, which are Linux's"
    return available()


@pytest.fixture(scope="session")
def client() -> Iterator[DockerClient]:
    """The daemon that answers; skipped, and said so, where none does."""
    if reason := why_not():
        pytest.skip(f"no Docker: {reason}")
    with daemon() as found:
        yield found


@pytest.fixture(scope="session")
def image(client: DockerClient) -> Iterator[str]:
    """An image of a server that has pg_stat_statements, as the official ones have."""
    with _built(client, lambda each: each.has_module("pg_stat_statements")) as reference:
        yield reference


@pytest.fixture(scope="session")
def plain_image(client: DockerClient) -> Iterator[str]:
    """An image of a server without pg_stat_statements."""
    with _built(client, lambda each: not each.has_module("pg_stat_statements")) as reference:
        yield reference


@contextmanager
def _built(client: DockerClient, wanted: Callable[[Installation], bool]) -> Iterator[str]:
    """Make an image of the newest installation that is wanted, under a name of its own, and remove it at the end."""
    fitting = [each for each in survey().found if wanted(each)]
    if not fitting:
        pytest.skip("no PostgreSQL on this machine to make such an image of")
    newest = max(fitting, key=lambda each: (each.major, each.minor))
    reference = build(client, newest, reference=f"{REPOSITORY}:{newest.version}-{secrets.token_hex(4)}")
    try:
        yield reference
    finally:
        client.images.remove(reference, force=True)


@dataclass(kw_only=True)
class Registry:
    """A registry that serves small images: those below `closed/` to nobody, those below `cut/` not to their end."""

    port: int = 0
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)

    def publish(self, name: str, content: bytes) -> str:
        """Offer an image with a file of that content in it; return its digest."""
        layer = _tar("content", content)
        packed = gzip.compress(layer, compresslevel=0)
        config = json.dumps(
            {
                "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
                "os": "linux",
                "config": {"Cmd": ["/content"]},
                "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
            }
        ).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._blob("application/vnd.docker.container.image.v1+json", config),
            "layers": [self._blob("application/vnd.docker.image.rootfs.diff.tar.gzip", packed)],
        }
        encoded = json.dumps(manifest).encode()
        self.manifests[f"{name}/manifests/latest"] = encoded
        self.manifests[f"{name}/manifests/{_digest(encoded)}"] = encoded
        return _digest(encoded)

    def name(self, image: str) -> str:
        """The image's name for whoever pulls it. Docker speaks plain HTTP with loopback addresses."""
        return f"127.0.0.1:{self.port}/{image}:latest"

    def serves(self, path: str) -> tuple[bytes, str] | None:
        """What is at a path, with its type; a registry says by the empty one that it is one."""
        if not path:
            return b"{}", "application/json"
        if path in self.manifests:
            return self.manifests[path], MANIFEST
        blob = self.blobs.get(path.rpartition("/")[2])
        return None if blob is None else (blob, BLOB)

    def _blob(self, kind: str, content: bytes) -> dict[str, Any]:
        self.blobs[_digest(content)] = content
        return {"mediaType": kind, "size": len(content), "digest": _digest(content)}


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_asked: object) -> None:
        """Say nothing of a daemon that tries TLS first, and hangs up."""


@pytest.fixture
def registry(client: DockerClient) -> Iterator[Registry]:
    """A registry on this machine; what was pulled from it is removed."""
    registry = Registry()
    with QuietServer(("127.0.0.1", 0), _handler(registry)) as server:
        registry.port = server.server_port
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield registry
        finally:
            server.shutdown()
            serving.join()
            for pulled in client.images.list():
                if any(tag.startswith(f"127.0.0.1:{registry.port}/") for tag in pulled.tags):
                    client.images.remove(str(pulled.id), force=True)


def _handler(registry: Registry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = self.path.removeprefix("/v2/")
            if path.startswith("closed/"):
                self._answer(401, b'{"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}')
            elif (found := registry.serves(path)) is not None:
                self._answer(200, *found)
            else:
                self._answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}')

        def _answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
            cut = self.path.startswith("/v2/cut/") and kind == BLOB
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", _digest(body))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = cut

        def log_message(self, *_said: object) -> None:
            """Say nothing: a test's failure tells what was asked for."""

    return Handler


def _tar(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
