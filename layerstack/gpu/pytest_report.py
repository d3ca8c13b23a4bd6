"""The result of a pytest run: its exit code and its XML report of the family xunit1."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from layerstack.wording import listed

Ending = Literal["passed", "failed", "no-tests-ran", "image-missing", "gpu-missing", "gpu-unused", "cannot-run"]
Verdict = tuple[Ending, str]

# The message of a GPU test that runs with REQUIRE_GPU=1 and sees no GPU.
DEMANDED = "a GPU was demanded"
# Exit codes of pytest.
COLLECTION_FAILED, NO_TESTS = 2, 5
MOST_NAMES = 5


@dataclass(frozen=True)
class FileResult:
    """One test file: number of tests, seconds, and peak GPU memory."""

    file: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    peak_bytes: int = 0


def read_report(report: str, peaks: Mapping[str, int]) -> tuple[FileResult, ...]:
    """The test files of the report in order; `peaks` are bytes by file."""
    files: dict[str, list[ElementTree.Element]] = {}
    for case in _cases(report):
        files.setdefault(case.get("file", case.get("classname", "")), []).append(case)
    return tuple(_summed(file, cases, peaks.get(file, 0)) for file, cases in files.items())


def judge_report(exit_code: int, report: str) -> Verdict | None:
    """The outcome and its reason; None when neither exit code nor report shows it. `report` is "" without one."""
    cases = list(_cases(report))
    if exit_code == 0 and any(not _has(case, "failure", "error", "skipped") for case in cases):
        return "passed", ""
    if exit_code in (0, NO_TESTS):
        return "no-tests-ran", "every test was skipped" if cases else "pytest found no test in the image"
    if any(DEMANDED in child.get("message", "") for case in cases for child in case):
        return "gpu-missing", "the container sees no GPU"
    failed = [case.get("name", "") for case in cases if _has(case, "failure", "error")]
    if failed:
        return "failed", f"{len(failed)} failed: {listed(failed, MOST_NAMES)}"
    return ("failed", "the tests could not be collected") if exit_code == COLLECTION_FAILED else None


def _cases(report: str) -> Iterator[ElementTree.Element]:
    try:
        yield from ElementTree.fromstring(report).iter("testcase") if report else ()
    except ElementTree.ParseError:
        return


def _has(case: ElementTree.Element, *kinds: str) -> bool:
    return any(case.find(kind) is not None for kind in kinds)


def _summed(file: str, cases: Sequence[ElementTree.Element], peak_bytes: int) -> FileResult:
    failed = sum(_has(case, "failure", "error") for case in cases)
    skipped = sum(_has(case, "skipped") for case in cases)
    seconds = sum(float(case.get("time", 0)) for case in cases)
    return FileResult(file, len(cases) - failed - skipped, failed, skipped, round(seconds, 3), peak_bytes)
