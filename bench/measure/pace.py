"""Pace: what a budget buys. Five workers first, then the rarer samples, then rounds, then more workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from bench.model import Sampling
from bench.model.run import FEWEST_WORKERS

MOST_WORKERS = 7
MOST_ROUNDS = 20
"""What a budget buys at the most of each: beyond it a small case would cost minutes and say no more."""

FORGIVEN = 1.1
"""Times the budget that may be spent on the five workers: without them there is no interval."""

Clock = Callable[[], float]


@dataclass(slots=True)
class Pace:
    """Keeps the time of one case. Where workers and rounds are fixed it has nothing to decide.

    clock: seconds, monotonic. The loop tells it when a worker and a round begin and end, and what of a round went
    into samples under other collector policies than the quiet one, which cost as much again and can be left out.
    """

    sampling: Sampling
    clock: Clock
    began_s: float
    _worker_from_s: float = 0.0
    _until_s: float = 0.0
    _round_from_s: float = 0.0
    _round_collector_s: float = 0.0
    _worker_collector_s: float = 0.0
    _plain_s: float = 0.0
    _collector_s: float = 0.0
    _least_s: float = 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds of the budget that are left; None where there is none."""
        budget_s = self.sampling.budget_s
        return None if budget_s is None else max(0.0, self.began_s + budget_s - self.clock())

    @property
    def enough_s(self) -> int | None:
        """A budget that would buy five workers, in whole seconds; None where nothing is known yet."""
        return ceil(FEWEST_WORKERS * self._least_s + self._collector_s) if self._least_s else None

    def workers(self, done: int) -> int:
        """How many workers in all, when `done` of them have shown what one costs at the least."""
        budget_s = self.sampling.budget_s
        if self.sampling.workers is not None or budget_s is None or not self._least_s:
            return self.sampling.workers or FEWEST_WORKERS
        spent_s = self.clock() - self.began_s
        if done >= FEWEST_WORKERS:
            return done + (done < MOST_WORKERS and spent_s + self._least_s <= budget_s)
        return min(FEWEST_WORKERS, done + max(0, int((budget_s * FORGIVEN - spent_s) / self._least_s)))

    def excuse(self, seconds: float) -> None:
        """Leave out of the budget what has just been spent on something else than timing."""
        self.began_s += seconds

    def worker_begins(self, number: int, workers: int) -> None:
        """Give the `number`-th worker, counted from 0, as much of what is left as those that are still to come."""
        self._worker_from_s, self._worker_collector_s = self.clock(), 0.0
        self._until_s = self._worker_from_s + (self.left_s or 0.0) / max(1, workers - number)

    def round_begins(self) -> None:
        """Note when a round began."""
        self._round_from_s, self._round_collector_s = self.clock(), 0.0

    def collector_took(self, seconds: float) -> None:
        """Note what a sample under another policy than the quiet one took, all told."""
        self._round_collector_s += seconds
        self._worker_collector_s += seconds

    def round_ends(self, round_number: int) -> None:
        """Learn from a round what the next ones cost."""
        now = self.clock()
        self._plain_s = now - self._round_from_s - self._round_collector_s
        self._collector_s = max(self._collector_s, self._round_collector_s)
        if round_number == 0:
            self._least_s = max(self._least_s, now - self._worker_from_s - self._worker_collector_s)

    def collector_fits(self, number: int, round_number: int) -> bool:
        """Whether a round of a worker may sample the other collector policies: the very first may."""
        if (number, round_number) == (0, 0) or self._rounds_are_fixed():
            return True
        return self.clock() + self._plain_s + self._collector_s <= self._until_s

    def another_round(self) -> bool:
        """Whether at least half of another round fits into what this worker was given."""
        return self._rounds_are_fixed() or self.clock() + self._plain_s / 2 <= self._until_s

    def _rounds_are_fixed(self) -> bool:
        return self.sampling.budget_s is None or self.sampling.rounds is not None
