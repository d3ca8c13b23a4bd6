"""Checks machine, engine and project in seconds, without building or starting anything."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from layerstack.doctor import mount_shadow, silence
from layerstack.doctor.doctor_checks import Check, DoctorChecks
from layerstack.doctor.silence import WHY
from layerstack.errors import EngineError
from layerstack.finding import Finding, has_errors, warning
from layerstack.junit import Case
from layerstack.wait import call_within

CHECK_SECONDS = 10.0
# Reading large images takes long the first time; afterwards their files are cached.
LOOK_SECONDS = mount_shadow.LOOK_SECONDS + 5.0
# Ctrl-C takes effect after this time at most.
INTERRUPT_SECONDS = 0.5
# A thread for every check and every fact: checks wait for facts that are read in the same pool.
WORKERS = 64
SEVERITIES = ("error", "warning", "ok")


@dataclass(frozen=True)
class Examination:
    """All findings, the worst first, and the suppressed ones."""

    findings: tuple[Finding, ...]
    silenced: tuple[Finding, ...] = ()

    @property
    def is_ok(self) -> bool:
        """Whether nothing blocks a build or a start."""
        return not has_errors(self.findings)

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": self.is_ok,
            "findings": [finding.to_json() for finding in self.findings],
            "ignored": [finding.to_json() for finding in self.silenced],
        }

    def cases(self) -> list[Case]:
        """For a JUnit file: a case a finding. Only what blocks a build or a start has failed."""
        return [
            Case(
                finding.service or "machine and project",
                f"{finding.check} {finding.place}".strip(),
                outcome="failure" if finding.severity == "error" else "passed",
                message=finding.detail,
                kind=finding.check,
                text="\n".join(part for part in (finding.severity, finding.detail, finding.remedy) if part),
            )
            for finding in self.findings
        ]


def examine(root: Path, ignored: Iterable[str] = ()) -> Examination:
    """Run all checks in parallel; one that hangs is abandoned and reported.

    Raises only UsageError, for a name in `ignored` that no check has.
    """
    given = silence.from_words(ignored)
    interrupted = Event()
    with ThreadPoolExecutor(WORKERS) as pool:
        every = DoctorChecks(root, pool, CHECK_SECONDS)
        running = [pool.submit(_run, name, check, interrupted) for name, check in every.named().items()]
        try:
            found = [finding for one in running for finding in one.result()]
        except BaseException:
            # The pool waits for its threads, and reading large images may take a minute.
            interrupted.set()
            raise
        wanted = every.wanted_silence(given)
    explained = [one if one.why else replace(one, why=_why(one)) for one in found]
    reported, silenced = silence.split(explained, wanted)
    return Examination(tuple(sorted(reported, key=lambda one: SEVERITIES.index(one.severity))), tuple(silenced))


def _run(name: str, check: Check, interrupted: Event) -> list[Finding]:
    seconds = LOOK_SECONDS if name == "mount-shadow" else CHECK_SECONDS
    try:
        return call_within(seconds, lambda: list(check()), interrupted.is_set, INTERRUPT_SECONDS)
    except EngineError:
        # The finding named `engine` reports it once for all.
        return []
    except TimeoutError as late:
        return [warning(name, f"could not be checked: {late}", "Run `invoke doctor` again.")]
    # One check that breaks takes none of the other findings along.
    except Exception as problem:
        detail = f"could not be checked: {type(problem).__name__}: {problem}"
        return [warning(name, detail, f"invoke doctor --ignore {name.replace(' ', '-')}")]


def _why(finding: Finding) -> str:
    return WHY.get(finding.check) or WHY.get(finding.check.rpartition(" ")[0], "")
