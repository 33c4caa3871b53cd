"""Optuna's trials, with parameters and values of theirs: whole numbers as keys, unique by a trial and a place."""

from __future__ import annotations

from optuna.storages._rdb.models import TrialModel

from bench import scenario_of

TRIALS = scenario_of(TrialModel, "params", "values")
