from pathlib import Path

from sqlalchemy.orm import Session
from support.library import library

from bench.catalogue import is_available
from bench.measure.floor import read_sent, replay, write_sent
from bench.measure.statements import counting
from scenarios.one_to_many import ONE_TO_MANY


def test_the_floor_fetches_the_very_rows_that_the_strategy_did(tmp_path: Path) -> None:
    for strategy in filter(is_available, ONE_TO_MANY.strategies):
        engine = library(3, 1, 2)
        with Session(engine) as session, counting(engine) as tally:
            ONE_TO_MANY.load(session, strategy)
        write_sent(tally.sent, tmp_path / "sent")
        connection = engine.raw_connection()

        fetched = replay(connection.dbapi_connection, read_sent(tmp_path / "sent"))

        assert len(fetched) == tally.counters().statements
        assert sum(map(len, fetched)) == tally.counters().rows
        connection.close()
