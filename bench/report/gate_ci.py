"""The outcome of the gate for machines: JUnit's XML, and the annotations that GitHub shows in a pull request."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree

from bench.model.baseline import Place
from bench.reduce.gate import Checked, Finding, Verdict, name_of
from bench.reduce.regression import Regression
from bench.report.gate import about, reason

SCHEMA = "schema"
NOT_REACHED = "was not measured to its end: the check was cut short"

_LEVELS: Mapping[Verdict, str] = {
    "broken": "error",
    "worse": "error",
    "changed": "error",
    "slower": "error",
    "undecided": "warning",
    "better": "notice",
    "faster": "notice",
    "inconclusive": "warning",
    "noted": "warning",
}

_TITLES: Mapping[Verdict, str] = {"changed": "not what it was", "noted": "not judged"}

MOST_ANNOTATIONS = 10
"""GitHub shows as many errors, and as many warnings, of one step."""


def junit_xml(checked: Checked) -> str:
    """Return JUnit's XML: a test case for each load, and for each schema that differs; a place is its class."""
    by_load: dict[tuple[Place, str], list[Finding]] = {
        load: [] for load in (*checked.compared, *_timed_loads(checked), *checked.open)
    }
    for finding in checked.findings:
        by_load.setdefault((finding.place, finding.strategy), []).append(finding)
    failures = sum(any(each in checked.failing for each in found) for found in by_load.values())
    skipped = sum(_is_skipped(load, found, checked) for load, found in by_load.items())
    suite = ElementTree.Element(
        "testsuite",
        {"name": "bench check", "tests": str(len(by_load)), "failures": str(failures), "errors": "0",
         "skipped": str(skipped), "time": "0"},
    )  # fmt: skip
    for load, found in by_load.items():
        failing = [finding for finding in found if finding in checked.failing]
        _add_case(suite, load, found, failing, skipped=_is_skipped(load, found, checked))
    ElementTree.SubElement(suite, "system-out").text = _clean("\n".join([reason(checked), *checked.notes]))
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def github_annotations(checked: Checked, *, file: str) -> Iterator[str]:
    """Yield GitHub's workflow commands, one a finding.

    file: the baseline, from the repository's root; there a finding of the catalogue is shown, and from its folder the
    scenarios' files are named.
    """
    for finding in checked.findings[:MOST_ANNOTATIONS]:
        path, colon, _ = finding.place.scenario.rpartition(":")
        own = colon and ".py:" in finding.place.scenario
        at = posixpath.normpath(posixpath.join(posixpath.dirname(file), path)) if own else file
        title = f"Loading is {_TITLES.get(finding.verdict, finding.verdict)}"
        message = "\n".join([about(finding), *(text for pair in finding.code for text in pair)])
        yield f"::{_LEVELS[finding.verdict]} file={_property(at)},title={_property(title)}::{_message(message)}"


def checked_data(checked: Checked) -> dict[str, Any]:
    """Return the outcome as plain data: what `--json` prints."""
    return {
        "failed": bool(checked.failing),
        "cut_short": checked.cut_short,
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
        "unreached": [_of(place, strategy) for place, strategy in checked.unreached],
        **({"timed": _timed_data(checked.timed)} if checked.timed else {}),
    }


def _timed_data(timed: Regression) -> dict[str, Any]:
    return {
        "revision": timed.revision,
        "commit": timed.commit,
        "dirty": timed.dirty,
        "pairs": timed.pairs,
        "loads": [
            {
                **_of(load.place, load.strategy),
                "judged": load.judged,
                "threshold": load.threshold,
                "before_ns": load.before_ns,
                "now_ns": load.now_ns,
                "screened": asdict(load.screened) if load.screened else None,
                "decided": asdict(load.decided) if load.decided else None,
            }
            for load in timed.loads
        ],
        "unreached": [_of(place, strategy) for place, strategy in timed.unreached],
    }


def _of(place: Place, strategy: str) -> dict[str, str]:
    return {"scenario": place.scenario, "size": place.size, "database": place.database, "strategy": strategy}


def _is_skipped(load: tuple[Place, str], found: list[Finding], checked: Checked) -> bool:
    """Whether a load was not compared, or not to its end, for a reason that fails nothing."""
    compared = load in (*checked.compared, *_timed_loads(checked)) and load not in checked.open
    return bool(load[1]) and not compared and not any(each in checked.failing for each in found)


def _timed_loads(checked: Checked) -> list[tuple[Place, str]]:
    return [(one.place, one.strategy) for one in checked.timed.loads] if checked.timed else []


def _add_case(
    suite: ElementTree.Element, load: tuple[Place, str], found: list[Finding], failing: list[Finding], *, skipped: bool
) -> None:
    place, strategy = load
    name = _clean(strategy or SCHEMA)
    case = ElementTree.SubElement(suite, "testcase", {"classname": _clean(name_of(place)), "name": name, "time": "0"})
    if failing:
        failure = ElementTree.SubElement(
            case, "failure", {"message": _clean(about(failing[0])), "type": failing[0].verdict}
        )
        failure.text = _clean("\n\n".join(_in_full(finding) for finding in failing))
    elif skipped:
        ElementTree.SubElement(case, "skipped", {"message": _clean(found[0].says if found else NOT_REACHED)})
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
