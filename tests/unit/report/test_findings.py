import pytest
from support.runs import make_arm, make_case, make_run, make_target, without_samples

from bench.model import DatasetOptions
from bench.reduce.crossover import crossovers
from bench.reduce.summaries import summarise
from bench.report.findings import SQLITE_NOTE, crossover_findings, findings

NOTHING_BESIDE = "nothing of another kind was timed that it could be held against."


def text_of(case):
    return "\n".join(findings(summarise(case)))


def exact(ms, turn=0):
    """Five workers that hardly differ, so that what is printed can be foretold; each `turn` differs in its own way."""
    return [[ms * (1 + (3 * at * (turn + 1) + turn) % 5 / 1e4)] for at in range(5)]


def series(sizes, **curves):
    cases = [
        make_case({name: exact(curve(n), turn) for turn, (name, curve) in enumerate(curves.items())}, size=f"1000x{n}")
        for n in sizes
    ]
    return crossovers(make_run(cases))[0]


def test_the_fastest_comes_first_and_the_slower_with_what_sets_them_apart():
    first, second, *_ = findings(summarise(make_case()))
    assert first.startswith("selectin is the fastest, at 200 ms (")
    assert "joined takes 1.35x as long (1.31" in first
    assert first.endswith("50,000 rows came back, 49,000 of them repeat a parent.")
    assert "1,001 statements went out, against 3; subquery takes 1.40x as long" in second


def test_strategies_that_tie_are_named_together_and_not_called_slower():
    times = {"selectin": exact(100.0), "selectin[100]": exact(100.0, 1), "joined": exact(140.0)}
    first = findings(summarise(make_case(times)))[0]
    assert "selectin and selectin[100] tie" in first or "selectin[100] and selectin tie" in first
    assert "joined takes 1.4" in first


def test_a_strategy_alone_is_compared_with_nothing():
    assert "no other strategy was timed beside it" in findings(summarise(make_case({"selectin": 100.0})))[0]


def test_a_wrong_arm_is_named_first_with_its_difference_and_never_as_slower_or_faster():
    case = make_case({"selectin": 100.0}, wrong={"joined_inner": "User 7 is\nmissing."})
    first, *others = findings(summarise(case))
    assert first == "joined_inner is wrong and not ranked: User 7 is missing."
    assert not any("joined_inner" in sentence for sentence in others)


@pytest.mark.parametrize("fault", ["failed", "died"])
def test_an_arm_that_failed_or_died_is_not_called_wrong(fault):
    arm = make_arm("selectin", None, error="The load raised X", fault=fault)
    found = findings(summarise(make_case({"joined": 100.0, "lazy": 120.0}, arms=[arm])))
    assert found[0] == "selectin was not timed: The load raised X."
    assert any("here it was not timed, so it cannot be held against the others" in sentence for sentence in found)
    assert not any("wrong" in sentence for sentence in found)


def test_a_floor_that_failed_is_said_to_have_no_time():
    case = make_case({"selectin": 100.0}, arms=[make_arm("lazy", None, kind="floor", error="The load raised X")])
    assert findings(summarise(case))[0] == "lazy (floor) was not timed: The load raised X."


def test_fewer_than_five_workers_claim_nothing_about_time():
    found = text_of(make_case(workers=2))
    assert "Nothing is claimed about time: 2 workers sampled it, and an interval needs 5." in found
    assert "this look cannot say whether it holds" in found
    assert " tie " not in found
    assert "is the fastest" not in found
    assert "as long" not in found


def test_counts_are_told_even_where_times_may_not_be():
    found = text_of(make_case(workers=1))
    assert "joined and contains_eager: 50,000 rows came back, 49,000 of them repeat a parent" in found
    assert "lazy and immediate: 1,001 statements went out, against 3" in found


def test_what_a_wrong_arm_fetched_explains_nothing():
    found = findings(summarise(make_case(workers=1, wrong={"joined_inner": "User 7 is missing."})))
    assert not any("joined_inner" in sentence for sentence in found[1:])


def test_a_case_without_times_says_so_and_no_more_than_its_counts():
    first, second = findings(summarise(without_samples(make_case())))
    assert first == "Nothing was timed, so nothing is said about time."
    assert second.startswith("The counts are exact all the same.")


@pytest.mark.parametrize(
    ("times", "ending"),
    [
        ({"selectin": 100.0, "joined": 140.0}, "here it holds."),
        (
            {"selectin": exact(100.0), "joined": exact(100.01, 1)},
            "here it ties with joined, nothing speaks for or against it.",
        ),
        (
            {"joined": exact(100.0), "selectin": exact(100.001, 1), "lazy": exact(100.001, 2)},
            "here it ties with joined and lazy, nothing speaks for or against it.",
        ),
        (
            {"selectin": exact(100.0), "selectin[50]": exact(90.0), "joined": 140.0},
            "here it holds, selectin[50] being the fastest of that kind.",
        ),
        (
            {"selectin": exact(100.0), "selectin[50]": exact(90.0), "joined": exact(90.0, 1)},
            "here it ties with joined, nothing speaks for or against it.",
        ),
        ({"selectin": exact(100.0), "selectin[50]": exact(100.0, 1), "joined": exact(140.0)}, "here it holds."),
        ({"selectin": 100.0}, NOTHING_BESIDE),
        ({"selectin": 100.0, "selectin[50]": 140.0}, NOTHING_BESIDE),
        ({"selectin": 100.0, "selectin[50]": 90.0}, NOTHING_BESIDE),
        ({"joined": 100.0, "lazy": 140.0}, "it was not measured here."),
    ],
    ids=[
        "fastest",
        "ties",
        "ties behind",
        "its kind",
        "its kind ties",
        "ties with kin",
        "alone",
        "kin alone",
        "kin first",
        "absent",
    ],
)
def test_the_rule_of_thumb_stands_beside_what_was_measured(times, ending):
    (rule,) = [line for line in findings(summarise(make_case(times))) if line.startswith("The rule of thumb")]
    assert rule.startswith("The rule of thumb says selectin (selectinload for collections: ")
    assert rule.endswith(ending)


def test_a_rule_that_does_not_hold_is_said_not_to_with_its_ratio():
    found = text_of(make_case({"joined": exact(100.0), "selectin": exact(120.0)}))
    assert "here it does not hold, selectin takes 1.20x as long as joined (1.20" in found


def test_a_rule_whose_strategy_is_wrong_is_not_held_against_the_others():
    found = text_of(make_case({"joined": 100.0, "lazy": 120.0}, wrong={"selectin": "User 7 is missing."}))
    assert "here it is wrong, so it cannot be held against the others" in found


def test_a_collector_that_costs_more_than_the_load_is_told_with_the_setting_that_was_measured():
    case = make_case({"selectin": exact(100.0)}, collectors={"default": 3.9, "tuned": 1.3})
    found = text_of(case)
    assert "With Python's default garbage collector selectin takes 3.90x its quiet time" in found
    assert "gc.set_threshold(50_000, 20, 100) brings that to 1.30x" in found


def test_the_collector_is_told_of_a_strategy_that_was_sampled_with_the_setting():
    tuned = make_arm("joined", exact(140.0), collectors={"default": 2.5, "tuned": 1.2})
    found = text_of(make_case({"selectin": exact(100.0)}, collectors={"default": 3.9}, arms=[tuned]))
    assert "joined takes 2.50x its quiet time" in found
    assert "selectin takes 3.90x" not in found


def test_a_setting_that_was_not_measured_is_not_recommended():
    found = text_of(make_case({"selectin": exact(100.0)}, collectors={"default": 3.9}))
    assert "takes 3.90x its quiet time" in found
    assert "set_threshold" not in found


def test_a_cheap_collector_is_no_finding():
    assert "garbage collector" not in text_of(make_case(collectors={"default": 1.9, "tuned": 1.1}))


def test_on_sqlite_the_ratios_must_not_be_carried_over_to_a_server():
    assert SQLITE_NOTE in findings(summarise(make_case()))
    elsewhere = make_target(name="postgresql", dialect="postgresql", driver="psycopg")
    assert SQLITE_NOTE not in findings(summarise(make_case(target=elsewhere)))


def test_a_crossover_is_told_with_its_place_and_its_bracket():
    found = crossover_findings(series((2, 100), joined=float, selectin=lambda n: (10 * n) ** 0.5))
    assert found == ("From about 10 children per parent on, selectin beats joined (between 1000x2 and 1000x100).",)


def test_a_tie_on_the_way_does_not_undo_a_crossover():
    tie = {2: 10.0, 10: 20.0, 100: 40.0}
    found = crossover_findings(series(tie, joined=lambda n: {2: 5.0, 10: 20.0002, 100: 90.0}[n], selectin=tie.get))
    assert len(found) == 1
    assert found[0].endswith("on, selectin beats joined (between 1000x2 and 1000x100).")


def test_a_tie_that_flickers_on_the_way_is_one_crossover_and_not_three():
    joined = {1: 5.0, 10: 20.002, 20: 30.0, 50: 60.002, 100: 90.0}
    selectin = {1: 9.0, 10: 20.0, 20: 30.002, 50: 60.0, 100: 50.0}
    found = crossover_findings(series(joined, joined=joined.__getitem__, selectin=selectin.__getitem__))
    assert len(found) == 1
    assert found[0].endswith("on, selectin beats joined (between 1000x1 and 1000x100).")


def test_a_lead_that_does_not_last_is_not_said_to_be_for_good():
    found = crossover_findings(
        series((1, 10, 100), joined=lambda n: 10.0, selectin=lambda n: {1: 20.0, 10: 5.0, 100: 20.0}[n])
    )
    assert len(found) == 2
    assert found[0].endswith("selectin overtakes joined (between 1000x1 and 1000x10), but not for good.")
    assert found[1].endswith("on, joined beats selectin (between 1000x10 and 1000x100).")


def test_a_strategy_that_is_overtaken_again_behind_a_third_one_is_not_said_to_win_from_there_on():
    joined = {1: 1.0, 2: 2.0, 5: 5.0, 10: 8.0, 20: 15.0, 50: 40.0}
    selectin = {1: 2.0, 2: 2.2, 5: 3.0, 10: 5.0, 20: 16.0, 50: 30.0}  # 1.33x faster at 50, where lazy is the best
    found = crossover_findings(
        series(joined, joined=joined.__getitem__, selectin=selectin.__getitem__, lazy=lambda n: 20.0)
    )
    assert found == (
        "At about 2.3 children per parent selectin overtakes joined (between 1000x2 and 1000x5), but not for good.",
        "At about 18 children per parent joined overtakes selectin (between 1000x10 and 1000x20), but not for good.",
        "From about 26 children per parent on, lazy beats joined (between 1000x20 and 1000x50).",
    )


def test_a_size_after_a_crossover_at_which_the_two_are_level_is_named():
    joined = {1: 5.0, 10: 20.0, 20: 30.0}
    found = crossover_findings(series(joined, joined=joined.__getitem__, selectin={1: 9.0, 10: 15.0, 20: 29.9999}.get))
    assert len(found) == 1
    assert found[0].endswith("(between 1000x1 and 1000x10), save at 1000x20, where neither is clear of the other.")


def test_a_change_between_strategies_that_were_not_both_timed_is_not_one_winner_throughout():
    cases = [make_case({name: exact(5.0)}, size=size) for name, size in (("joined", "10x1"), ("selectin", "10x5"))]
    assert crossover_findings(crossovers(make_run(cases))[0]) == ()


def test_strategies_that_tie_all_the_way_have_no_crossover():
    found = crossover_findings(
        series((1, 10, 100), joined=lambda n: 10.0, contains_eager=lambda n: {1: 9.9999, 10: 10.0001, 100: 9.9999}[n])
    )
    assert len(found) == 1
    assert found[0].endswith("no crossover is claimed.")


def test_one_winner_throughout_is_named_once():
    found = crossover_findings(series((1, 10), selectin=lambda n: 5.0, joined=lambda n: 9.0))
    assert found == ("selectin is the fastest at every size from 1000x1 to 1000x10.",)


def test_a_series_without_intervals_claims_nothing():
    cases = [make_case({"selectin": 5.0, "joined": 9.0}, size=f"10x{n}", workers=1) for n in (1, 2)]
    (found,) = crossover_findings(crossovers(make_run(cases))[0])
    assert found.endswith("without intervals nothing is claimed.")


def test_a_series_without_times_says_nothing():
    cases = [without_samples(make_case(size=size, dataset=DatasetOptions(seed=3))) for size in ("10x1", "10x5")]
    assert crossover_findings(crossovers(make_run(cases))[0]) == ()
