"""The results of verify as cases of a JUnit file: a suite per service, a case per link."""

from typing import TYPE_CHECKING

from layerstack.junit import Case
from layerstack.verify.checks import CheckResult
from layerstack.verify.verify import VerifyReport

if TYPE_CHECKING:
    from layerstack.verify.diagnosis import Diagnosis


def cases_of(outcome: VerifyReport) -> list[Case]:
    """The links and checks as test cases; those that were not checked are skipped."""
    diagnoses = {one.service: one for one in outcome.diagnoses}
    return [
        _case(service.service, check, diagnoses.get(service.service))
        for service in outcome.services
        for check in service.checks
    ]


def _case(service: str, check: CheckResult, diagnosis: "Diagnosis | None") -> Case:
    name = f"{check.check} ({check.container})" if check.container else check.check
    seconds = check.milliseconds / 1000
    if not check.is_asked:
        return Case(service, name, seconds, "skipped", check.detail)
    if check.is_ok:
        return Case(service, name, seconds)
    if check.because_of or diagnosis is None:
        # Without either the fault is told with that of another service: one command starts them both.
        because = f"because of {check.because_of}: " if check.because_of else ""
        return Case(service, name, seconds, "failure", f"{because}{check.detail}", "consequence")
    text = f"{diagnosis.evidence}\n→ {diagnosis.way_out}"
    return Case(service, name, seconds, "failure", diagnosis.cause, diagnosis.kind, text)
