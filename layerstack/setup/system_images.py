"""System images (node, python, cuda, mongo …): stored here, pulled from a registry, or replaced by a stand-in."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from layerstack import command
from layerstack.engine import engine
from layerstack.engine.client import EngineClient
from layerstack.engine.container import STAND_IN_LABEL
from layerstack.errors import EngineError, NotInEngine, UsageError, reason
from layerstack.image_runtimes import STAND_IN_PREFIX
from layerstack.project import answers, choices
from layerstack.project.image_name import host_of
from layerstack.project.project import BAKE_NAMES
from layerstack.registry.system_images import fetch
from layerstack.registry.team import TeamRegistry
from layerstack.report import Say
from layerstack.setup import registry
from layerstack.setup.registry import PullOutcome
from layerstack.setup.stand_ins import StandIn, build_stand_ins, read_stand_ins

# Bake variables such as NODE_IMAGE and CUDA_RUNTIME_IMAGE hold the names of system images.
VARIABLE_SUFFIX = "_IMAGE"
GPU_ONLY_PREFIX = "CUDA_"
OWN_BAKE_FILES = ("docker-bake.hcl", "docker-bake.json")


@dataclass(frozen=True)
class SystemImage:
    """The image that a bake variable names; `image_id` is "" when it is not stored here."""

    variable: str
    reference: str
    official: str
    is_stand_in: bool = False
    image_id: str = ""


def prepare(root: Path, pull: bool, device: str, say: Say, team: TeamRegistry | None = None) -> list[SystemImage]:
    """Get every system image: a stored one stays, a missing one is pulled, else a stand-in is built.

    A team's registry comes first. `pull` pulls all of them from the official one, which replaces stand-ins. Images for
    the GPU (CUDA_…) are left out unless `device` is "gpu". Raises EngineError when an image is unobtainable, and
    BuildFailed.
    """
    # The user may have edited `.env` since the last setup, and bake does not read that file.
    choices.refresh(root)
    docker = engine.client()
    wanted = [_look_up(docker, image) for image in read_wanted(root, device)]
    if team and not pull:
        wanted = _with_shared(docker, root, wanted, team, say)
    ask_for = [image for image in wanted if pull or not image.image_id]
    if not ask_for:
        return wanted
    ask_for = _with_officials(root, ask_for)
    outcomes = _pull_all(ask_for, say)
    pulled = {image.variable: image.official for image in ask_for if outcomes[image.variable].is_pulled}
    # None removes a remembered stand-in, so that the project's own default counts again.
    choices.remember(root, dict.fromkeys(pulled))
    _report_kept(ask_for, outcomes, say)
    lacking = [image for image in ask_for if image.variable not in pulled and not image.image_id]
    built = _build_lacking(docker, root, lacking, outcomes, say)
    return [_settle(docker, image, {**pulled, **built}) for image in wanted]


def _with_shared(
    docker: EngineClient, root: Path, wanted: Sequence[SystemImage], team: TeamRegistry, say: Say
) -> list[SystemImage]:
    """The images after pulling missing ones from a team's registry: the image itself, else its stand-in."""
    lacking = [image for image in wanted if not image.image_id]
    if not lacking:
        return list(wanted)
    declared = read_stand_ins(root)
    tags = {image.variable: declared[image.variable].tag for image in lacking if image.variable in declared}
    groups = [[name for name in (image.reference, tags.get(image.variable)) if name] for image in lacking]
    fetched = fetch(team, groups, say)
    by_stand_in = {
        image.variable: tags[image.variable]
        for image in lacking
        if image.reference not in fetched and tags.get(image.variable) in fetched
    }
    _report_outvoted(choices.remember(root, by_stand_in), say)
    found = {image.variable: image.reference for image in lacking if image.reference in fetched}
    return [_settle(docker, image, {**found, **by_stand_in}) for image in wanted]


def read_wanted(root: Path, device: str) -> list[SystemImage]:
    """The system images that the project's bake files declare; [] without bake files.

    Environment variables override remembered choices, which override the project's defaults.
    """
    if not any((root / name).is_file() for name in OWN_BAKE_FILES):
        return []
    return [
        SystemImage(name, reference, reference)
        for name, reference in _bake_variables(root, ()).items()
        if device == "gpu" or not name.startswith(GPU_ONLY_PREFIX)
    ]


def _bake_variables(root: Path, files: Sequence[str]) -> dict[str, str]:
    flags = [flag for name in files for flag in ("--file", name)]
    argv = ("docker", "buildx", "bake", *flags, "--list=type=variables,format=json")
    # Every start asks, and the call takes 0.25 s.
    key = answers.key_of(root, [argv], {})
    if kept := answers.recall(root, key):
        return dict(kept)
    read = answers.digests_of(root / name for name in BAKE_NAMES)
    listed = json.loads(command.run(argv, cwd=root).require().stdout)
    found = {one["name"]: one["value"] for one in listed if one["name"].endswith(VARIABLE_SUFFIX) and one.get("value")}
    answers.keep(root, key, read, found, {})
    return found


def _look_up(docker: EngineClient, image: SystemImage) -> SystemImage:
    try:
        found = docker.images.get(image.reference)
    except NotInEngine:
        return image
    except EngineError as error:
        raise UsageError(f"{image.variable}={image.reference}: {reason(error)}") from error
    stands_in_for = (found.labels or {}).get(STAND_IN_LABEL)
    return replace(
        image, official=stands_in_for or image.official, is_stand_in=bool(stands_in_for), image_id=found.id or ""
    )


def _with_officials(root: Path, images: Sequence[SystemImage]) -> list[SystemImage]:
    """The images with the project's default as `official` where a stand-in was remembered."""
    # The defaults cost another call of bake, and are needed for stand-ins only.
    if not any(image.reference.startswith(STAND_IN_PREFIX) for image in images):
        return list(images)
    defaults = _bake_variables(root, [name for name in OWN_BAKE_FILES if (root / name).is_file()])
    return [
        replace(image, official=defaults.get(image.variable, image.official))
        if image.reference.startswith(STAND_IN_PREFIX)
        else image
        for image in images
    ]


def _pull_all(images: Sequence[SystemImage], say: Say) -> dict[str, PullOutcome]:
    # One after the other: a registry that did not respond once is not tried again.
    silent: dict[str, PullOutcome] = {}
    outcomes = {}
    for image in images:
        host = host_of(image.official)
        outcome = silent.get(host) or registry.pull(image.official, say)
        if not outcome.is_pulled and not outcome.is_refused:
            silent[host] = outcome
        outcomes[image.variable] = outcome
    return outcomes


def _report_kept(images: Sequence[SystemImage], outcomes: Mapping[str, PullOutcome], say: Say) -> None:
    """Report the images that could not be pulled and stay in use, grouped by reason."""
    kept: dict[str, list[str]] = {}
    for image in images:
        if image.image_id and not outcomes[image.variable].is_pulled:
            stand_in = f" (a stand-in, not the official {image.official})" if image.is_stand_in else ""
            kept.setdefault(outcomes[image.variable].reason, []).append(f"  {image.reference}{stand_in}")
    for why, lines in kept.items():
        say(f"could not be pulled: {why}; still in use:")
        for line in lines:
            say(line)


def _build_lacking(
    docker: EngineClient,
    root: Path,
    lacking: Sequence[SystemImage],
    outcomes: Mapping[str, PullOutcome],
    say: Say,
) -> dict[str, str]:
    """Find or build stand-ins for the images, and remember them; variable → tag."""
    if not lacking:
        return {}
    for image in lacking:
        # A registry that answers and refuses is no reason for a stand-in: the name may be wrong, or a login missing.
        if outcomes[image.variable].is_refused:
            raise _unobtainable(image, outcomes[image.variable])
    declared = read_stand_ins(root)
    chosen = [declared[image.variable] for image in lacking if image.variable in declared]
    _report_without(lacking, declared, outcomes, say)
    if chosen:
        say(f"no container registry responds ({outcomes[lacking[0].variable].reason})")
        # Rebuilding a stand-in gives a new image, and everything built on it would have to be rebuilt.
        absent = [stand_in for stand_in in chosen if not _is_here(docker, stand_in)]
        if here := [stand_in.tag for stand_in in chosen if stand_in not in absent]:
            say(f"STAND-INS that are here are used: {', '.join(here)}")
        if absent:
            say(f"building STAND-INS from packages: {', '.join(stand_in.tag for stand_in in absent)}")
            build_stand_ins(root, absent, say)
        say("  they are not the official images; `invoke setup --pull` replaces them once a registry responds")
    built = {stand_in.variable: stand_in.tag for stand_in in chosen}
    _report_outvoted(choices.remember(root, built), say)
    return built


def _is_here(docker: EngineClient, stand_in: StandIn) -> bool:
    # By the label: another image may have this name.
    return _look_up(docker, SystemImage(stand_in.variable, stand_in.tag, stand_in.tag)).is_stand_in


def _report_without(
    lacking: Sequence[SystemImage],
    declared: Mapping[str, StandIn],
    outcomes: Mapping[str, PullOutcome],
    say: Say,
) -> None:
    for image in lacking:
        if image.variable in declared:
            continue
        if not image.variable.startswith(GPU_ONLY_PREFIX):
            raise _unobtainable(image, outcomes[image.variable])
        say(f"{image.official} is skipped: no registry responds and it has no stand-in (only the GPU image needs it)")


def _report_outvoted(outvoted: Mapping[str, str], say: Say) -> None:
    for name, value in outvoted.items():
        say(f"your own line {name}={value} in .env is kept: the stand-in is not used")


def _settle(docker: EngineClient, image: SystemImage, settled: Mapping[str, str]) -> SystemImage:
    reference = settled.get(image.variable)
    return _look_up(docker, SystemImage(image.variable, reference, reference)) if reference else image


def _unobtainable(image: SystemImage, outcome: PullOutcome) -> EngineError:
    return EngineError(
        f"The system image {image.official} ({image.variable}) is not on this machine and cannot be pulled: "
        f"{outcome.reason}.",
        f"Bring it here (docker load), name another one ({image.variable}=…), or connect this machine to a registry.",
    )
