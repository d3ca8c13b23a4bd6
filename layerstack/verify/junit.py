"""What verify found, as a JUnit file: a suite a service, a case a link."""

from pathlib import Path
from xml.etree import ElementTree

from layerstack.errors import UsageError
from layerstack.verify.checks import CheckResult
from layerstack.verify.diagnosis import Diagnosis
from layerstack.verify.examination import ServiceResult
from layerstack.verify.verify import VerifyReport


def write_junit(outcome: VerifyReport, path: Path) -> None:
    """Write the file; what was not asked is skipped, all else that is not as wanted failed. Raises UsageError."""
    suites = ElementTree.Element("testsuites", name="verify", time=f"{outcome.seconds:.3f}")
    diagnoses = {one.service: one for one in outcome.diagnoses}
    for service in outcome.services:
        suites.append(_suite(service, diagnoses.get(service.service)))
    for total in ("tests", "failures", "skipped"):
        suites.set(total, str(sum(int(suite.get(total, "0")) for suite in suites)))
    ElementTree.indent(suites)
    try:
        path.write_bytes(ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True) + b"\n")
    except OSError as error:
        raise UsageError(f"The JUnit file cannot be written: {error}", "Choose another place: --junit FILE.") from error


def _suite(result: ServiceResult, diagnosis: Diagnosis | None) -> ElementTree.Element:
    seconds = sum(check.milliseconds for check in result.checks) / 1000
    failed = [check for check in result.failed if check.is_asked]
    suite = ElementTree.Element(
        "testsuite",
        name=result.service,
        tests=str(len(result.checks)),
        failures=str(len(failed)),
        skipped=str(sum(not check.is_asked for check in result.checks)),
        time=f"{seconds:.3f}",
    )
    for check in result.checks:
        suite.append(_case(result.service, check, diagnosis))
    return suite


def _case(service: str, check: CheckResult, diagnosis: Diagnosis | None) -> ElementTree.Element:
    name = f"{check.check} ({check.container})" if check.container else check.check
    case = ElementTree.Element("testcase", classname=service, name=name, time=f"{check.milliseconds / 1000:.3f}")
    if check.is_ok and check.is_asked:
        return case
    if not check.is_asked:
        ElementTree.SubElement(case, "skipped", message=_printable(check.detail))
    elif check.because_of or diagnosis is None:
        text = f"because of {check.because_of}: {check.detail}"
        ElementTree.SubElement(case, "failure", type="consequence", message=_printable(text))
    else:
        failure = ElementTree.SubElement(case, "failure", type=diagnosis.kind, message=_printable(diagnosis.cause))
        failure.text = _printable(f"{diagnosis.evidence}\n→ {diagnosis.way_out}")
    return case


def _printable(text: str) -> str:
    """XML takes no control characters, and logs are full of them."""
    return "".join(one if one.isprintable() or one in "\n\t" else " " for one in text)
