"""A start asks the diagnosis beside its wait: it ends early for what no waiting mends, and for nothing else."""

import time
from collections.abc import Sequence

import pytest

from layerstack.errors import EngineError, StartFailed
from layerstack.run import outlook
from layerstack.run.outlook import Outlook, Prospect, Trouble
from layerstack.wait import wait_until


def trouble(prospect: Prospect, kind: str = "code-broken") -> Trouble:
    return Trouble("api", kind, prospect, StartFailed(f"api: {kind}"))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_SECONDS", "NEXT_SECONDS", "CONFIRMING_SECONDS"):
        monkeypatch.setattr(outlook, name, 0.0)


class Looks:
    """Gives one finding after the other, the last again and again; counts how often it was asked."""

    def __init__(self, *findings: Trouble | Exception | None) -> None:
        self.findings, self.count = findings, 0

    def __call__(self, services: Sequence[str]) -> Trouble | None:
        self.count += 1
        found = self.findings[min(self.count, len(self.findings)) - 1]
        if isinstance(found, Exception):
            raise found
        return found


def looks_until(looks: Looks, count: int) -> None:
    """Poll as a wait does until so many looks are over. Raises what ends the wait."""
    one = Outlook(looks)

    def poll() -> bool:
        one.require_hope(["api"])
        return looks.count > count

    assert wait_until(poll, 5.0, 0.001)


@pytest.mark.parametrize(
    ("findings", "looked"),
    [
        ((trouble("sure"),), 1),
        ((trouble("likely"),), 2),
        ((None, trouble("likely"), trouble("likely", "wrong-port"), trouble("likely", "wrong-port")), 4),
    ],
)
def test_what_no_waiting_mends_ends_the_wait(findings: tuple[Trouble | None, ...], looked: int) -> None:
    looks = Looks(*findings)
    with pytest.raises(StartFailed) as ended:
        looks_until(looks, 9)
    assert looks.count == looked
    last = findings[-1]
    assert last is not None
    assert ended.value is last.error


@pytest.mark.parametrize(
    "findings",
    [
        (None,),
        (trouble("passing"),),
        (trouble("failing"),),
        (trouble("likely"), None, trouble("likely"), trouble("passing")),
        (EngineError("busy"), ValueError("odd"), None),
    ],
)
def test_everything_else_is_waited_for(findings: tuple[Trouble | Exception | None, ...]) -> None:
    looks_until(Looks(*findings), 6)


def test_a_look_that_hangs_does_not_hold_up_the_wait() -> None:
    one = Outlook(lambda services: time.sleep(60))
    started = time.monotonic()
    for _ in range(3):
        one.require_hope(["api"])
    assert time.monotonic() - started < 30


def test_without_a_diagnosis_and_without_services_nothing_is_asked() -> None:
    looks = Looks(trouble("sure"))
    Outlook(None).require_hope(["api"])
    assert Outlook(looks).look_now([]) is None
    assert looks.count == 0


@pytest.mark.parametrize(
    ("finding", "is_explained"),
    [(trouble("failing"), True), (trouble("passing"), False), (None, False), (EngineError("gone"), False)],
)
def test_a_failed_start_is_told_in_the_words_of_the_diagnosis(
    finding: Trouble | Exception | None, is_explained: bool
) -> None:
    failed = StartFailed("api exited with code 1")
    told = Outlook(Looks(finding)).explain(failed, ["api"])
    assert (told is not failed) == is_explained


@pytest.mark.parametrize(("prospect", "is_explained"), [("sure", True), ("likely", False), ("failing", False)])
def test_what_compose_refuses_is_not_explained_by_a_container_that_is_slow(
    prospect: Prospect, is_explained: bool
) -> None:
    refused = StartFailed("network nowhere declared as external, but could not be found")
    told = Outlook(Looks(trouble(prospect))).explain(refused, ["api"], is_of_container=False)
    assert (told is not refused) == is_explained
