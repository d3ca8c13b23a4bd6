"""Which device a stack runs on, with one named reason for each way in which a GPU can be missing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from layerstack.errors import GpuMissing
from layerstack.gpu.gpu_probe import ADVICE, NOT_ASKED, DockerGpu, Link, probe_docker
from layerstack.gpu.nvml import HostAnswer, HostGpus, try_host
from layerstack.gpu.nvml_library import NvmlRefused
from layerstack.project.project import Device

if TYPE_CHECKING:
    from layerstack.gpu.gpu_in_container import ContainerGpu

Request = Literal["auto", "gpu", "cpu"]
Reason = Literal[
    "fine",
    "no-card",
    "driver-not-loaded",
    "driver-broken",
    "no-usable-card",
    "driver-without-toolkit",
    "toolkit-not-set-up",
    "toolkit-fails",
    "cdi-only",
    "request-too-large",
    "lost-after-daemon-reload",
    "engine-unreachable",
    "asked-for-cpu",
    "no-service-wants-gpu",
]
REASON_OF_LINK: dict[Link, Reason] = {
    "works": "fine",
    "docker": "driver-without-toolkit",
    "setup": "toolkit-not-set-up",
    "cdi": "cdi-only",
    "toolkit": "toolkit-fails",
    "request": "request-too-large",
    "engine": "engine-unreachable",
}
REASON_OF_PROBLEM: dict[str, Reason] = {
    "no-library": "no-card",
    "no-device": "no-card",
    "driver-not-loaded": "driver-not-loaded",
    "driver-broken": "driver-broken",
}
# Reasons that need no repair: most machines have no card, and no service that asks for one.
EXPECTED: tuple[Reason, ...] = ("fine", "no-card", "asked-for-cpu", "no-service-wants-gpu")
MIG_REMEDY = "`sudo nvidia-smi mig -cgi 0 -C` makes an instance of a card; `sudo nvidia-smi -mig 0` ends MIG mode."
LOST_CARD_REMEDY = "`sudo dmesg | grep -i -e NVRM -e Xid` shows why; `sudo reboot` brings back a card that fell off."


@dataclass(frozen=True)
class Decision:
    """The device to run on, and what the decision is based on.

    `reason` is for programs, `why` for people, `remedy` the command that repairs it, "" for none.
    """

    device: Device
    why: str
    host: HostGpus | None
    docker: DockerGpu
    reason: Reason = "fine"
    remedy: str = ""
    containers: "tuple[ContainerGpu, ...]" = ()

    @property
    def lost(self) -> "tuple[ContainerGpu, ...]":
        """Running containers whose GPU is gone while the host still has it."""
        return tuple(one for one in self.containers if one.is_lost)

    @property
    def sentence(self) -> str:
        """The device and why, in one line."""
        return f"device {self.device} ({self.reason}): {self.why}"

    def to_json(self) -> dict[str, Any]:
        return {
            "host": self.host.to_json() if self.host else None,
            "docker": self.docker.to_json(),
            "decision": self.device,
            "why": self.why,
            "reason": self.reason,
            "remedy": self.remedy,
            "containers": [one.to_json() for one in self.containers],
        }


def decide(
    requested: Request,
    wants_gpu: bool = True,
    asked: HostAnswer | None = None,
    probe: Callable[[], DockerGpu] = probe_docker,
    is_elsewhere: bool = False,
) -> Decision:
    """The device for this stack.

    `wants_gpu`: does any service ask for a GPU at all. `asked` is NVML's answer when it is known already.
    `is_elsewhere`: the engine is on another machine, so only its own answer counts.
    Raises GpuMissing when a GPU is demanded and a link to it is broken, naming the link.
    """
    # Read for the CPU as well: the answer is part of the decision's document.
    host, refused = asked or try_host()
    if requested == "cpu":
        return Decision("cpu", "asked for", host, NOT_ASKED, "asked-for-cpu")
    if not wants_gpu and requested == "auto":
        return Decision("cpu", "no service of this project asks for a GPU", host, NOT_ASKED, "no-service-wants-gpu")
    if requested == "gpu":
        # Only Docker's answer counts: the engine may be on another machine.
        return _demanded(_judged(host, probe(), refused))
    # If this machine already settles it, the probe of Docker (0.2 s) is skipped.
    unusable = None if is_elsewhere else _unusable(host, refused)
    return unusable or _judged(host, probe(), refused)


def with_containers(decision: Decision, containers: "Sequence[ContainerGpu]") -> Decision:
    """The decision beside what the running containers see of the GPU."""
    found = replace(decision, containers=tuple(containers))
    if not found.lost or found.device == "cpu":
        return found
    names = " ".join(sorted({one.service for one in found.lost}))
    # Seen after `systemctl daemon-reload`; a restart of the container brings the GPU back.
    why = f"{decision.why}; but {names} lost it while running: {found.lost[0].problem}"
    return replace(found, why=why, reason="lost-after-daemon-reload", remedy=f"`invoke restart {names}`")


def _unusable(host: HostGpus | None, refused: NvmlRefused | None) -> Decision | None:
    """The decision where this machine's cards already settle it; None when Docker must be asked."""
    if refused:
        return Decision("cpu", str(refused), None, NOT_ASKED, REASON_OF_PROBLEM[refused.kind], refused.remedy)
    if host and not any(device.is_usable for device in host.devices):
        problems = [device.problem for device in host.devices if device.problem]
        why = f"{host.names} cannot be used: {problems[0] if problems else 'MIG is on, and there is no instance'}"
        remedy = LOST_CARD_REMEDY if problems else MIG_REMEDY
        return Decision("cpu", why, host, NOT_ASKED, "no-usable-card", remedy)
    return None


def _judged(host: HostGpus | None, docker: DockerGpu, refused: NvmlRefused | None) -> Decision:
    if docker.is_usable:
        where = f"{host.names}, driver {host.driver}, usable from Docker" if host else "usable from Docker"
        return Decision("gpu", where, host, docker)
    if refused and docker.broken_link != "engine":
        # Without a driver, repairing Docker first would not help.
        remedy = refused.remedy or ADVICE["driver"]
        return Decision("cpu", str(refused), None, docker, REASON_OF_PROBLEM[refused.kind], remedy)
    why = f"{_here(host)}, but {docker.reason}" if host else docker.reason
    return Decision("cpu", why, host, docker, REASON_OF_LINK[docker.broken_link], ADVICE[docker.broken_link])


def _here(host: HostGpus) -> str:
    return f"{host.names} {'are' if len(host.devices) > 1 else 'is'} here"


def _demanded(decision: Decision) -> Decision:
    if decision.device == "gpu":
        return replace(decision, why=f"requested, and {decision.why}")
    raise GpuMissing(f"A GPU was requested and is not available ({decision.reason}): {decision.why}.", decision.remedy)


def is_news(decision: Decision, before: Device, requested: Request) -> bool:
    """Whether to report it: another device than before, one that was requested, or something to repair."""
    return decision.device != before or requested == "gpu" or decision.reason not in EXPECTED
