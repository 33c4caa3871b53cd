"""A fleet: the databases of a case's targets, all up and seeded at the same time, and gone together.

Targets that differ in their driver or their added round-trip time only share a server. Where a case has several
targets, the first of them stands in the fleet a second time, under a name of its own, on a server of its own where
servers are fresh: what the two differ by is the noise of comparing targets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from bench.databases.facts import facts_of
from bench.databases.protocol import Provider, Seeded
from bench.databases.sources import Sources
from bench.errors import DatabaseUnavailable
from bench.model import Asked, DatasetFacts, Target, TargetFacts
from bench.model.run import TWIN_MARK, AddedDelay

Seed = Callable[[Provider, Asked], Seeded]
"""Has a provider hold the case's dataset."""

Watch = Callable[[], DatabaseUnavailable | None]


@dataclass(slots=True)
class Fleet:
    """What is up: targets by their names, that of the twin among them.

    facts, datasets: by the names that were asked for.
    """

    targets: dict[str, Target] = field(default_factory=dict)
    facts: dict[str, TargetFacts] = field(default_factory=dict)
    datasets: dict[str, DatasetFacts] = field(default_factory=dict)
    _watches: dict[str, list[Watch]] = field(default_factory=dict)

    def check(self, name: str) -> None:
        """Raise DatabaseUnavailable where the target has gone away by itself, with what it said last."""
        for watch in self._watches[name]:
            if (fault := watch()) is not None:
                raise fault

    def add(self, asked: Asked, name: str, target: Target, *watches: Watch) -> None:
        """Add a target that is up."""
        self.targets[name] = replace(target, name=name, driver=asked.driver)
        self._watches[name] = list(watches)

    def repeat(self, asked: Asked, name: str) -> None:
        """Add a target that is there already under another name."""
        self.add(asked, name, self.targets[str(asked)], *self._watches[str(asked)])


def are_fresh(targets: Sequence[Asked], sources: Sources) -> bool:
    """Whether servers are compared of which each sample takes new ones: two or more, all of them made anew."""
    servers = {asked.server for asked in targets}
    return len(servers) > 1 and all(sources[server].fresh for server in servers)


@contextmanager
def fleet(targets: Sequence[Asked], sources: Sources, seed: Seed) -> Iterator[Fleet]:
    """Yield the fleet of the targets for as long as the block runs.

    Raises DatabaseUnavailable where one of them cannot be had; nothing of the others is left then either.
    """
    with ExitStack() as stack:
        up = Fleet()
        for server in dict.fromkeys(asked.server for asked in targets):
            provider = stack.enter_context(sources[server].up())
            _settle(up, [asked for asked in targets if asked.server == server], provider, seed, stack)
        if len(targets) > 1:
            _add_twin(up, targets, sources, seed, stack)
        yield up


def _settle(up: Fleet, targets: Sequence[Asked], provider: Provider, seed: Seed, stack: ExitStack) -> None:
    """Seed a server, and add the targets that are on it."""
    seeded = seed(provider, targets[0])
    for asked, target, delay, watch in _ways(targets, seeded.target, stack):
        name = str(asked)
        up.add(asked, name, target, provider.fault, watch)
        facts = facts_of(replace(seeded.target, name=name, driver=asked.driver))
        up.facts[name] = replace(facts, delay=delay, image=provider.image)
        up.datasets[name] = seeded.facts


def _add_twin(up: Fleet, targets: Sequence[Asked], sources: Sources, seed: Seed, stack: ExitStack) -> None:
    first = targets[0]
    name = str(first) + TWIN_MARK
    if not are_fresh(targets, sources):
        up.repeat(first, name)
        return
    provider = stack.enter_context(sources[first.server].up())
    ((asked, target, _, watch),) = _ways([first], seed(provider, first).target, stack)
    up.add(asked, name, target, provider.fault, watch)


def _ways(
    targets: Sequence[Asked], seeded: Target, stack: ExitStack
) -> Iterator[tuple[Asked, Target, AddedDelay | None, Watch]]:
    """Yield how each target reaches its server: straight, or through the proxy that adds to its round-trip time."""
    delays = sorted({asked.rtt_us for asked in targets if asked.rtt_us is not None})
    if not delays:
        yield from ((asked, seeded, None, lambda: None) for asked in targets)
        return
    from bench.databases.latency import delayed

    proxies = stack.enter_context(delayed(seeded, delays))
    for asked in targets:
        assert asked.rtt_us is not None
        way = proxies[asked.rtt_us]
        yield asked, way.target, way.delay, way.fault
