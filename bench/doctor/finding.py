"""Which mapped classes a user means by the name of a base."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapper, registry

from bench.building import mapper_of
from bench.catalogue import imported, unknown_name
from bench.errors import BenchError


def mapped_under(reference: str) -> list[Mapper[Any]]:
    """Return the mappers of the base that `package.models:Base` or `path/to/file.py:Base` names, by class name.

    A mapped class and a `registry` name theirs. Raises BenchError for what cannot be imported, is no base (with the
    nearest that is), has no mapped classes, or relationships that cannot be resolved.
    """
    if ":" not in reference:
        raise BenchError(
            f"{reference!r} does not say which base is meant.",
            remedy="Name it as package.models:Base or path/to/file.py:Base.",
        )
    values, name, where = imported(reference)
    found = _registry(values.get(name))
    if found is None:
        raise unknown_name(f"declarative base in {where}", name, [key for key, v in values.items() if _registry(v)])
    mappers = sorted(found.mappers, key=lambda mapper: mapper.class_.__name__)
    if not mappers:
        raise BenchError(
            f"{name} of {where} has no mapped classes, as far as that module imports them.",
            remedy="Name a module that imports all modules with your mapped classes.",
        )
    return [mapper_of(mapper.class_) for mapper in mappers]


def _registry(value: object) -> registry | None:
    found = value if isinstance(value, registry) else getattr(value, "registry", None)
    return found if isinstance(found, registry) else None
