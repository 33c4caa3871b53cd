import dataclasses
import math

import pytest
from support.runs import make_arm, make_case, make_run, typical_times, without_samples

from bench.model import DatasetOptions, Size
from bench.reduce.crossover import crossovers, is_clear
from bench.reduce.summaries import summarise, summarise_all


def exact(ms, workers=5):
    return [[ms, ms]] * workers


def case_of(size, **fixed):
    return make_case({name: exact(ms) for name, ms in fixed.items()}, size=size)


def test_cases_that_differ_in_one_number_are_a_series_in_growing_order():
    run = make_run(case_of(size, selectin=1.0) for size in ("1000x50", "1000x1", "1000x5"))
    (series,) = crossovers(run)
    assert (series.axis, series.fixed) == ("children", "1000xn")
    assert [str(case.case.spec.size) for case in series.cases] == ["1000x1", "1000x5", "1000x50"]


def test_a_grid_of_sizes_is_a_series_for_each_row_and_column():
    run = make_run(case_of(size, selectin=1.0) for size in ("10x1", "10x5", "100x1", "100x5"))
    found = {(series.axis, series.fixed, len(series.cases)) for series in crossovers(run)}
    assert found == {
        ("parents", "nx1", 2), ("parents", "nx5", 2), ("children", "10xn", 2), ("children", "100xn", 2),
    }  # fmt: skip


def test_a_third_number_is_a_level_of_its_own():
    run = make_run(case_of(size, selectin=1.0) for size in ("10x5x1", "10x5x9"))
    (series,) = crossovers(run)
    assert (series.axis, series.fixed) == ("grandchildren", "10x5xn")


@pytest.mark.parametrize(
    "cases",
    [
        [],
        [case_of("10x5", selectin=1.0)],
        [case_of("10x5", selectin=1.0), case_of("20x9", selectin=1.0)],
        [
            make_case({"selectin": exact(1.0)}, size="10x5"),
            make_case({"selectin": exact(1.0)}, size="10x9", dataset=DatasetOptions(order="shuffled")),
        ],
        [case_of("10x5", selectin=1.0), case_of("10x5", selectin=2.0)],
    ],
    ids=["no case", "one", "two numbers differ", "the datasets differ", "the same size twice"],
)
def test_what_differs_in_more_than_one_number_is_no_series(cases):
    assert crossovers(make_run(cases)) == ()


def test_the_crossing_is_where_straight_lines_on_logarithmic_scales_meet():
    # joined = n, selectin = sqrt(10 n) in ms: straight lines on logarithmic scales, equal at n = 10.
    cases = [case_of(f"1000x{n}", joined=float(n), selectin=math.sqrt(10 * n)) for n in (2, 100)]
    (point,) = crossovers(make_run(cases))[0].points
    assert (point.winner_before, point.winner_after) == ("joined", "selectin")
    assert (str(point.before.size), str(point.after.size)) == ("1000x2", "1000x100")
    assert point.at == pytest.approx(10, rel=1e-6)
    assert point.certain


def test_noise_at_one_end_makes_a_crossing_uncertain():
    sizes = (1, 9, 11, 50)
    cases = [make_case(typical_times(f"1000x{n}"), size=f"1000x{n}", spread=0.05) for n in sizes]
    points = crossovers(make_run(cases))[0].points
    assert points
    assert not any(point.certain for point in points)


def test_an_interval_inside_the_noise_floor_is_not_clear():
    near, far = case_of("10x5", selectin=100.0, joined=103.0), case_of("10x5", selectin=100.0, joined=140.0)
    twin = make_arm("selectin", [[ms] for ms in (95.0, 98.0, 100.0, 102.0, 105.0)], kind="twin")
    same = {"selectin": exact(100.0), "joined": exact(103.0)}
    assert is_clear("selectin", "joined", summarise(near))
    assert is_clear("selectin", "joined", summarise(far))
    assert not is_clear("joined", "selectin", summarise(far))
    assert not is_clear("selectin", "joined", summarise(make_case(same, twin=False, arms=[twin])))
    assert not is_clear("selectin", "joined", summarise(make_case({"selectin": 1.0, "joined": 9.0}, workers=4)))


def test_one_strategy_is_clear_of_another_by_their_own_ratio_whoever_is_the_best():
    case = summarise(case_of("10x5", lazy=10.0, selectin=30.0, joined=40.0))
    assert is_clear("selectin", "joined", case)
    assert not is_clear("joined", "selectin", case)
    assert not is_clear("selectin", "lazy", case)


@pytest.mark.parametrize("sizes", [("10x0", "10x5"), ("10x0", "10x5", "10x50"), ("0x5", "10x5"), ("0x0", "0x1")])
def test_a_size_of_nothing_in_a_run_file_is_no_part_of_a_series(sizes):
    cases = [case_of("10x5", joined=1.0 + at, selectin=9.0 - 4 * at) for at in range(len(sizes))]
    specs = [
        dataclasses.replace(case.spec, size=Size(tuple(map(int, size.split("x")))))
        for size, case in zip(sizes, cases, strict=True)
    ]
    run = make_run(dataclasses.replace(case, spec=spec) for case, spec in zip(cases, specs, strict=True))
    counted = [[str(case.case.spec.size) for case in series.cases] for series in crossovers(run)]
    assert counted == ([["10x5", "10x50"]] if len(sizes) > 2 else [])


def test_a_case_without_times_is_passed_over():
    cases = [
        case_of("1000x2", joined=2.0, selectin=4.0),
        without_samples(case_of("1000x5", joined=5.0, selectin=7.0)),
        case_of("1000x100", joined=100.0, selectin=30.0),
    ]
    (point,) = crossovers(make_run(cases))[0].points
    assert (str(point.before.size), str(point.after.size)) == ("1000x2", "1000x100")


def test_a_winner_that_was_not_timed_at_the_other_end_gives_no_point():
    cases = [case_of("1000x2", joined=2.0), case_of("1000x100", selectin=30.0)]
    assert crossovers(make_run(cases))[0].points == ()


def test_summaries_that_are_at_hand_are_not_made_again():
    run = make_run([case_of("10x5", selectin=1.0), case_of("10x9", selectin=1.0)])
    summaries = summarise_all(run)
    (series,) = crossovers(run, summaries=summaries)
    assert all(case is summary for case, summary in zip(series.cases, summaries, strict=True))
