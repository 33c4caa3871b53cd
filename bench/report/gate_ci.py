"""The outcome of the gate for machines: JUnit's XML, and the annotations that GitHub shows in a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from bench.model.baseline import Place
from bench.reduce.gate import FAILING, Checked, Finding, Verdict, name_of
from bench.report.gate import about, reason

SCHEMA = "schema"

_LEVELS: Mapping[Verdict, str] = {"worse": "error", "changed": "error", "better": "notice", "noted": "warning"}

MOST_ANNOTATIONS = 10
"""GitHub shows as many errors, and as many warnings, of one step."""


def junit_xml(checked: Checked) -> str:
    """Return JUnit's XML: a test case for each load, and for each schema that differs; a place is its class."""
    by_load: dict[tuple[Place, str], list[Finding]] = {load: [] for load in checked.compared}
    for finding in checked.findings:
        by_load.setdefault((finding.place, finding.strategy), []).append(finding)
    failures = sum(any(each.verdict in FAILING for each in found) for found in by_load.values())
    skipped = sum(_is_skipped(load, found, checked) for load, found in by_load.items())
    suite = ElementTree.Element(
        "testsuite",
        {"name": "bench check", "tests": str(len(by_load)), "failures": str(failures), "errors": "0",
         "skipped": str(skipped), "time": "0"},
    )  # fmt: skip
    for load, found in by_load.items():
        _add_case(suite, load, found, skipped=_is_skipped(load, found, checked))
    ElementTree.SubElement(suite, "system-out").text = _clean("\n".join([reason(checked), *checked.notes]))
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def github_annotations(checked: Checked, *, file: str) -> Iterator[str]:
    """Yield GitHub's workflow commands, one a finding. file: what a finding of the catalogue is shown at."""
    for finding in checked.findings[:MOST_ANNOTATIONS]:
        path, colon, _ = finding.place.scenario.rpartition(":")
        at = path if colon and ".py:" in finding.place.scenario else file
        title = f"Loading is {finding.verdict}" if finding.verdict in ("worse", "better") else "Loading has changed"
        message = "\n".join([about(finding), *(text for pair in finding.code for text in pair)])
        yield f"::{_LEVELS[finding.verdict]} file={_property(at)},title={_property(title)}::{_message(message)}"


def checked_data(checked: Checked) -> dict[str, Any]:
    """Return the outcome as plain data: what `--json` prints."""
    return {
        "failed": bool(checked.failing),
        "reason": reason(checked),
        "compared": [_of(place, strategy) for place, strategy in checked.compared],
        "findings": [
            {
                **_of(finding.place, finding.strategy),
                "verdict": finding.verdict,
                "says": finding.says,
                "code": [{"says": said, "code": code} for said, code in finding.code],
            }
            for finding in checked.findings
        ],
        "notes": list(checked.notes),
    }


def _of(place: Place, strategy: str) -> dict[str, str]:
    return {"scenario": place.scenario, "size": place.size, "database": place.database, "strategy": strategy}


def _is_skipped(load: tuple[Place, str], found: list[Finding], checked: Checked) -> bool:
    """Whether a load was not compared, for a reason that fails nothing."""
    return bool(load[1]) and load not in checked.compared and not any(each.verdict in FAILING for each in found)


def _add_case(suite: ElementTree.Element, load: tuple[Place, str], found: list[Finding], *, skipped: bool) -> None:
    place, strategy = load
    name = _clean(strategy or SCHEMA)
    case = ElementTree.SubElement(suite, "testcase", {"classname": _clean(name_of(place)), "name": name, "time": "0"})
    failing = [finding for finding in found if finding.verdict in FAILING]
    if failing:
        failure = ElementTree.SubElement(
            case, "failure", {"message": _clean(about(failing[0])), "type": failing[0].verdict}
        )
        failure.text = _clean("\n\n".join(_in_full(finding) for finding in failing))
    elif skipped:
        ElementTree.SubElement(case, "skipped", {"message": _clean(found[0].says)})
    elif found:
        ElementTree.SubElement(case, "system-out").text = _clean("\n\n".join(map(_in_full, found)))


def _in_full(finding: Finding) -> str:
    return "\n".join([about(finding), *(f"{said}\n{code}" for said, code in finding.code)])


def _clean(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return "".join(character if character in "\t\n" or (character >= " " and character not in _NOT_XML) else "?"
                   for character in text.encode(errors="replace").decode())  # fmt: skip


_NOT_XML = "\ufffe\uffff"


def _message(text: str) -> str:
    """As GitHub's runner takes it apart: https://github.com/actions/toolkit, `command.ts`."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
