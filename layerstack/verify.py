"""Ask every service at once whether it really works, and find the first broken link."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from layerstack import engine
from layerstack.container import read_all
from layerstack.dependency import in_start_order
from layerstack.diagnosis import Diagnosis, diagnose
from layerstack.errors import EngineError
from layerstack.examination import ServiceResult, examine
from layerstack.health import judge_all
from layerstack.project import Device, Project
from layerstack.wait import call_within

ENGINE_SECONDS = 10.0


@dataclass(frozen=True)
class VerifyReport:
    """What verify found out; `seconds` is its own wall time."""

    seconds: float
    device: Device
    services: tuple[ServiceResult, ...]
    diagnosis: Diagnosis | None

    @property
    def is_ok(self) -> bool:
        return all(service.is_ok for service in self.services)

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": self.is_ok,
            "seconds": round(self.seconds, 3),
            "device": self.device,
            "diagnosis": self.diagnosis.to_json() if self.diagnosis else None,
            "services": [service.to_json() for service in self.services],
        }


def verify(project: Project) -> VerifyReport:
    """Look at every container and ask its declared checks, all services at once; bounded also when things hang.

    Raises EngineError when no engine answers.
    """
    started = time.monotonic()
    client = engine.client()
    try:
        found = call_within(ENGINE_SECONDS, lambda: read_all(client, project.name))
    except TimeoutError as error:
        raise EngineError(f"The engine gives {error}.", "`invoke doctor` looks at it.") from error
    verdicts = judge_all(found, project)
    names = [name for name in in_start_order(project) if name in verdicts]

    def ask(name: str) -> ServiceResult:
        return examine(client, project, project.services[name], found.get(name, ()), verdicts[name])

    with ThreadPoolExecutor(max(1, len(names))) as pool:
        results = tuple(pool.map(ask, names))
    has_gpu = any(one.has_gpu for containers in found.values() for one in containers)
    device: Device = "gpu" if has_gpu else "cpu"
    return VerifyReport(time.monotonic() - started, device, results, diagnose(client, project, results))
