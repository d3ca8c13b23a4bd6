"""What doctor asks the container engine."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from layerstack import engine
from layerstack.engine import EngineFacts
from layerstack.errors import EngineError
from layerstack.finding import Finding, error, ok, warning
from layerstack.known_issues import issues_of

# dockerd cuts the build cache to a tenth of the disk when less than this share is free.
GC_FREE_SHARE = 0.20
LOW_DISK_BYTES = 10 * 10**9
CLOCK_TOLERANCE_SECONDS = 5.0


def check_versions(facts: EngineFacts) -> Iterator[Finding]:
    """Engine, Buildx and Compose: new enough, and no version with a known issue."""
    try:
        engine.require_ready(facts, min_free_bytes=0)
    except EngineError as problem:
        yield error("versions", problem.args[0], problem.advice)
    found = (facts.server_version, facts.buildx_version, facts.compose_version)
    for part, version in zip(engine.OLDEST_USABLE, found, strict=True):
        issues = issues_of(part, version)
        for issue in issues:
            yield warning(part, f"{version}: {issue.symptom}", issue.remedy)
        if not issues:
            yield ok(part, version)


def check_disk(facts: EngineFacts) -> Iterator[Finding]:
    """Room where the engine keeps its data, and whether its garbage collection is about to drop the build cache."""
    if facts.disk_free_bytes is None or not facts.disk_total_bytes:
        yield ok("disk", f"the engine's data is on another machine ({facts.data_root})")
        return
    share = facts.disk_free_bytes / facts.disk_total_bytes
    detail = f"{facts.disk_free_bytes / 10**9:.1f} GB ({share:.0%}) free in {facts.data_root}"
    if facts.disk_free_bytes < LOW_DISK_BYTES:
        yield error("disk", detail, "invoke clean")
    elif share < GC_FREE_SHARE:
        lost = "below 20 % the engine deletes build cache, also the layers of base images"
        yield warning("disk", f"{detail}: {lost}", "invoke clean, or make room on the disk")
    else:
        yield ok("disk", detail)


def check_clock(client: Any) -> Iterator[Finding]:
    """The engine's clock against this one: after a sleep, a virtual machine's clock can be behind."""
    # Nanoseconds are more than Python 3.10 parses.
    engine_time = datetime.fromisoformat(client.info()["SystemTime"][:19] + "+00:00").timestamp()
    drift_seconds = abs(time.time() - engine_time)
    if drift_seconds > CLOCK_TOLERANCE_SECONDS:
        remedy = "sudo hwclock --hctosys in the virtual machine (WSL: wsl --shutdown)"
        yield warning("clock", f"the engine's clock is {drift_seconds:.0f} s off", remedy)
    else:
        yield ok("clock", "the engine's clock agrees with this one")


def check_registry(client: Any, reference: str) -> Iterator[Finding]:
    """Does the registry of this image answer the engine? Nothing is downloaded."""
    from docker.errors import APIError, DockerException

    try:
        client.api.inspect_distribution(reference)
    except APIError as problem:
        said = str(problem.explanation or problem)
        if any(word in said for word in ("unauthorized", "denied", "not found", "manifest unknown", "toomanyrequests")):
            yield warning("registry", f"the registry answers, but not with {reference}: {said}", "docker login")
        else:
            remedy = (
                "Without it, `invoke setup` builds stand-ins where it can. Behind a proxy: the engine's own settings."
            )
            yield warning("registry", f"no registry answers for {reference}: {said}", remedy)
    except DockerException as problem:
        yield warning("registry", f"the engine could not ask for {reference}: {problem}", "invoke doctor, once more")
    else:
        yield ok("registry", f"the registry has {reference}")


def check_stand_ins(client: Any) -> Iterator[Finding]:
    """Images that take the place of official ones on this machine."""
    images = client.api.images(filters={"label": "layerstack.stand-in-for", "dangling": False})
    tags = sorted(tag for image in images for tag in image.get("RepoTags") or () if tag.startswith("stand-in/"))
    named = [tag for tag in tags if not tag.startswith("stand-in/debian")]
    if named:
        yield warning(
            "stand-ins", f"not the official images: {', '.join(named)}", "invoke setup --pull, once a registry answers"
        )
    else:
        yield ok("stand-ins", "none in use")
