"""The Docker daemon that the user's environment names; what it or the way to it refuses becomes a sentence."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from docker import DockerClient

_USUAL_ADDRESS = "unix:///var/run/docker.sock"

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def available() -> str:
    """Return the reason why Docker cannot be used, as a sentence; empty where it can."""
    try:
        with daemon():
            return ""
    except DatabaseUnavailable as refused:
        return str(refused)


@contextmanager
def daemon() -> Iterator[DockerClient]:
    """Yield a client of the daemon that DOCKER_HOST or the current context of Docker's own command line names.

    Raises DatabaseUnavailable where the SDK is missing, where no daemon answers, where the user may not ask it, and
    where it is on another machine: a container's port is opened on that machine's loopback only.
    """
    try:
        import docker
    except ImportError as error:
        raise DatabaseUnavailable(
            f"Servers in containers need the Docker SDK, which does not load: {error}.",
            remedy="Install it: pip install 'orm-loading-bench[docker]'.",
        ) from error
    address = _USUAL_ADDRESS
    try:
        address = _address()
        _check_nearby(address)
        _check_answers(address)
        client = docker.from_env()
        client.ping()
    except trouble() as error:
        raise _unasked(address, explanation(error)) from error
    try:
        yield client
    finally:
        client.close()


def trouble() -> tuple[type[Exception], ...]:
    """What the SDK raises where the daemon refuses something, does not answer, or stops in the middle of an answer."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    return DockerException, RequestException, HTTPError


def explanation(error: BaseException) -> str:
    """Return what the daemon itself says about a refusal, on one line and without a full stop, or that it says nothing.

    error: one of `trouble`.
    """
    from requests.exceptions import ConnectionError as Unconnected
    from requests.exceptions import SSLError, Timeout
    from urllib3.exceptions import HTTPError

    said = " ".join(str(getattr(error, "explanation", None) or error).split()).rstrip(".")
    step: BaseException | None = error
    while step is not None and not isinstance(step, SSLError):
        if isinstance(step, Unconnected | Timeout | HTTPError):
            return "it does not answer"
        step = step.__cause__ or step.__context__
    return said


def _address() -> str:
    """Return where the SDK looks for the daemon. Raises what `trouble` names for a context that does not exist."""
    if named := os.environ.get("DOCKER_HOST"):
        return named
    from docker import ContextAPI

    return str(ContextAPI.kwargs_from_context().get("base_url") or _USUAL_ADDRESS)


def _check_nearby(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "ssh" or (parts.scheme in ("tcp", "http", "https") and parts.hostname not in _THIS_MACHINE):
        raise DatabaseUnavailable(
            f"The Docker daemon at {parts.scheme}://{parts.hostname or ''} is on another machine: "
            "what is measured would be the way there.",
            remedy="Unset DOCKER_HOST, or `docker context use default`; a server elsewhere is measured by its URL.",
        )


def _check_answers(address: str) -> None:
    """Connect to a Unix socket as the SDK is going to, which wraps the reason several times and leaks the socket."""
    scheme, _, path = address.partition("://")
    if scheme not in ("unix", "http+unix"):
        return
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(path)
    except PermissionError as error:
        raise DatabaseUnavailable(
            f"This user may not ask the Docker daemon at {address}.",
            remedy="Have the user added to the group docker (and log in again), or install rootless Docker.",
        ) from error
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise DatabaseUnavailable(
            f"No Docker daemon answers at {address}.",
            remedy="Start it: `systemctl start docker`, or Docker Desktop; DOCKER_HOST names another address.",
        ) from error
    except OSError as error:
        raise _unasked(address, error.strerror or str(error)) from error


def _unasked(address: str, said: str) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"The Docker daemon at {address} cannot be asked: {said}.", remedy="See what `docker version` says."
    )
