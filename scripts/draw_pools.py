"""Draw the pools that every dataset's names, titles, cities and prose come from, once, with Faker.

    python scripts/draw_pools.py            write bench/datasets/pools.json
    python scripts/draw_pools.py --check    exit 1 when the file is not what this script draws

The same Faker version and seed draw the same file, byte for byte. The file's digest is part of every dataset's key,
so a new drawing seeds every dataset anew; the lengths of the pools are part of what a seed means.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from unicodedata import normalize

from faker import Faker

POOLS = Path(__file__).parents[1] / "bench" / "datasets" / "pools.json"
SEED = 20_240_229

NAMES_OF_OTHERS = {
    "cs_CZ": 20,
    "de_DE": 20,
    "es_ES": 20,
    "fr_FR": 20,
    "ja_JP": 20,
    "pl_PL": 20,
    "sv_SE": 20,
    "tr_TR": 20,
}
"""Names outside ASCII, by locale, so that every text path meets some."""

LENGTHS = {"name": 1000, "title": 1000, "city": 500, "word": 500, "sentence": 500}


def draw() -> str:
    """Return the text of the pools file."""
    pools = {
        "name": _names(),
        "title": _titles(),
        "city": _distinct(_faker("en_US").city, LENGTHS["city"]),
        "word": _distinct(_faker("en_US").word, LENGTHS["word"]),
        "sentence": _distinct(_faker("en_US").sentence, LENGTHS["sentence"]),
    }
    drawn = {"faker": version("faker"), "seed": SEED, "pools": pools}
    return json.dumps(drawn, ensure_ascii=False, indent=1) + "\n"


def _names() -> list[str]:
    others = [
        name
        for locale, count in NAMES_OF_OTHERS.items()
        for name in _distinct(_full_name(_faker(locale)), count, where=lambda name: not name.isascii())
    ]
    english = _distinct(_full_name(_faker("en_US")), LENGTHS["name"] - len(others), where=str.isascii)
    names = english + others
    random.Random(SEED).shuffle(names)  # noqa: S311 - any fixed order will do
    return names


def _full_name(faker: Faker) -> Callable[[], str]:
    return lambda: normalize("NFC", f"{faker.first_name()} {faker.last_name()}")


def _titles() -> list[str]:
    """Draw titles as novels have them, from English words and cities."""
    faker = _faker("en_US")

    def noun() -> str:
        return str(faker.word(part_of_speech="noun")).title()

    def adjective() -> str:
        return str(faker.word(part_of_speech="adjective")).title()

    patterns: list[Callable[[], str]] = [
        lambda: f"The {adjective()} {noun()}",
        lambda: f"{noun()} and {noun()}",
        lambda: f"The {noun()} of {faker.city()}",
        lambda: f"The {noun()}, the {noun()} and the {noun()}",
        lambda: f"A {noun()} in {faker.city()}",
        lambda: f"{faker.last_name()}'s {adjective()} {noun()}",
        lambda: f"{adjective()} Is the {noun()}",
    ]
    return _distinct(lambda: faker.random_element(patterns)(), LENGTHS["title"])


def _faker(locale: str) -> Faker:
    """Return a generator of its own for each pool, so that one pool's length moves no other pool."""
    faker = Faker(locale)
    faker.seed_instance(SEED)
    return faker


def _distinct(make: Callable[[], str], count: int, *, where: Callable[[str], bool] = bool) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        value = make()
        if where(value):
            found[value] = None
    return list(found)


def main() -> int:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    drawn = draw().encode()
    if parser.parse_args().check:
        same = POOLS.read_bytes() == drawn
        print("The pools are as drawn." if same else "The pools differ from what this script draws.", file=sys.stderr)
        return 0 if same else 1
    POOLS.write_bytes(drawn)
    print(f"{POOLS.name}: {len(drawn):,} bytes, Faker {version('faker')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
