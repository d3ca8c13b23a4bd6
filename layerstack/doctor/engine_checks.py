"""Checks of the container engine and of its builder."""

import time
from collections.abc import Iterable, Iterator, Mapping

from layerstack.build.cache_place import why_no_export
from layerstack.build.elsewhere import BUILD_HERE, inspect_builder, read_fields
from layerstack.cache.cache_report import CacheReport
from layerstack.cache.gc_policy import GcRule
from layerstack.doctor.disk_need import DiskNeed
from layerstack.doctor.known_issues import Circumstances, issues_of
from layerstack.engine import engine, texts
from layerstack.engine.client import EngineClient
from layerstack.engine.container import STAND_IN_LABEL
from layerstack.engine.engine import EngineFacts
from layerstack.errors import EngineError, NotInEngine, RefusedByEngine
from layerstack.finding import Finding, error, ok, or_ok, warning
from layerstack.image_runtimes import STAND_IN_PREFIX
from layerstack.moment import epoch_seconds
from layerstack.project.image_name import login_command
from layerstack.wording import listed, megabytes

LOW_DISK_BYTES = 10 * 10**9
# Docker Hub and its mirrors have it.
DEFAULT_REFERENCE = "hello-world:latest"
CLOCK_TOLERANCE_SECONDS = 5.0
# Docker Hub refuses an unknown repository as it refuses a private one.
DENIED = texts.Text("denied", texts.REGISTRY)
# It is started where it is declared; the other drivers start theirs with the first build.
NOT_STARTED_BY_BUILDX = "remote"
OTHER_BUILDER = f"{BUILD_HERE}; `docker buildx ls` lists all."


def check_versions(facts: EngineFacts, circumstances: Circumstances) -> Iterator[Finding]:
    """Are Engine, Buildx and Compose new enough, and free of known issues that this project meets?"""
    try:
        # The room is judged by `disk`, which knows what is missing.
        engine.require_ready(facts, min_free_bytes=0)
    except EngineError as problem:
        yield error("versions", problem.args[0], problem.advice)
    found = (facts.server_version, facts.buildx_version, facts.compose_version)
    for part, version in zip(engine.OLDEST_USABLE, found, strict=True):
        issues = issues_of(part, version, circumstances)
        for issue in issues:
            yield warning(part, f"{version}: {issue.symptom}", issue.remedy)
        if not issues:
            yield ok(part, version)


def check_disk(facts: EngineFacts, need: DiskNeed) -> Iterator[Finding]:
    """Is there enough disk space for the images that are missing?"""
    if facts.disk_free_bytes is None:
        yield ok("disk", f"the engine's data is on another machine ({facts.data_root})")
        return
    free = facts.disk_free_bytes
    detail = f"{megabytes(free)} free in {facts.data_root}, {_need_text(need)}"
    if free < need.bytes or free < LOW_DISK_BYTES:
        remedy = "`invoke clean` removes old images and unused cache; or make room on the disk."
        yield error("disk", detail, remedy)
    else:
        yield ok("disk", detail)


def _need_text(need: DiskNeed) -> str:
    if not need.missing:
        return "every image is present"
    known = f"{megabytes(need.bytes)} needed for {listed(need.missing)}"
    if need.unknown:
        # The first build records the sizes.
        return f"{known}; size unknown: {listed(need.unknown)}"
    return known


def check_gc(report: CacheReport, need: DiskNeed) -> Iterator[Finding]:
    """Does the cache of the base images survive the next garbage collection, and the one after the build?"""
    endangered = [one for one in report.images if one.is_base and one.forecast.status in ("at-risk", "would-drop")]
    remedy = f"`invoke cache` prints the lines for {report.builder.config_file} that keep it; or make room on the disk."
    for one in endangered:
        yield warning("gc", f"the cache of {one.tag} is {one.forecast.status}: {one.forecast.detail}", remedy)
    rule, free = report.builder.layer_rule or GcRule(), report.builder.disk.free_bytes
    if endangered:
        return
    if need.bytes and free is not None and free - need.bytes < rule.min_free_bytes:
        detail = f"the build leaves about {megabytes(max(0, free - need.bytes))} free; {rule.words}"
        yield warning("gc", detail, remedy)
    else:
        yield ok("gc", f"no base image's cache is in danger: {rule.words}")


@or_ok("clock", "the engine's clock agrees with this one")
def check_clock(client: EngineClient) -> Iterator[Finding]:
    """Do the clocks of engine and machine agree? A virtual machine's clock can be late after a sleep."""
    drift_seconds = abs(time.time() - epoch_seconds(client.info()["SystemTime"]))
    if drift_seconds > CLOCK_TOLERANCE_SECONDS:
        remedy = "sudo hwclock --hctosys in the virtual machine (WSL: wsl --shutdown)"
        yield warning("clock", f"the engine's clock is {drift_seconds:.0f} s off", remedy)


def check_registry(client: EngineClient, references: Iterable[str], remedy: str) -> Iterator[Finding]:
    """Can the engine reach the registry of one of these images? Nothing is downloaded."""
    reference = next((one for one in references if _comes_from_registry(client, one)), DEFAULT_REFERENCE)
    try:
        client.api.inspect_distribution(reference)
    except (NotInEngine, RefusedByEngine) as problem:
        said = str(getattr(problem, "explanation", "") or problem.args[0])
        # A registry that refuses is there: only silence is a matter of the network.
        if texts.says(said, *texts.NO_TAG, *texts.NO_ACCESS, *texts.NEEDS_LOGIN, *texts.RATE_LIMIT, DENIED):
            yield warning("registry", f"the registry does not provide {reference}: {said}", login_command(reference))
        else:
            yield warning("registry", f"no registry responds for {reference}: {said}", remedy)
    else:
        yield ok("registry", f"the registry has {reference}")


def _comes_from_registry(client: EngineClient, reference: str) -> bool:
    """Whether an image comes from a registry: one built here has no repository digest."""
    if reference.startswith(STAND_IN_PREFIX):
        return False
    try:
        return bool(client.api.inspect_image(reference).get("RepoDigests"))
    except EngineError:
        # What is not stored here has to come from a registry.
        return True


@or_ok("stand-ins", "none in use")
def check_stand_ins(client: EngineClient, used: Iterable[str]) -> Iterator[Finding]:
    """Does the project use stand-ins for official images? `used` are the external images that it names."""
    images = client.api.images(filters={"label": STAND_IN_LABEL, "dangling": False})
    # A service built on a stand-in has its label, too: the prefix is only in the stand-in's own name.
    tags = {tag for image in images for tag in image.get("RepoTags") or () if tag.startswith(STAND_IN_PREFIX)}
    if named := sorted(tags & set(used)):
        remedy = "invoke setup --pull, once a registry responds"
        yield warning("stand-ins", f"not the official images: {', '.join(named)}", remedy)


def check_builder(facts: EngineFacts, environment: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """Can the builder that Buildx would take be used, and what can it export?"""
    asked = inspect_builder(environment)
    if not asked.ok:
        said = (asked.stderr.strip().splitlines() or ["no answer"])[-1].removeprefix("ERROR: ")
        yield error("builder", f"`docker buildx inspect`: {said}", OTHER_BUILDER)
        return
    fields = read_fields(asked.stdout)
    name, driver = fields.get("Name", ""), fields.get("Driver", "")
    if driver == NOT_STARTED_BY_BUILDX and fields.get("Status") != "running":
        reason = fields.get("Error", f"it is {fields.get('Status', 'silent')}")
        yield error("builder", f"the builder {name} does not answer: {reason}", OTHER_BUILDER)
        return
    lack = why_no_export(driver, facts.storage_driver)
    exports = f"of build caches only type=inline: {lack}" if lack else "build caches of every type"
    yield ok("builder", f"{name} (driver {driver}, image store {facts.storage_driver}) exports {exports}")
