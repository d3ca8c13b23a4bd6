"""The diagnosis during a start: the fault to repair first, and whether it may pass by waiting."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from layerstack.engine import engine
from layerstack.engine.place import find_place
from layerstack.project.project import Project
from layerstack.run.fault import CONSEQUENCES, FaultKind
from layerstack.run.outlook import Diagnose, Prospect, Trouble
from layerstack.run.start_failure import ServiceFailed
from layerstack.verify.diagnosis import Diagnosis
from layerstack.verify.verify import VerifyReport, look_once

# What the engine itself knows; every other kind is read from the words of a program, which may be a moment old.
CERTAIN: frozenset[FaultKind] = frozenset(
    {
        *(
            "paused",
            "image-missing",
            "base-missing",
            "name-taken",
            "port-held",
            "port-misplaced",
            "network-missing",
            "command-missing",
            "engine-refuses",
            "health-check-malformed",
        ),
        *("windows-line-ends", "health-program-missing", "not-executable", "user-unknown", "mount-mismatch"),
        "device-missing",
    }
)
# A wrong check in the project's file keeps no container from starting.
NO_TROUBLE: frozenset[FaultKind] = frozenset({"check-invalid"})


def diagnosis_of(project: Project, tell: Callable[[VerifyReport], object] = lambda _: None) -> Diagnose:
    """A function that diagnoses services and their dependencies; it raises EngineError without an engine.

    `tell` is called with the report of every look.
    """

    def diagnose(services: Sequence[str]) -> Trouble | None:
        began = time.monotonic()
        report = look_once(engine.client(), project, find_place(), frozenset(services))
        tell(replace(report, seconds=time.monotonic() - began))
        troubles = [_trouble(one) for one in report.diagnoses if one.kind not in NO_TROUBLE]
        # The first of the gravest: the report has them in the order in which they are to be repaired.
        order: tuple[Prospect, ...] = ("sure", "likely", "failing", "passing")
        return min(troubles, key=lambda one: order.index(one.prospect), default=None)

    return diagnose


def prospect(kind: FaultKind) -> Prospect:
    """Whether a fault of this kind may pass by waiting."""
    if kind in CERTAIN:
        return "sure"
    if kind in ("not-ready-yet", "not-started"):
        return "passing"
    # What a service that it needs does to a service may pass; a refused password does not become right.
    return "failing" if kind in CONSEQUENCES and kind != "wrong-credentials" else "likely"


def _trouble(diagnosis: Diagnosis) -> Trouble:
    error = ServiceFailed(
        diagnosis.service, diagnosis.cause, tuple(diagnosis.evidence.splitlines()), diagnosis.way_out, diagnosis.kind
    )
    return Trouble(diagnosis.service, diagnosis.kind, prospect(diagnosis.kind), error)
