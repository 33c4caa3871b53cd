"""What measuring code has to say while it works: plain values that it yields; whoever draws them decides how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.model import Arm, Case, CaseSpec, Warned

Stage = Literal["preparing", "seeding", "observing", "timing", "profiling"]

Unit = Literal["worker", "pair", "fresh pair"]
"""What a team of workers is called: of a run, and of the gate's screening and decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStarted:
    """A case begins: the `number`-th of `of`, counted from 1."""

    number: int
    of: int
    spec: CaseSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarted:
    """A stage of the case under way begins; `detail` is a phrase for a reader."""

    stage: Stage
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmObserved:
    """An arm was verified, counted and its memory measured, or failed in it (`arm.error`)."""

    arm: Arm
    done: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioning:
    """Fresh servers are brought up for the `worker`-th of `workers`, counted from 1."""

    worker: int
    workers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """A timed load was taken, or a round of them is complete.

    worker: counted from 1. round: how many rounds of this worker are complete, so 0 in its first. rounds: how many
    it takes, None where the budget decides. left_s: what is left of the timing's budget, None without one. unit: what
    is counted as a worker.
    """

    worker: int
    workers: int
    round: int
    rounds: int | None
    samples: int
    left_s: float | None
    unit: Unit = "worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubted:
    """Something makes the numbers doubtful, or was left out."""

    warning: Warned


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFinished:
    """A case is complete and stored."""

    case: Case


Event = CaseStarted | StageStarted | ArmObserved | Provisioning | Sampled | Doubted | CaseFinished
