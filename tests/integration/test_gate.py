"""The exact tier of the gate: it sees what makes loading worse, and nothing else. Real databases, nothing is timed."""

from __future__ import annotations

import shutil
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from support.command import ROOT, Bench

from bench import case as case_module
from bench import catalogue, gating
from bench.errors import BenchError, DatabaseUnavailable, GateFailed
from bench.reduce.gate import Checked

if TYPE_CHECKING:
    from support.postgres import PostgresForTests

pytest_plugins = ["support.postgres"]

TEXT = (ROOT / "tests" / "data" / "gated.py").read_text()
LOAD = "customers = session.scalars(strategy.apply(statement())).unique().all()\n"
EAGER = "lambda statement: statement.options(selectinload(Customer.orders))"
LAZY = "lambda statement: statement.options(lazyload(Customer.orders))"


class Project:
    """A user's project: a scenario's file, and a baseline beside it."""

    def __init__(self, folder: Path, databases: str = "sqlite") -> None:
        self.file, self.source = folder / "bench-baseline.jsonl", folder / "gated.py"
        self.change()
        self.write(databases)

    def change(self, *changes: tuple[str, str]) -> None:
        """Put the scenario's file there, with these texts in the place of those."""
        text = TEXT
        for was, now in changes:
            assert was in text, was
            text = text.replace(was, now)
        self.source.write_text(text)
        forget_mapped_classes()

    def write(self, databases: str | None, strategies: str | None = None) -> str:
        asked: dict[str, Any] = {"scenario": f"{self.source}:GATED", "sizes": "30x4"} if databases else {}
        options = {"scenario": None, "sizes": None, "strategies": strategies, "databases": databases, **asked}
        return gating.write(file=self.file, provider="auto", quiet=True, **options)

    def check(self, only: str | None = None, databases: str | None = None) -> Checked:
        return gating.check_now(file=self.file, only=only, databases=databases, provider="auto", quiet=True)


def forget_mapped_classes() -> None:
    """Have what was imported imported anew, and its mapping gone: one that is broken would break every other's."""
    catalogue._from_file.cache_clear()
    before = sys.modules.pop("scenario_gated", None)
    if before is not None and hasattr(before, "Base"):
        before.Base.registry.dispose(cascade=True)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_CACHE_DIR", str(cache))
        return Project(tmp_path_factory.mktemp("project")).file


@pytest.fixture
def project(written: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.setenv("BENCH_CACHE_DIR", str(cache))
    made = Project.__new__(Project)
    made.file, made.source = tmp_path / written.name, tmp_path / "gated.py"
    shutil.copy(written, made.file)
    made.change()
    yield made
    forget_mapped_classes()


def told(checked: Checked) -> list[tuple[str, str, str]]:
    return [(finding.strategy, finding.verdict, finding.says) for finding in checked.findings]


def test_what_has_not_changed_is_as_it_was(project: Project) -> None:
    checked = project.check()

    assert told(checked) == []
    assert len(checked.compared) == 2


@pytest.mark.parametrize(
    ("changes", "strategy", "verdict", "says"),
    [
        pytest.param(
            [(EAGER, "lambda statement: statement")],
            "eager",
            "worse",
            "now sends 31 statements, baseline 2; new statement, 30 times: SELECT orders.customer_id",
            id="a loader option lost",
        ),
        pytest.param(
            [("customer.orders  # noqa", "customer.orders, session.refresh(customer)  # noqa")],
            "eager",
            "worse",
            "now sends 62 statements, baseline 2, fetches 300 rows, baseline 150",
            id="a refresh of every entity",
        ),
        pytest.param(
            [(LOAD, LOAD + "    session.scalar(select(func.count()).select_from(Order))\n")],
            "eager",
            "worse",
            "now sends 3 statements, baseline 2, fetches 151 rows, baseline 150, fetches",
            id="a statement more",
        ),
        pytest.param(
            [("return select(Customer).where", "return select(Customer, func.length(Customer.email)).where")],
            "eager",
            "worse",
            "now fetches",
            id="a column more in the SELECT",
        ),
        pytest.param(
            [("selectinload(Customer.orders)", "selectinload(Customer.orders, chunksize=7)")],
            "eager",
            "worse",
            "now sends 6 statements, baseline 2; sent 5 times, baseline 1: SELECT orders.customer_id",
            id="a wrong chunk size",
        ),
        pytest.param(
            [("selectinload(Customer.orders)", "joinedload(Customer.orders)")],
            "eager",
            "changed",
            "now sends 1 statement, baseline 2, fetches 120 rows, baseline 150, fetches 90 rows that repeat an entity",
            id="a join in the place of a second statement",
        ),
        pytest.param(
            [("Customer.id > 0", 'text("customers.id > 0")')],
            "eager",
            "changed",
            "now binds 30 parameters, baseline 31; new statement: SELECT customers.email, customers.id FROM customers "
            "WHERE customers.id > 0",
            id="a literal in the place of a parameter",
        ),
        pytest.param(
            [("Customer.id > 0)", "Customer.id > 0).order_by(Customer.email)")],
            "eager",
            "changed",
            "now sends other SQL; new statement: SELECT",
            id="a sort that nobody asked for",
        ),
        pytest.param(
            [("Customer.id > 0)", "Customer.id > 1)")],
            "eager",
            "worse",
            "does not load the dataset's own graph: ",
            id="a row lost",
        ),
        pytest.param([('name="eager"', 'name="keen"'), ('baseline="eager"', 'baseline="keen"')], "eager", "worse",
                     "is in the baseline, and the scenario has it no longer", id="a strategy gone"),
        pytest.param([(EAGER, "lambda statement: 1 / 0")], "eager", "worse", "fails: The load raised ZeroDivisionError",
                     id="a load that raises"),
        pytest.param([(", index=True", "")], "", "worse", "1 index gone from the schema: CREATE INDEX "
                     "ix_orders_customer_id ON orders (customer_id)", id="an index lost"),
        pytest.param([(", index=True", "")], "lazy", "changed", "is planned otherwise: now SCAN orders, baseline "
                     "SEARCH orders USING INDEX ix_orders_customer_id (customer_id=?)",
                     id="a plan that needs the index"),
        pytest.param([("String(120)", "String(100)")], "", "changed", "1 part gone from and 1 part new in the schema",
                     id="a column of another type"),
    ],
)  # fmt: skip
def test_what_makes_loading_worse_fails(
    project: Project, changes: list[tuple[str, str]], strategy: str, verdict: str, says: str
) -> None:
    project.change(*changes)

    checked = project.check()

    found = [
        (finding.verdict, finding.says[: len(says)]) for finding in checked.findings if finding.strategy == strategy
    ]
    assert found[:1] == [(verdict, says)]
    assert checked.failing
    assert isinstance(gating.failure(checked), GateFailed)


RENAMED = [
    ("class Customer(Base):", "class Customer(Base):  # the one who pays"),
    ("customers = s", "everybody = s"),
    ("in customers", "in everybody"),
    ("return customers", "return everybody"),
    ("statement()", "all_of_them()"),
    (EAGER, "lambda other: other.options(selectinload(Customer.orders))"),
]
REFORMATTED = [
    ("Customer.id > 0", "0 < Customer.id"),
    (LOAD, LOAD + "    session.flush()\n"),
    ("customer.orders  # noqa", "(customer.orders, len(customer.orders))  # noqa"),
    ("statement: statement.options(lazyload", "statement: statement.options().options(lazyload"),
]


@pytest.mark.parametrize("changes", [RENAMED, REFORMATTED], ids=["names and comments", "the same said otherwise"])
def test_what_changes_nothing_raises_nothing(project: Project, changes: list[tuple[str, str]]) -> None:
    project.change(*changes)

    assert told(project.check()) == []


def test_what_is_better_is_told_passes_and_asks_for_the_baseline(project: Project) -> None:
    project.change((LAZY, EAGER))

    checked = project.check()

    (finding,) = checked.findings
    assert (finding.strategy, finding.verdict) == ("lazy", "better")
    assert finding.says.startswith("now sends 2 statements, baseline 31")
    assert gating.failure(checked) is None
    said = gating.say(checked, gating.Outlets(), file=project.file, width=100, environment={})
    assert "bench baseline write" in said


def test_written_again_the_baseline_holds_and_the_diff_is_of_the_load_that_changed(project: Project) -> None:
    before = project.file.read_text().splitlines()
    project.change((LAZY, EAGER))

    said = project.write(None)

    after = project.file.read_text().splitlines()
    assert said.startswith("2 loads: 1 changed")
    assert [line for line in after if line not in before] == [line for line in after if '"strategy": "lazy"' in line]
    assert told(project.check()) == []


def test_a_baseline_of_a_wrong_load_is_not_written(project: Project) -> None:
    before = project.file.read_text()
    project.change(("Customer.id > 0)", "Customer.id > 1)"))

    with pytest.raises(GateFailed, match="Nothing was written"):
        project.write(None)

    assert project.file.read_text() == before


def test_a_schema_that_is_written_again_is_said_though_every_load_is_as_before(project: Project) -> None:
    project.change((", index=True", ""))

    said = project.write(None).splitlines()

    assert said[0].startswith("2 loads: 1 changed, schema changed, in ")  # lazy's plan
    assert said[1].startswith(
        "gated.py:GATED on sqlite: 1 index gone from the schema: CREATE INDEX ix_orders_customer_id"
    )
    assert project.write(None).startswith("2 loads: all as before, in ")


def test_a_part_is_not_written_with_another_version_than_the_rest_was_made_with(project: Project) -> None:
    before = project.file.read_text().replace('"sqlalchemy": "', '"sqlalchemy": "1.')
    project.file.write_text(before)

    with pytest.raises(BenchError, match=r"was made with SQLAlchemy 1\..*and eager of 30x4.*was not measured"):
        project.write("sqlite", strategies="lazy")

    assert project.file.read_text() == before
    assert project.write(None).startswith("2 loads: versions changed, in ")
    assert told(project.check()) == []


def test_the_baseline_names_a_scenarios_file_from_its_own_folder(project: Project) -> None:
    assert '"scenario": "gated.py:GATED"' in project.file.read_text()
    assert str(project.file.parent) not in project.file.read_text()


@pytest.mark.parametrize("hash_seed", [1, 2])
def test_the_order_of_sets_in_a_process_changes_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, hash_seed: int
) -> None:
    start: Callable[..., Any] = case_module.CaseUnderWay.worker
    monkeypatch.setattr(
        case_module.CaseUnderWay, "worker", lambda case, target, **_: start(case, target, hash_seed=hash_seed)
    )
    before = project.file.read_text()

    project.write(None)

    assert '"calls": ' in before
    assert project.file.read_text() == before


def test_more_python_for_each_row_fails_though_the_database_sees_nothing_of_it(project: Project) -> None:
    project.change(("        customer.orders  #", "        sum(1 for _ in customer.orders)  #"))

    checked = project.check()

    assert [(verdict, says.partition(" functions")[0]) for _, verdict, says in told(checked)] == [
        ("worse", "now calls Python")
    ] * 2
    assert gating.failure(checked) is not None


def test_only_what_is_named_is_checked(project: Project) -> None:
    project.change((EAGER, "lambda statement: statement"))

    assert told(project.check(only="lazy")) == []
    assert len(project.check(only="*30x4 eager").failing) == 1
    with pytest.raises(BenchError, match="has no load 'other'") as raised:
        project.check(only="other")
    assert "gated.py:GATED 30x4 sqlite" in raised.value.remedy


def test_a_database_that_the_baseline_does_not_have_is_a_sentence(project: Project) -> None:
    with pytest.raises(BenchError, match="no load on postgres"):
        project.check(databases="postgres")


def test_what_was_made_with_other_versions_is_compared_as_far_as_it_can_be(project: Project) -> None:
    project.file.write_text(project.file.read_text().replace('"sqlalchemy": "', '"sqlalchemy": "1.'))
    project.change(("Customer.id > 0)", "Customer.id > 0).order_by(Customer.email)"))

    checked = project.check()

    assert {finding.verdict for finding in checked.findings} == {"noted"}
    assert "SQL texts, bytes and plans are told, not judged, and Python calls are not" in checked.notes[0]
    project.change((EAGER, "lambda statement: statement"))
    assert [finding.strategy for finding in project.check().failing] == ["eager"]


def test_literals_in_many_texts_are_held_too_though_not_every_text_is_kept(project: Project) -> None:
    loop = LOAD + '    for at in range({}): session.execute(text(f"SELECT id FROM orders WHERE id = {{at}}"))\n'
    project.change((LOAD, loop.format("100, 130")))
    project.write(None)
    assert told(project.check()) == []
    assert project.file.read_text().count("SELECT id FROM orders") < 2 * 30

    project.change(
        (LOAD, loop.format("100, 129") + '    session.execute(text("SELECT id FROM orders WHERE id = 777"))\n')
    )

    assert [verdict for _, verdict, _ in told(project.check())] == ["changed", "changed"]


def test_rows_that_are_made_otherwise_are_told(project: Project) -> None:
    project.change(('pattern="customer{}@example.org"', 'pattern="client{}@example.org"'))

    checked = project.check()

    assert "are not the baseline's" in checked.notes[0]
    assert {finding.verdict for finding in checked.findings} == {"better"}  # shorter by the letters that are gone


def test_a_strategy_that_this_version_lacks_is_left_out_and_said(project: Project) -> None:
    project.change(('name="eager",', 'name="eager", since=(9, 0),'))

    assert [(strategy, verdict) for strategy, verdict, _ in told(project.check())] == [("eager", "noted")]


def test_ci_sees_the_reason_first(project: Project, tmp_path: Path) -> None:
    project.change((EAGER, "lambda statement: statement"))
    command, job = Bench(tmp_path), tmp_path / "job.md"

    done = command("check", "-q", "--summary", "summary.md", "--junit", "junit.xml", GITHUB_ACTIONS="true",
                   GITHUB_STEP_SUMMARY=str(job))  # fmt: skip

    assert done.returncode == 1
    first = done.stdout.splitlines()[0]
    assert first.startswith(
        "gated.py:GATED 30x4 on sqlite: eager now sends 31 statements, baseline 2; new statement, 30"
    )
    assert "::error file=gated.py,title=Loading is worse::gated.py:GATED 30x4 on sqlite: eager now" in done.stdout
    assert (tmp_path / "summary.md").read_text() == job.read_text()
    assert "### Loading: failed" in job.read_text()
    suite = ET.parse(tmp_path / "junit.xml").getroot()[0]  # noqa: S314 - our own file
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("2", "1")


def test_without_a_baseline_the_command_says_what_to_type(tmp_path: Path) -> None:
    done = Bench(tmp_path)("check")

    assert done.returncode == 2
    assert "bench baseline write" in done.stderr


@pytest.fixture
def on_postgres(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("BENCH_CACHE_DIR", str(cache))
    try:
        return Project(tmp_path, "postgres")
    except DatabaseUnavailable as missing:
        pytest.skip(str(missing))


def test_one_baseline_holds_for_every_driver_of_a_database(on_postgres: Project) -> None:
    for driver in ("asyncpg", "psycopg_async"):
        checked = on_postgres.check(databases=f"postgres+{driver}")

        assert told(checked) == []
        assert len(checked.compared) == 2
        assert f"was made by psycopg, and this is {driver}" in checked.notes[0]


def test_postgres_sees_a_lost_index_and_a_lost_option(on_postgres: Project) -> None:
    assert told(on_postgres.check()) == []

    on_postgres.change((EAGER, "lambda statement: statement"), (", index=True", ""))
    found = told(on_postgres.check())

    assert found[0] == (
        "",
        "worse",
        "1 index gone from the schema: CREATE INDEX ix_orders_customer_id ON orders USING btree (customer_id)",
    )
    assert found[1][:2] == ("eager", "worse")
    assert found[1][2].startswith("now sends 31 statements, baseline 2; new statement, 30 times: SELECT orders.cust")


def test_it_is_checked_on_a_server_of_the_users_own_and_no_address_is_stored(
    postgres: PostgresForTests, database: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE_DIR", str(cache))
    monkeypatch.setenv("PGPASSWORD", postgres.password)
    url = f"postgresql://bench@127.0.0.1:{postgres.port}/{quote(database)}"
    project = Project(tmp_path, url)

    assert str(postgres.port) not in project.file.read_text()
    assert told(project.check(databases=url)) == []

    project.change((", index=True", ""))
    assert told(project.check(databases=f"postgresql+asyncpg{url.removeprefix('postgresql')}"))[0][:2] == ("", "worse")


def test_a_mapping_that_does_not_hold_together_is_a_sentence(project: Project) -> None:
    project.change(('ForeignKey("customers.id"), index=True', "index=True"))

    with pytest.raises(BenchError, match="The mapped classes of gated do not go together") as raised:
        project.check()

    assert "Customer.orders" in str(raised.value)
