"""Everything known about GPUs: the decision, the running containers, the leases."""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerstack.engine import engine
from layerstack.errors import EngineError, UsageError
from layerstack.gpu import decision as gpu
from layerstack.gpu import device
from layerstack.gpu.card_lock import Holder
from layerstack.gpu.decision import Decision, Request, with_containers
from layerstack.gpu.gpu_in_container import ContainerGpu, read_containers
from layerstack.gpu.lease import read_leases
from layerstack.gpu.nvml import Card, HostGpus, cards_of
from layerstack.project import project


@dataclass(frozen=True)
class Survey:
    """The decision with its containers, and the holder of each leased card."""

    decision: Decision
    leases: tuple[tuple[Card, Holder], ...] = ()

    def to_json(self) -> dict[str, Any]:
        leases = [
            {
                "card": card.uuid,
                "owner": holder.owner,
                "user": holder.user,
                "pid": holder.pid,
                "bytes": holder.size_bytes,
                "used_bytes": holder.used_bytes(card),
                "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(holder.since)),
            }
            for card, holder in self.leases
        ]
        return {**self.decision.to_json(), "leases": leases}


def survey(root: Path, requested: Request) -> Survey:
    """Nothing remembered is used. Raises GpuMissing when a GPU is demanded and not available."""
    try:
        decision = device.choose(root, requested)
    except UsageError:
        # An unreadable Compose file hides what the services want, not what the machine has.
        decision = gpu.decide(requested)
    host = decision.host
    found = with_containers(decision, _containers(root, decision, host))
    return Survey(found, tuple(read_leases(cards_of(host))) if host else ())


def _containers(root: Path, decision: Decision, host: HostGpus | None) -> tuple[ContainerGpu, ...]:
    # The rest of the survey is valid without an engine or a readable project.
    with suppress(EngineError, UsageError):
        name = project.load(root, decision.device).name
        return read_containers(engine.client(), name, host)
    return ()
