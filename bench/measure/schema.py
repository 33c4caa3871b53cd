"""The schema as the database has it: what the scenario's tables really are, a line for each part."""

from __future__ import annotations

from sqlalchemy import Engine, MetaData

_SQLITE = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN ({tables})"

_COLLATION = "SELECT datcollate FROM pg_database WHERE datname = current_database()"

_POSTGRESQL = """
WITH relations AS (SELECT to_regclass(name) AS oid FROM unnest(ARRAY[{tables}]) AS name)
SELECT 'column ' || attrelid::regclass || '.' || quote_ident(attname) || ' ' || format_type(atttypid, atttypmod)
       || CASE WHEN attnotnull THEN ' not null' ELSE '' END
       || coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
  FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE attrelid IN (SELECT oid FROM relations) AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'constraint on ' || conrelid::regclass || ': ' || pg_get_constraintdef(oid, true)
  FROM pg_constraint WHERE conrelid IN (SELECT oid FROM relations) AND contype <> 'n'
UNION ALL
SELECT pg_get_indexdef(indexrelid, 0, true) || CASE WHEN indisvalid THEN '' ELSE ' (not valid)' END
  FROM pg_index WHERE indrelid IN (SELECT oid FROM relations)
"""
"""A NOT NULL is a constraint of its own from PostgreSQL 18 on; it stands with the column. Tables are named as the
search path finds them, so that it makes no difference which schema they are in."""


def schema_lines(engine: Engine, metadata: MetaData) -> list[str]:
    """Return columns, keys, constraints and indexes of the tables as the database's own catalogue has them, sorted."""
    if engine.dialect.name == "sqlite":
        query, names = _SQLITE, [table.name for table in metadata.sorted_tables]
    else:
        query, names = _POSTGRESQL, list(map(engine.dialect.identifier_preparer.format_table, metadata.sorted_tables))
    with engine.connect() as connection:
        found = connection.exec_driver_sql(query.format(tables=", ".join(map(_literal, names)))).all()
    return sorted(" ".join(str(line).split()) for (line,) in found)


def collation(engine: Engine) -> str:
    """Return the collation of a PostgreSQL database, by which its planner may use an index; elsewhere none."""
    if engine.dialect.name != "postgresql":
        return ""
    with engine.connect() as connection:
        return str(connection.exec_driver_sql(_COLLATION).scalar_one())


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
