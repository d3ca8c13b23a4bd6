"""One reason why a service may not run the current working tree, and the command that repairs it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from layerstack.project.project import Project

Kind = Literal[
    "not-running",
    "old-image",
    "image-missing",
    "source-changed",
    "recipe-changed",
    "system-image-changed",
    "base-behind",
    "base-rebuilt",
    "dependencies-changed",
    "definition-changed",
    "mount-replaced",
    "mount-gone",
    "not-reloaded",
    "old-volume",
    "orphan",
]
# What must happen to the service: its process, its container, its anonymous volumes, its image. An orphan has to go.
Need = Literal["restart", "recreate", "renew", "build", "remove"]


@dataclass(frozen=True)
class Stale:
    """`is_certain` is False where only times indicate it; `repair` brings the whole service up to date."""

    kind: Kind
    detail: str
    need: Need
    is_certain: bool = True
    repair: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "detail": self.detail, "repair": self.repair, "certain": self.is_certain}


def with_repair(project: Project, service: str, image: str, stale: Iterable[Stale]) -> tuple[Stale, ...]:
    """The same reasons, each with the one command that ends all of them; `image` is what `invoke build` calls it."""
    reasons = tuple(stale)
    needs = {one.need for one in reasons}
    return tuple(replace(one, repair=_command(project, service, image, needs)) for one in reasons)


def _command(project: Project, service: str, image: str, needs: set[Need]) -> str:
    if "renew" in needs:
        # Compose hands anonymous volumes on to the next container unless it is told not to.
        renew = project.compose_line("up", "--detach", "--force-recreate", "--renew-anon-volumes", service)
        return f"invoke build {image} && {renew}" if "build" in needs else renew
    if "build" in needs:
        return f"invoke build {image} up {service}"
    return f"invoke {'up' if 'recreate' in needs else 'restart'} {service}"
