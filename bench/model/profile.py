"""Profile: what one load sent and where its time went, as plain data that a worker hands over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.model.calls import CallProfile
from bench.model.memory_use import MemoryUse
from bench.model.wire import WireBytes

Part = Literal["statement", "wait", "fetch", "rows", "objects", "walk", "gc"]
"""A part of a load's time, as the markers tell them apart; `bench.measure.phases` says where each begins and ends."""

Asking = Literal["load", "eager", "lazy", "column"]
"""Who asked for a statement: the load's own code; a loader strategy while rows were read; a loader strategy for one
entity; the ORM, for columns or a whole row of one entity (deferred, expired or refreshed)."""


SightName = Literal["memory", "flames", "memray"]
"""What is seen of a load where it was asked for, by its option: it takes far longer than what a profile always has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A statement that a load sent, once or again and again: the same text for the same purpose from the same line.

    sql: as the driver got it. executions, rows: in all. asking: who asked for it. paths: what it loads, entities
    (`User`) and relationships (`User.books`); empty where SQLAlchemy does not know. line: `file:line` of the user's
    code that had it sent, empty where none is on the stack; code: that line's text. parameters: those of the first
    execution, as SQLAlchemy gave them to the driver, each shortened to be read; more_parameters: how many of them are
    left out.
    """

    sql: str
    executions: int
    rows: int
    asking: Asking
    paths: tuple[str, ...]
    line: str
    code: str
    parameters: tuple[str, ...]
    more_parameters: int

    @property
    def is_n_plus_one(self) -> bool:
        """Whether it was sent once for each of several entities: by a loader, or by a loop in the load's own code."""
        return self.executions > 1 and self.asking != "eager"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanNode:
    """A step of a plan. operation: the database's word (`Hash Join`); detail: what it is done to, and by which index.

    All else is the database's own account of running it, None where it gives none. rows: of all loops. time_ms: of all
    loops, the steps below included. hit_blocks, read_blocks: pages found in the server's cache, and pages not in it.
    """

    operation: str
    detail: str = ""
    planned_rows: float | None = None
    rows: float | None = None
    loops: int | None = None
    time_ms: float | None = None
    hit_blocks: int | None = None
    read_blocks: int | None = None
    children: tuple[PlanNode, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPlan:
    """How a database runs a statement, with the parameters of its first execution; error: why it was not explained.

    serializing_ms, output_bytes: of turning the rows into what is sent, where the server says it (PostgreSQL 17).
    jit: whether the statement was compiled just in time; None where there is no such thing.
    """

    sql: str
    roots: tuple[PlanNode, ...] = ()
    planning_ms: float | None = None
    executing_ms: float | None = None
    serializing_ms: float | None = None
    output_bytes: int | None = None
    jit: bool | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementParts:
    """What a statement's executions took in all, ns by part; sql is empty for what belongs to no statement."""

    sql: str
    executions: int
    ns: dict[Part, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """One observed load. wall_ns: by a clock of its own, so that the parts can be held against it."""

    wall_ns: int
    statements: tuple[StatementParts, ...]

    def spent_ns(self, part: Part) -> int:
        """What a part took in all."""
        return sum(one.ns.get(part, 0) for one in self.statements)

    @property
    def residual_ns(self) -> int:
        """What no part claims."""
        return self.wall_ns - sum(sum(one.ns.values()) for one in self.statements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A load under the markers. server_ns: how long the server says it was executing; None where it says nothing."""

    phases: Phases
    server_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Loads under the markers and loads without, taken in turn in one process, the collector as the interpreter has it.

    silent: why the server says nothing of its own time; empty where it does.
    """

    observed: tuple[Observed, ...]
    unobserved_ns: tuple[int, ...]
    silent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was seen of a strategy's load on a target; error: why nothing was, the load's own words.

    died: whether its worker ended. driver: SQLAlchemy's name of it. times: None where none were asked for.
    calls, wire, memory: likewise. unseen: what of these was asked for and could not be seen, each with its reason.
    """

    scenario: str
    size: str
    target: str
    driver: str
    strategy: str
    sendings: tuple[Sending, ...] = ()
    plans: tuple[StatementPlan, ...] = ()
    times: Times | None = None
    calls: CallProfile | None = None
    wire: WireBytes | None = None
    memory: MemoryUse | None = None
    unseen: tuple[str, ...] = ()
    error: str = ""
    died: bool = False
