import random

from hypothesis import given
from hypothesis import strategies as st

from bench.measure.schedule import LEAST_ROUNDS, RARE, Key, Task, far_above, round_tasks
from bench.model import Arm

ON = "sqlite"


def keys(*names: str) -> frozenset[Key]:
    return frozenset((ON, name) for name in names)


def times(**by_name: list[int]) -> dict[Key, list[int]]:
    return {(ON, name): taken for name, taken in by_name.items()}


def arms(*names: str) -> list[Arm]:
    strategies = [Arm(name=name, kind="strategy", strategy=name, summary="", target=ON) for name in names]
    floors = [Arm(name=f"{name} (floor)", kind="floor", strategy=name, summary="", target=ON) for name in names]
    return [*strategies, Arm(name="a (twin)", kind="twin", strategy="a", summary="", target=ON), *floors]


def tasks(
    round_number: int, *, seed: int = 1, stopped: frozenset[Key] = frozenset(), collectors: bool = True
) -> list[Task]:
    return round_tasks(
        arms("a", "b", "c"),
        round_number=round_number,
        collectors=collectors,
        stopped=stopped,
        tuned=keys("b"),
        shuffle=random.Random(seed),
    )


def test_an_ordinary_round_holds_each_strategy_and_the_twin_once_quiet() -> None:
    assert sorted((task.arm.name, task.collector) for task in tasks(1)) == [
        ("a", "quiet"),
        ("a (twin)", "quiet"),
        ("b", "quiet"),
        ("c", "quiet"),
    ]


def test_the_first_round_and_each_fourth_after_it_also_hold_the_rarer_samples() -> None:
    for number in (0, RARE, 2 * RARE):
        rare = {(task.arm.name, task.collector) for task in tasks(number)} - {
            (task.arm.name, task.collector) for task in tasks(number + 1)
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
        return task.arm.name, task.collector

    assert tasks(number, seed=one) == tasks(number, seed=one)
    assert sorted(tasks(number, seed=one), key=key) == sorted(tasks(number, seed=other), key=key)


def test_orders_of_successive_rounds_differ() -> None:
    assert len({tuple(tasks(1, seed=seed)) for seed in range(50)}) > 10


def test_a_stopped_arm_takes_no_part() -> None:
    assert "c" not in {task.arm.name for task in tasks(0, stopped=keys("c"))}


def test_an_arm_is_far_above_only_when_every_round_says_so() -> None:
    quiet = times(a=[100, 100], b=[201, 205], c=[300, 199])

    assert far_above(arms("a", "b", "c"), [quiet]) == keys("b")


def test_no_arm_is_stopped_before_its_least_rounds() -> None:
    quiet = times(a=[100] * (LEAST_ROUNDS - 1), b=[1000] * (LEAST_ROUNDS - 1))

    assert far_above(arms("a", "b"), [quiet]) == frozenset()


def test_the_baseline_is_kept_for_its_twins_sake_however_slow() -> None:
    quiet = times(a=[1000, 1000], b=[100, 100])

    assert far_above(arms("a", "b"), [quiet]) == frozenset()


def test_without_time_for_the_other_collector_policies_the_floors_are_taken_all_the_same() -> None:
    assert {(task.arm.name, task.collector) for task in tasks(0, collectors=False)} - {
        (task.arm.name, task.collector) for task in tasks(1)
    } == {("a (floor)", "quiet"), ("b (floor)", "quiet"), ("c (floor)", "quiet")}


def test_an_arm_that_was_nearer_in_an_earlier_worker_is_not_far_above() -> None:
    quiet = times(a=[100, 100], b=[500, 500])

    assert far_above(arms("a", "b"), [times(a=[100], b=[190]), quiet]) == frozenset()
    assert far_above(arms("a", "b"), [times(a=[100], b=[210]), quiet]) == keys("b")


def test_a_strategy_that_is_near_on_one_target_is_sampled_on_all() -> None:
    on = {
        target: [Arm(name=name, kind="strategy", strategy=name, summary="", target=target) for name in "ab"]
        for target in ("near", "far")
    }
    quiet = {
        ("near", "a"): [100, 100],
        ("near", "b"): [150, 150],
        ("far", "a"): [100, 100],
        ("far", "b"): [900, 900],
    }
    everywhere = {**quiet, ("near", "b"): [300, 300]}

    assert far_above([*on["near"], *on["far"]], [quiet]) == frozenset()
    assert far_above([*on["near"], *on["far"]], [everywhere]) == frozenset({("near", "b"), ("far", "b")})
