"""JUnit files for CI systems: one suite per service, one case per check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from layerstack.errors import UsageError
from layerstack.report import shown

if TYPE_CHECKING:
    from xml.etree import ElementTree

Outcome = Literal["passed", "failure", "skipped"]


@dataclass(frozen=True)
class Case:
    """One check. Of a failure, `kind` and `message` are a line each and `text` the rest; a passed one prints `text`."""

    suite: str
    name: str
    seconds: float = 0.0
    outcome: Outcome = "passed"
    message: str = ""
    kind: str = ""
    text: str = ""


def write_junit(path: Path, name: str, cases: Sequence[Case], seconds: float) -> None:
    """Write the file of one task. Raises UsageError when it cannot be written."""
    from xml.etree import ElementTree

    suites = ElementTree.Element("testsuites", {"name": name, "time": f"{seconds:.3f}", **_counts(cases)})
    for suite in dict.fromkeys(case.suite for case in cases):
        own = [case for case in cases if case.suite == suite]
        took = sum(case.seconds for case in own)
        attributes = {"name": _printable(suite), "time": f"{took:.3f}", **_counts(own)}
        element = ElementTree.SubElement(suites, "testsuite", attributes)
        for case in own:
            _add(element, case)
    ElementTree.indent(suites)
    try:
        path.write_bytes(ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True) + b"\n")
    except OSError as error:
        raise UsageError(f"The JUnit file cannot be written: {error}", "Choose another path: --junit FILE.") from error


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    outcomes = [case.outcome for case in cases]
    failures, skipped = outcomes.count("failure"), outcomes.count("skipped")
    return {"tests": str(len(cases)), "failures": str(failures), "skipped": str(skipped)}


def _add(suite: ElementTree.Element, case: Case) -> None:
    from xml.etree import ElementTree

    names = {"classname": _printable(case.suite), "name": _printable(case.name), "time": f"{case.seconds:.3f}"}
    element = ElementTree.SubElement(suite, "testcase", names)
    if case.outcome == "failure":
        failure = ElementTree.SubElement(element, "failure", type=case.kind, message=_printable(case.message))
        failure.text = _printable(case.text) or None
    elif case.outcome == "skipped":
        ElementTree.SubElement(element, "skipped", message=_printable(case.message))
    elif case.text:
        ElementTree.SubElement(element, "system-out").text = _printable(case.text)


def _printable(text: str) -> str:
    # XML 1.0 forbids most control characters, and logs are full of them.
    return "".join(one if one.isprintable() or one in "\n\t" else " " for one in shown(text))
