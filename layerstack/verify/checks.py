"""Runs the checks of one running container, over HTTP or inside it."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container, read_log
from layerstack.engine.inside import run_inside, stopped_programs
from layerstack.engine.place import EnginePlace
from layerstack.errors import CheckFailed, EngineError, reason
from layerstack.moment import epoch_seconds
from layerstack.verify import http_check, inside_http
from layerstack.verify.connection_words import UNREACHED
from layerstack.verify.last_words import ERROR
from layerstack.wait import call_within

# A busy machine needs seconds to start a shell like mongosh; what hangs longer than this is broken.
TIMEOUT_SECONDS = 20.0
# The HTTP client gives up first, and says more.
MARGIN_SECONDS = 0.5
# A worker that nothing checks: this many complaints, and no other line, within that time.
COMPLAINTS, COMPLAINT_SECONDS = 2, 20.0
# Of these lines, of which most may be the frames of a stack.
LOG_LINES = 100
# Frames, code, and what Python writes above them; and a program that a shell starts again and again in vain.
AROUND_ERRORS = re.compile(r"^(?:\s|$|Traceback \(|During handling of|The above exception)")
NOT_RUN = re.compile(r"sh: (?:line )?(?:\d+: )?\S+: (?:command )?not found$|: can't open file '[^']+'")
KNOWN_KEYS = {
    *("check", "http", "exec", "method", "port", "upload", "auth", "status", "contains", "expect", "timeout_seconds"),
}
Link = Literal["", "image", "container", "running", "network", "health", "port"]


@dataclass(frozen=True)
class CheckResult:
    """One link and how it was found: `detail` in words, `answer` what the service said when it is not as wanted.

    `link` is "" for a declared check, `is_asked` False for what was not checked, be that a fault or not, `because_of`
    the service whose fault breaks it, `container` the replica where there are several.
    """

    check: str
    is_ok: bool
    milliseconds: float
    detail: str
    link: Link = ""
    is_asked: bool = True
    because_of: str = ""
    container: str = ""
    answer: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "link": self.link or "declared",
            "ok": self.is_ok,
            "milliseconds": round(self.milliseconds, 1),
            "detail": self.detail,
            "asked": self.is_asked,
            "because_of": self.because_of or None,
            **({"container": self.container} if self.container else {}),
        }


@dataclass(frozen=True)
class Target:
    """What a check is asked of; `root` is the folder that upload paths start from.

    `is_doomed`: something that it needs does not run, so a check that is silent for a while will stay so.
    """

    client: EngineClient
    container: Container
    root: Path
    place: EnginePlace = field(default_factory=EnginePlace)
    is_doomed: bool = False


def as_check(entry: Any) -> Mapping[str, Any]:
    """An entry of `verify:` as a check; one that is not even a mapping becomes a check that fails."""
    return entry if isinstance(entry, Mapping) else {"check": str(entry)}


def run_declared(declared: Mapping[str, Any], target: Target) -> CheckResult:
    """Ask one question of `x-layerstack.verify`."""
    # The program that asks inside a container has to start there first.
    start_seconds = inside_http.START_SECONDS if _is_asked_inside(declared, target) else 0.0

    def is_hopeless() -> bool:
        # Asked every 2 s only, so that a check that answers at once is judged by its answer.
        return target.is_doomed or bool(stopped_programs(target.client, target.container.id))

    return ask_declared(declared, lambda seconds: _ask(declared, target, seconds), start_seconds, is_hopeless)


def ask_declared(
    declared: Mapping[str, Any],
    ask: Callable[[float], str],
    start_seconds: float = 0.0,
    is_hopeless: Callable[[], bool] | None = None,
) -> CheckResult:
    """The outcome of `ask`, which gets the seconds that it may take; never raises, whatever is declared."""
    name = check_name(declared)
    try:
        timeout_seconds = start_seconds + float(declared.get("timeout_seconds", TIMEOUT_SECONDS))
        wrong = _what_is_wrong(declared)
    except (TypeError, ValueError):
        wrong = f"timeout_seconds is {declared['timeout_seconds']!r}"
    if wrong:
        return CheckResult(name, False, 0.0, f"the check itself is wrong: {wrong}")
    return timed(name, timeout_seconds, lambda: ask(timeout_seconds), is_hopeless)


def _what_is_wrong(declared: Mapping[str, Any]) -> str:
    # A misspelt key would leave out what it is to compare, and the check would pass.
    if unknown := set(declared) - KNOWN_KEYS:
        return f"unknown key {', '.join(sorted(unknown))}"
    return "" if "exec" in declared or "http" in declared else "it has neither http nor exec"


def guess(target: Target) -> list[CheckResult]:
    """Without declared checks: does something speak HTTP on the published ports, and without a failure of its own?"""
    if not target.container.ports:
        # A worker has nothing that could be asked: what it writes is all that it shows.
        if not target.container.health and (said := _complaint(target)):
            return [CheckResult("log", False, 0.0, f"it says nothing but: {said}", answer=said)]
        detail = f"{http_check.NOT_CHECKED}: it publishes no port and declares no check"
        return [CheckResult("answer", True, 0.0, detail, is_asked=False)]
    asked = {port.target: partial(http_check.guess, target.place.address(port)) for port in target.container.ports}
    # The client's limit counts twice: once for connecting, once for reading.
    return [timed(f"answer {port}", http_check.GUESS_TIMEOUT_SECONDS * 2, ask) for port, ask in asked.items()]


def _complaint(target: Target) -> str:
    """The last error of a program that for a while has written of nothing else, as one does that a loop repeats."""
    one = target.container
    since = max(time.time() - COMPLAINT_SECONDS, epoch_seconds(one.started_at))
    said = [line for line in read_log(target.client, one.id, LOG_LINES, since) if not AROUND_ERRORS.match(line)]
    # One more than is needed: if it is another word, the program got further in between.
    last = said[-COMPLAINTS - 1 :]
    return last[-1] if len(last) >= COMPLAINTS and all(map(_is_complaint, last)) else ""


def _is_complaint(line: str) -> bool:
    return any(pattern.search(line) for pattern in (UNREACHED, ERROR, NOT_RUN))


def not_asked(declared: Sequence[Mapping[str, Any]], reason: str) -> list[CheckResult]:
    """The declared checks of a container that cannot answer."""
    return [CheckResult(check_name(one), False, 0.0, f"not asked: {reason}", is_asked=False) for one in declared]


def check_name(declared: Mapping[str, Any]) -> str:
    return str(declared.get("check") or declared.get("http") or "unnamed")


def timed(
    name: str, timeout_seconds: float, ask: Callable[[], str], is_hopeless: Callable[[], bool] | None = None
) -> CheckResult:
    """Ask and judge; never raises. `is_hopeless` is asked while there is no answer, and ends the wait."""
    started, answer = time.monotonic(), ""
    try:
        is_ok, detail = True, call_within(timeout_seconds + MARGIN_SECONDS, ask, is_hopeless)
    # Whatever a check raises is its outcome: the other checks are reported all the same.
    except Exception as error:
        is_ok, detail = False, reason(error) or type(error).__name__
        # The engine's own words are read as those of a service; all others are verify's.
        answer = getattr(error, "answer", detail if isinstance(error, EngineError) else "")
    # What cannot be asked says so instead of raising: that is no failure.
    is_asked = not (is_ok and detail.startswith(http_check.NOT_CHECKED))
    return CheckResult(name, is_ok, (time.monotonic() - started) * 1000, detail, is_asked=is_asked, answer=answer)


def _ask(declared: Mapping[str, Any], target: Target, timeout_seconds: float) -> str:
    if "exec" in declared:
        return _ask_inside(declared, target, timeout_seconds)
    if _is_asked_inside(declared, target):
        return inside_http.ask(target.client, declared, target.container, timeout_seconds)
    return http_check.ask(declared, target.container, target.root, timeout_seconds, target.place)


def _is_asked_inside(declared: Mapping[str, Any], target: Target) -> bool:
    """Whether an HTTP check is for a port that only the engine's machine reaches."""
    if "http" not in declared:
        return False
    try:
        return not target.place.address(http_check.port_of(declared, target.container))
    except (CheckFailed, ValueError, TypeError):
        # A port that makes no sense is reported by the check itself.
        return False


def _ask_inside(declared: Mapping[str, Any], target: Target, timeout_seconds: float) -> str:
    argv = [str(word) for word in declared["exec"]]
    try:
        answer = run_inside(target.client, target.container.id, argv, timeout_seconds)
    except TimeoutError as error:
        raise CheckFailed(f"{argv[0]} in the container → {error}") from error
    code, output, wanted = answer.exit_code, answer.output, int(declared.get("status", 0))
    # The arguments may hold a password.
    asked = f"{argv[0]} in the container → exit code {code}"
    if code != wanted:
        said = http_check.short(output) or "it said nothing"
        raise http_check.WrongAnswer(f"{asked} (wanted {wanted}): {said}", output)
    if (text := declared.get("contains")) is not None and str(text) not in output:
        raise http_check.WrongAnswer(f"{asked}, without {text!r}: {http_check.short(output)}", output)
    return asked
