from __future__ import annotations

import os
import random
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bench.databases import SqliteCache
from bench.errors import BenchError
from bench.model import DatasetFacts, Shape, Target

KEY = "0123456789abcdef" * 4
SAME_START = KEY[:16] + "f" * 48

CHILD = """
import os, signal, sqlite3, sys
from pathlib import Path
from bench.databases import SqliteCache
from bench.model import DatasetFacts, Shape

cache = SqliteCache(Path(sys.argv[1]))

def seed(path, length=2_000_000):
    with open(cache.folder / "seedings.txt", "a") as log:
        log.write("one\\n")
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE kept AS SELECT zeroblob(?) AS content", (length,))
    connection.close()
    shape = Shape(rows=(1, 1), childless=(0,))
    return DatasetFacts(key="k", fingerprint="f", shape=shape, file_bytes=path.stat().st_size, seed_s=0.1)

def say(word):
    print(word, flush=True)
    sys.stdin.readline()
"""


def facts(length: int) -> DatasetFacts:
    return DatasetFacts(
        key=KEY, fingerprint="f", shape=Shape(rows=(1, 2), childless=(0,)), file_bytes=length, seed_s=0.5
    )


def seeding(content: bytes = b"rows") -> Callable[[Path], DatasetFacts]:
    """Return a seeding that makes a database of one row, `content`."""

    def seed(path: Path) -> DatasetFacts:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE kept (content BLOB)")
            connection.execute("INSERT INTO kept VALUES (?)", (content,))
            connection.commit()
        return facts(path.stat().st_size)

    return seed


def content_of(path: str | Path) -> bytes:
    """Return what a seeding has put into a file."""
    with closing(sqlite3.connect(path)) as connection:
        return bytes(connection.execute("SELECT content FROM kept").fetchone()[0])


def never(path: Path) -> DatasetFacts:
    raise AssertionError(f"{path} was seeded again")


@pytest.fixture
def cache(tmp_path: Path) -> SqliteCache:
    return SqliteCache(tmp_path / "not there yet" / "cache")


@pytest.fixture
def start() -> Iterator[Callable[[SqliteCache, str], subprocess.Popen[str]]]:
    """Start a process that runs some code after `CHILD`; none is left behind."""
    children = []

    def start(cache: SqliteCache, code: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD + code, cache.folder],
            cwd=Path(__file__).parents[3],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def line_of(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def files(cache: SqliteCache) -> set[str]:
    return {path.name for path in cache.folder.iterdir() if path.suffix not in (".lock", "")}


def test_a_dataset_is_seeded_once_and_then_reused(cache: SqliteCache) -> None:
    first = cache.seeded("books-2x1", KEY, seeding(b"rows"))
    second = SqliteCache(cache.folder).seeded("books-2x1", KEY, never)

    path = cache.folder / "books-2x1-0123456789abcdef.sqlite3"
    target = Target(name="sqlite", dialect="sqlite", driver="pysqlite", provider="embedded", database=str(path))
    assert content_of(path) == b"rows"
    assert first == (target, facts(path.stat().st_size), False)
    assert second == (target, facts(path.stat().st_size), True)


@pytest.mark.parametrize("key", ["f" * 64, SAME_START])
def test_a_dataset_of_another_key_is_never_reused(key: str, cache: SqliteCache) -> None:
    cache.seeded("books", KEY, seeding(b"old"))

    target, _, reused = cache.seeded("books", key, seeding(b"newer"))

    assert not reused
    assert content_of(target.database) == b"newer"


@pytest.mark.parametrize(
    "tamper",
    [
        lambda file, _: file.write_bytes(file.read_bytes()[:-1]),
        lambda file, _: file.write_bytes(b""),
        lambda file, _: file.write_bytes(random.Random(1).randbytes(file.stat().st_size)),
        lambda file, _: file.write_bytes(file.read_bytes()[:4096] + random.Random(1).randbytes(4096)),
        lambda file, _: file.write_bytes(file.read_bytes() + b"."),
        lambda file, _: file.unlink(),
        lambda _, note: note.unlink(),
        lambda _, note: note.write_bytes(note.read_bytes()[:-20]),
        lambda _, note: note.write_bytes(b""),
        lambda _, note: note.write_text("[]"),
        lambda _, note: note.write_text(re.sub(r'("file_bytes": )([0-9]+)', r'\1"\2"', note.read_text())),
        lambda _, note: note.write_text(note.read_text().replace(KEY, "f" * 64, 1)),
    ],
    ids=[
        "file cut by a byte",
        "file emptied",
        "random bytes of the same length",
        "a page of random bytes",
        "file longer",
        "no file",
        "no note",
        "note cut",
        "note emptied",
        "note of another form",
        "note of another type",
        "note of another key",
    ],
)
def test_a_file_or_note_that_was_tampered_with_is_never_reused(
    tamper: Callable[[Path, Path], object], cache: SqliteCache
) -> None:
    target, _, _ = cache.seeded("books", KEY, seeding())
    file = Path(target.database)

    tamper(file, file.with_suffix(".json"))
    again, _, reused = cache.seeded("books", KEY, seeding())

    assert not reused
    assert content_of(again.database) == b"rows"
    assert cache.seeded("books", KEY, never).reused


@pytest.mark.parametrize("error", [BenchError("full"), KeyboardInterrupt(), ValueError("a bug")])
def test_a_seeding_that_fails_leaves_nothing_and_says_why(error: BaseException, cache: SqliteCache) -> None:
    def fail(path: Path) -> DatasetFacts:
        path.write_bytes(b"half")
        raise error

    with pytest.raises(type(error)) as caught:
        cache.seeded("books", KEY, fail)

    assert caught.value is error
    assert files(cache) == set()
    assert not cache.seeded("books", KEY, seeding()).reused


def test_processes_that_want_the_same_dataset_at_once_seed_it_once(
    cache: SqliteCache, start: Callable[[SqliteCache, str], subprocess.Popen[str]]
) -> None:
    code = """
say("ready")
seeded = cache.seeded("books", "k" * 64, seed)
say(f"{seeded.reused} {Path(seeded.target.database).stat().st_size > 2_000_000}")
"""
    children = [start(cache, code) for _ in range(3)]
    assert [line_of(child) for child in children] == ["ready"] * 3

    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()

    assert sorted(line_of(child) for child in children) == ["False True", "True True", "True True"]
    assert (cache.folder / "seedings.txt").read_text() == "one\n"


@pytest.mark.parametrize("after", ["seed(path, 1_000_000)", "seed(path)"])
def test_a_process_killed_while_seeding_leaves_no_file_that_is_taken_for_a_whole_one(
    after: str, cache: SqliteCache, start: Callable[[SqliteCache, str], subprocess.Popen[str]]
) -> None:
    killed = start(
        cache,
        f"""
def die(path):
    {after}
    os.kill(os.getpid(), signal.SIGKILL)

cache.seeded("books", {KEY!r}, die)
""",
    )

    assert killed.wait() == -9
    assert files(cache) == {"books-0123456789abcdef.partial", "seedings.txt"}
    assert cache.cached() == ()
    assert not cache.seeded("books", KEY, seeding()).reused
    assert files(cache) == {"books-0123456789abcdef.sqlite3", "books-0123456789abcdef.json", "seedings.txt"}


def test_a_process_killed_before_the_note_was_written_leaves_no_file_that_is_taken_for_a_whole_one(
    cache: SqliteCache,
) -> None:
    target, _, _ = cache.seeded("books", KEY, seeding())
    Path(target.database).with_suffix(".json").rename(Path(target.database).with_suffix(".partial"))

    assert cache.cached() == ()
    assert not cache.seeded("books", KEY, seeding()).reused
    assert files(cache) == {"books-0123456789abcdef.sqlite3", "books-0123456789abcdef.json"}


def test_leftovers_of_other_datasets_are_swept_but_not_what_is_under_way(
    cache: SqliteCache, start: Callable[[SqliteCache, str], subprocess.Popen[str]]
) -> None:
    under_way = start(cache, 'cache.seeded("loans", "b" * 64, lambda path: (path.write_bytes(b""), say("under way")))')
    assert line_of(under_way) == "under way"
    (cache.folder / "left-aaaa.partial").write_bytes(b"half")

    cache.seeded("books", KEY, seeding())

    assert {name for name in files(cache) if name.endswith(".partial")} == {f"loans-{'b' * 16}.partial"}


def test_what_is_cached_is_listed_by_name(cache: SqliteCache) -> None:
    for name in ("users", "books"):
        cache.seeded(name, KEY, seeding(name.encode() * 2))
    (cache.folder / "half-0.sqlite3").write_bytes(b"no note")

    books, users = cache.cached()

    assert (books.name, books.file_bytes) == ("books-0123456789abcdef", books.path.stat().st_size)
    assert content_of(books.path) == b"booksbooks"
    assert users.name == "users-0123456789abcdef"
    assert books.created.endswith("+00:00")


def test_clean_removes_all_that_is_kept_and_nothing_else_and_says_what_it_freed(cache: SqliteCache) -> None:
    cache.seeded("books", KEY, seeding(b"x" * 5000))
    (cache.folder / "left.partial").write_bytes(b"half")
    (cache.folder / "mine.txt").write_bytes(b"keep")
    kept = sum(path.stat().st_size for path in cache.folder.iterdir() if path.suffix != ".txt")

    assert cache.clean() == kept > 5000
    assert files(cache) == {"mine.txt"}
    assert cache.cached() == ()
    assert not cache.seeded("books", KEY, seeding()).reused


def test_clean_frees_nothing_where_nothing_is(cache: SqliteCache) -> None:
    assert cache.clean() == 0
    assert cache.cached() == ()
    assert not cache.folder.exists()


def test_clean_removes_nothing_while_another_process_uses_the_datasets(
    cache: SqliteCache, start: Callable[[SqliteCache, str], subprocess.Popen[str]]
) -> None:
    user = start(cache, f'cache.seeded("books", {KEY!r}, seed); say("in use")')
    assert line_of(user) == "in use"

    with pytest.raises(BenchError, match="Another command is using the datasets") as caught:
        cache.clean()

    assert caught.value.remedy
    assert len(cache.cached()) == 1
    user.kill()
    user.wait()
    assert cache.clean() > 2_000_000


def test_the_folder_is_the_one_that_the_environment_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "chosen"))
    chosen = SqliteCache().folder
    monkeypatch.setenv("BENCH_CACHE_DIR", "")
    usual = SqliteCache().folder

    assert chosen == tmp_path / "chosen"
    assert usual.name == "orm-loading-bench"


def test_a_folder_that_cannot_be_made_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(BenchError, match=r"The cache folder .* cannot be used: Not a directory") as caught:
        SqliteCache(tmp_path / "file" / "cache").seeded("books", KEY, never)

    assert "BENCH_CACHE_DIR" in caught.value.remedy


def test_a_folder_that_cannot_be_written_to_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)

    with pytest.raises(BenchError, match=r"The cache folder .* cannot be used: Permission denied"):
        SqliteCache(tmp_path).seeded("books", KEY, never)


def test_what_seedings_cut_short_have_left_is_listed_apart_and_counted(cache: SqliteCache) -> None:
    assert (cache.leftovers(), cache.kept_bytes()) == ((), 0)
    whole = Path(cache.seeded("books", KEY, seeding()).target.database)
    (cache.folder / "half-0.sqlite3").write_bytes(b"no note")
    (cache.folder / "left.partial").write_bytes(b"half")
    (cache.folder / "alone.json").write_bytes(b"{}")
    (cache.folder / "mine.txt").write_bytes(b"keep")

    assert [path.name for path in cache.leftovers()] == ["alone.json", "half-0.sqlite3", "left.partial"]
    cache_bytes = cache.kept_bytes()
    assert cache_bytes == whole.stat().st_size + whole.with_suffix(".json").stat().st_size + 7 + 4 + 2
    assert cache.clean() == cache_bytes
    assert cache.leftovers() == ()


def test_a_file_too_long_to_be_read_through_is_at_least_opened(
    cache: SqliteCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.databases.sqlite.CHECKED_BYTES", 0)
    file = Path(cache.seeded("books", KEY, seeding()).target.database)
    assert cache.seeded("books", KEY, never).reused

    file.write_bytes(bytes(file.stat().st_size))

    assert not cache.seeded("books", KEY, seeding()).reused
