"""Check of the builder: which one builds, where its images are kept, and whether it exports a build cache."""

from collections.abc import Iterator

from layerstack import command
from layerstack.build.cache_place import INSPECT_SECONDS, why_no_export
from layerstack.engine.engine import EngineFacts
from layerstack.finding import Finding, error, ok

# It is started where it is declared; the other drivers start theirs with the first build.
NOT_STARTED_BY_BUILDX = "remote"
OTHER_BUILDER = (
    "`BUILDX_BUILDER=default` in front of the command builds with the engine itself; `docker buildx ls` lists all."
)


def check_builder(facts: EngineFacts) -> Iterator[Finding]:
    """Can the builder that Buildx would take be used, and what can it export?"""
    # Without --bootstrap, which would start the builder or pull its image.
    asked = command.run(("docker", "buildx", "inspect"), timeout_seconds=INSPECT_SECONDS)
    if not asked.ok:
        said = (asked.stderr.strip().splitlines() or ["no answer"])[-1].removeprefix("ERROR: ")
        yield error("builder", f"`docker buildx inspect`: {said}", OTHER_BUILDER)
        return
    fields = _fields(asked.stdout)
    name, driver = fields.get("Name", ""), fields.get("Driver", "")
    if driver == NOT_STARTED_BY_BUILDX and fields.get("Status") != "running":
        reason = fields.get("Error", f"it is {fields.get('Status', 'silent')}")
        yield error("builder", f"the builder {name} does not answer: {reason}", OTHER_BUILDER)
        return
    lack = why_no_export(driver, facts.storage_driver)
    exports = f"of build caches only type=inline: {lack}" if lack else "build caches of every type"
    yield ok("builder", f"{name} (driver {driver}, image store {facts.storage_driver}) exports {exports}")


def _fields(text: str) -> dict[str, str]:
    """The first value of each name: the builder itself stands before its nodes."""
    found: dict[str, str] = {}
    for name, _, value in (line.partition(":") for line in text.splitlines()):
        found.setdefault(name.strip(), value.strip())
    return found
