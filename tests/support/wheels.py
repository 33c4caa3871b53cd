"""Installed packages made wheels again under a version of ours, so that environments are built without a network."""

from __future__ import annotations

import importlib.metadata
import zipfile
from pathlib import Path

import pytest


def repack(package: str, version: str, folder: Path) -> Path:
    """Put a wheel of an installed package into a folder; its code and its metadata say that it has this version."""
    try:
        installed = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{package} is not installed")
    tags = [line.removeprefix("Tag: ") for line in str(installed.read_text("WHEEL")).splitlines() if "Tag: " in line]
    name = f"{package}-{version}"
    wheel = folder / f"{name}-{tags[0]}.whl"
    records = [f"{name}.dist-info/RECORD,,"]
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in installed.files or ():
            if ".." in file.parts or file.suffix == ".pyc" or file.name in ("RECORD", "INSTALLER", "REQUESTED"):
                continue
            parts = [part if not part.endswith(".dist-info") else f"{name}.dist-info" for part in file.parts]
            inside = "/".join(parts)
            archive.writestr(inside, _as_version(Path(str(installed.locate_file(file))), installed.version, version))
            records.append(f"{inside},,")
        archive.writestr(records[0].partition(",")[0], "\n".join(records) + "\n")
    return wheel


def _as_version(file: Path, was: str, version: str) -> bytes:
    content = file.read_bytes()
    if file.name == "METADATA":  # what it requires stands behind an environment already
        content = b"\n".join(line for line in content.split(b"\n") if not line.startswith(b"Requires-Dist:"))
        return content.replace(f"Version: {was}".encode(), f"Version: {version}".encode(), 1)
    return content.replace(f'__version__ = "{was}"'.encode(), f'__version__ = "{version}"'.encode(), 1)
