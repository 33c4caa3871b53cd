from bench.measure.warming import CUSTOM_PLANS, warm_loads


def test_asyncpg_is_warmed_past_the_executions_that_the_server_plans_one_by_one() -> None:
    assert warm_loads("asyncpg") == CUSTOM_PLANS + 1


def test_a_driver_that_keeps_nothing_from_load_to_load_is_warm_after_the_first() -> None:
    assert [warm_loads(driver) for driver in ("pysqlite", "aiosqlite", "psycopg", "psycopg_async")] == [1] * 4
