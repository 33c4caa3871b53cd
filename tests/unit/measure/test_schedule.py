import random

from hypothesis import given
from hypothesis import strategies as st

from bench.measure.schedule import LEAST_ROUNDS, RARE, Task, far_above, round_tasks
from bench.model import Arm


def arms(*names: str) -> list[Arm]:
    strategies = [Arm(name=name, kind="strategy", strategy=name, summary="") for name in names]
    floors = [Arm(name=f"{name} (floor)", kind="floor", strategy=name, summary="") for name in names]
    return [*strategies, Arm(name="a (twin)", kind="twin", strategy="a", summary=""), *floors]


def tasks(
    round_number: int, *, seed: int = 1, stopped: frozenset[str] = frozenset(), collectors: bool = True
) -> list[Task]:
    return round_tasks(
        arms("a", "b", "c"),
        round_number=round_number,
        collectors=collectors,
        stopped=stopped,
        tuned=frozenset({"b"}),
        shuffle=random.Random(seed),
    )


def test_an_ordinary_round_holds_each_strategy_and_the_twin_once_quiet() -> None:
    assert sorted((task.arm, task.collector) for task in tasks(1)) == [
        ("a", "quiet"),
        ("a (twin)", "quiet"),
        ("b", "quiet"),
        ("c", "quiet"),
    ]


def test_the_first_round_and_each_fourth_after_it_also_hold_the_rarer_samples() -> None:
    for number in (0, RARE, 2 * RARE):
        rare = {(task.arm, task.collector) for task in tasks(number)} - {
            (task.arm, task.collector) for task in tasks(number + 1)
        }
        assert rare == {
            ("a (floor)", "quiet"),
            ("b (floor)", "quiet"),
            ("c (floor)", "quiet"),
            ("a", "default"),
            ("b", "default"),
            ("c", "default"),
            ("b", "tuned"),
        }


@given(st.integers(0, 50), st.integers(0, 2**32), st.integers(0, 2**32))
def test_the_seed_shuffles_the_order_and_changes_nothing_else(number: int, one: int, other: int) -> None:
    def key(task: Task) -> tuple[str, str]:
        return task.arm, task.collector

    assert tasks(number, seed=one) == tasks(number, seed=one)
    assert sorted(tasks(number, seed=one), key=key) == sorted(tasks(number, seed=other), key=key)


def test_orders_of_successive_rounds_differ() -> None:
    assert len({tuple(tasks(1, seed=seed)) for seed in range(50)}) > 10


def test_a_stopped_arm_takes_no_part() -> None:
    assert "c" not in {task.arm for task in tasks(0, stopped=frozenset({"c"}))}


def test_an_arm_is_far_above_only_when_every_round_says_so() -> None:
    quiet = {"a": [100, 100], "b": [201, 205], "c": [300, 199]}

    assert far_above(arms("a", "b", "c"), [quiet]) == frozenset({"b"})


def test_no_arm_is_stopped_before_its_least_rounds() -> None:
    quiet = {"a": [100] * (LEAST_ROUNDS - 1), "b": [1000] * (LEAST_ROUNDS - 1)}

    assert far_above(arms("a", "b"), [quiet]) == frozenset()


def test_the_baseline_is_kept_for_its_twins_sake_however_slow() -> None:
    quiet = {"a": [1000, 1000], "b": [100, 100]}

    assert far_above(arms("a", "b"), [quiet]) == frozenset()


def test_without_time_for_the_other_collector_policies_the_floors_are_taken_all_the_same() -> None:
    assert {(task.arm, task.collector) for task in tasks(0, collectors=False)} - {
        (task.arm, task.collector) for task in tasks(1)
    } == {("a (floor)", "quiet"), ("b (floor)", "quiet"), ("c (floor)", "quiet")}


def test_an_arm_that_was_nearer_in_an_earlier_worker_is_not_far_above() -> None:
    quiet = {"a": [100, 100], "b": [500, 500]}

    assert far_above(arms("a", "b"), [{"a": [100], "b": [190]}, quiet]) == frozenset()
    assert far_above(arms("a", "b"), [{"a": [100], "b": [210]}, quiet]) == frozenset({"b"})
