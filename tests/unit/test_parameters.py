"""Parameters of a scenario: what they may be, and how a scenario with values of them is named."""

from __future__ import annotations

import pytest

from bench.catalogue import find_scenario
from bench.errors import BenchError
from scenarios import SCENARIOS
from scenarios.first_page import FIRST_PAGE
from scenarios.one_to_many import ONE_TO_MANY


def test_a_scenario_is_asked_for_with_values_in_square_brackets() -> None:
    found = find_scenario("first_page[limit=5, offset=10]")

    assert found.selections[0].limit == 5
    assert found.selections[0].offset == 10
    assert found.name == "first_page[limit=5,offset=10]"


def test_a_value_that_is_the_default_is_no_part_of_the_name() -> None:
    assert find_scenario("first_page[index=yes,limit=20]").name == "first_page"
    assert find_scenario("first_page[offset=7,index=yes]").name == find_scenario("first_page[offset=7]").name


@pytest.mark.parametrize("scenario", [one for one in SCENARIOS if one.parameters], ids=lambda scenario: scenario.name)
def test_every_default_is_a_value_that_the_parameter_may_have_and_has_a_sentence(scenario: object) -> None:
    for parameter in scenario.parameters:  # type: ignore[attr-defined]
        assert parameter.parse(str(parameter.default)) == parameter.default
        assert parameter.help.endswith(".")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("first_page[limit=0]", "limit=0: it is a whole number from 1 to 1,000,000."),
        ("first_page[limit=-1]", "limit=-1: it is a whole number"),
        ("first_page[limit=2.5]", r"limit=2\.5: it is a whole number"),
        ("first_page[limit=9999999999999]", "it is a whole number from 1"),
        ("first_page[index=maybe]", "index=maybe: it is yes or no."),
        ("first_page[limits=5]", "has no parameter 'limits'; did you mean 'limit'?"),
        ("first_page[]", "is not a scenario with values"),
        ("first_page[limit]", "is not a scenario with values"),
        ("first_page[limit=5,]", "is not a scenario with values"),
        ("one_to_one[limit=5]", "one_to_one has no parameters"),
        ("first_pag[limit=5]", "no scenario 'first_pag'; did you mean 'first_page'?"),
    ],
)
def test_what_a_parameter_may_not_be_is_refused_in_a_sentence(name: str, said: str) -> None:
    with pytest.raises(BenchError, match=said):
        find_scenario(name)


def test_a_scenario_without_values_is_itself() -> None:
    assert find_scenario("first_page") is FIRST_PAGE
    assert ONE_TO_MANY.configured({}) is ONE_TO_MANY
