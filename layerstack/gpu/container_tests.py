"""pytest in an image on a leased card: outcome, and time and memory of each test file."""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

from layerstack import command
from layerstack.engine import texts
from layerstack.gpu.gpu_probe import judge_refusal
from layerstack.gpu.lease import Lease
from layerstack.temporary_folder import temporary_folder
from layerstack.wording import listed

REPORT = "/tmp/container-tests.xml"
# `tests/test_a.py::test_one PASSED [ 50%]`, as pytest --verbose prints.
ENDED_TEST = re.compile(r"^(\S+\.py)::.*\b(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b")
# Exit codes of `docker run` for a program that cannot be started.
NOT_EXECUTABLE, NOT_FOUND = 126, 127
WORDS_OF_CODE = {
    3: "pytest itself failed",
    4: "pytest was called wrongly",
    130: "interrupted",
    137: "killed, most likely for lack of memory",
    NOT_EXECUTABLE: "the image's Python cannot be executed",
    NOT_FOUND: "the image has no Python",
}
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


@dataclass(frozen=True)
class ContainerTests:
    """The outcome of a run; `detail` says why it did not pass."""

    ending: Ending
    detail: str
    exit_code: int
    seconds: float
    card: str
    peak_bytes: int
    files: tuple[FileResult, ...]

    @property
    def is_ok(self) -> bool:
        return self.ending == "passed"

    def to_json(self) -> dict[str, Any]:
        return {"ok": self.is_ok, **asdict(self), "seconds": round(self.seconds, 3)}


def run_tests(
    image: str, lease: Lease, on_line: Callable[[str], None], arguments: Sequence[str] = ()
) -> ContainerTests:
    """Run the image's pytest on the leased card, in a container removed afterwards; `arguments` go to pytest."""
    name = f"layerstack-tests-{os.getpid()}-{os.urandom(3).hex()}"
    peaks: dict[str, int] = {}

    def hear(_stream: command.Stream, line: str) -> None:
        on_line(line)
        if ended := ENDED_TEST.match(line):
            peaks[ended[1]] = max(peaks.get(ended[1], 0), lease.peak.mark())

    began = time.monotonic()
    try:
        result = command.stream(_argv(name, image, lease, arguments), hear)
        report = _fetch_report(name)
    finally:
        # Not `--rm`: the report is copied out of the container after it has ended.
        command.run(["docker", "rm", "--force", "--volumes", name])
    files = read_report(report, peaks)
    ending, detail = judge(result.exit_code, result.stderr, report)
    # Tests that silently fall back to the CPU pass as well.
    if ending == "passed" and not lease.peak.has_seen_use:
        ending, detail = "gpu-unused", "the tests passed, but no activity was seen on the card"
    seconds = time.monotonic() - began
    return ContainerTests(ending, detail, result.exit_code, seconds, lease.card.name, lease.peak.most_bytes, files)


def judge(exit_code: int, complaint: str, report: str) -> Verdict:
    """The meaning of an exit code of Docker or pytest. `report` is pytest's XML, "" without one."""
    # Only Docker's own messages begin like this; all other lines come from the container.
    own = [line for line in complaint.splitlines() if line.startswith("docker: ")]
    said = own[-1].removeprefix("docker: ") if own else ""
    known = _refusal(said) if said else judge_report(exit_code, report)
    if known:
        return known
    last = next((line for line in reversed(complaint.splitlines()) if line.strip()), "no report was written")
    return "cannot-run", said or WORDS_OF_CODE.get(exit_code, f"exit code {exit_code}: {last.strip()}")


def _argv(name: str, image: str, lease: Lease, arguments: Sequence[str]) -> list[str]:
    # `--pull never` reports a missing image at once instead of asking a registry.
    start = ["docker", "run", "--name", name, "--init", "--pull", "never", "--cidfile", lease.container_file]
    # Unbuffered, because the peak memory of a file is read when its lines arrive.
    settings = ["--gpus", f"device={lease.card.docker_name}", "--env", "REQUIRE_GPU=1", "--env", "PYTHONUNBUFFERED=1"]
    # Of pytest's report formats only xunit1 names the file of each test.
    tests = ["python", "-m", "pytest", "--verbose", "--override-ini", "junit_family=xunit1", f"--junit-xml={REPORT}"]
    return [*start, *settings, image, *tests, *arguments]


def _fetch_report(container: str) -> str:
    with temporary_folder("report") as folder:
        command.run(["docker", "cp", f"{container}:{REPORT}", str(folder)])
        path = folder / Path(REPORT).name
        return path.read_text() if path.is_file() else ""


def _refusal(said: str) -> Verdict | None:
    """Why Docker did not start the container: no image, no GPU; None for another reason."""
    if texts.says(said, *texts.IMAGE_MISSING):
        return "image-missing", said
    found = judge_refusal(said)
    is_gpu = found.broken_link in ("toolkit", "request") or "cannot access a GPU" in found.reason
    return ("gpu-missing", found.reason) if is_gpu else None


def read_report(report: str, peaks: Mapping[str, int]) -> tuple[FileResult, ...]:
    """The test files of the report in order; `peaks` are bytes by file."""
    files: dict[str, list[ElementTree.Element]] = {}
    for case in _cases(report):
        files.setdefault(case.get("file", case.get("classname", "")), []).append(case)
    return tuple(_summed(file, cases, peaks.get(file, 0)) for file, cases in files.items())


def judge_report(exit_code: int, report: str) -> Verdict | None:
    """The outcome and its reason; None when neither exit code nor report shows it. `report` is "" without one."""
    cases = list(_cases(report))
    # pytest also ends with 0 when every test was skipped.
    if exit_code == 0 and any(not _has(case, "failure", "error", "skipped") for case in cases):
        return "passed", ""
    if exit_code in (0, NO_TESTS):
        return "no-tests-ran", "every test was skipped" if cases else "pytest found no test in the image"
    # Checked before the failures, which it explains.
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
        # A report that was cut off proves no pass.
        return


def _has(case: ElementTree.Element, *kinds: str) -> bool:
    return any(case.find(kind) is not None for kind in kinds)


def _summed(file: str, cases: Sequence[ElementTree.Element], peak_bytes: int) -> FileResult:
    failed = sum(_has(case, "failure", "error") for case in cases)
    skipped = sum(_has(case, "skipped") for case in cases)
    seconds = sum(float(case.get("time", 0)) for case in cases)
    return FileResult(file, len(cases) - failed - skipped, failed, skipped, round(seconds, 3), peak_bytes)
