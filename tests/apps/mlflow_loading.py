"""MLflow's runs and traces: texts as keys, keys of several columns, rows that refer to two columns of others."""

from __future__ import annotations

from mlflow.store.tracking.dbmodels.models import SqlRun, SqlTraceInfo

from bench import scenario_of

RUNS = scenario_of(SqlRun, "params", "tags", "experiment")
TRACES = scenario_of(SqlTraceInfo, "spans.metrics", "tags")
