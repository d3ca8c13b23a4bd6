"""Builds that BuildKit refuses before any step and without naming a line: what is wrong, where, and the edit."""

import re
from collections.abc import Callable
from contextlib import suppress
from os.path import relpath
from pathlib import Path

from layerstack.build.tool_failure import ToolFailure
from layerstack.dockerfile import context, dockerfile
from layerstack.dockerfile.copy_sources import is_remote
from layerstack.dockerfile.dockerfile import find
from layerstack.dockerfile.image import Image
from layerstack.errors import UsageError
from layerstack.project.declaration import find_declaration
from layerstack.project.project import Project
from layerstack.wording import near_path, nearest, path_below


def read_definition_failure(message: str, project: Project) -> ToolFailure | None:
    """The fault of the first image that has one of this kind; its reason names the file. None for other messages."""
    # Buildx names the target only when it builds several.
    target = re.search(r"^ERROR: target (?P<name>\S+): ", message, re.MULTILINE)
    named = project.images.get(target["name"]) if target else None
    # Without a name the first image whose files have the fault is taken.
    images = [named] if named else list(project.images.values())
    for pattern, look in _KINDS:
        if match := re.search(pattern, message):
            found = (look(project, image, match) for image in images)
            return next((one for one in found if one), None)
    return None


def _no_dockerfile(project: Project, image: Image, _: re.Match[str]) -> ToolFailure | None:
    path = find(project.root / image.dockerfile_place)
    if not image.dockerfile or is_remote(image.context):
        return None
    if path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve()):
        repair = f"Write `dockerfile: {relpath(path.resolve(), project.root / image.context)}`."
        return ToolFailure(
            f"{image.dockerfile_place} is a link out of its folder, which BuildKit does not follow", repair
        )
    if path.is_file():
        return None
    repair = f"`dockerfile:` of its `build:` is a path from the build context {image.context}."
    if path.is_dir():
        return ToolFailure(f"{image.dockerfile_place} is a folder, and the Dockerfile of {image.name}", repair)
    near = near_path(path)
    meant = f"Did you mean `{relpath(near, project.root)}`? " if near else ""
    return ToolFailure(f"{image.name} has no Dockerfile: there is no {image.dockerfile_place}.", meant + repair)


def _text(project: Project, image: Image) -> str | None:
    """What its Dockerfile says; None for one that cannot be read here, as of a remote context."""
    if image.inline:
        return image.inline
    try:
        return find(project.root / image.dockerfile_place).read_text(errors="replace")
    except OSError:
        return None


def _no_from(project: Project, image: Image, _: re.Match[str]) -> ToolFailure | None:
    text = _text(project, image)
    if text is None:
        return None
    with suppress(UsageError):
        dockerfile.parse(text, Path(image.dockerfile_place), image.args)
        return None
    return ToolFailure(f"{image.dockerfile_place} has no FROM instruction", "Begin it with `FROM IMAGE`.")


def _no_stage(project: Project, image: Image, match: re.Match[str]) -> ToolFailure | None:
    # BuildKit ignores case in the names of stages.
    if image.target.lower() != match["target"].lower():
        return None
    text = _text(project, image)
    if text is None:
        return None
    with suppress(UsageError):
        path = project.root / image.dockerfile_place
        stages = [one.name for one in dockerfile.parse(text, path, image.args).stages if one.is_named]
        near = nearest(image.target, stages)
        repair = f"Did you mean `{near}`? " if near else ""
        reason = f"{_place(project, image, 'target')}{image.dockerfile_place} has no stage `{image.target}`"
        return ToolFailure(reason, f"{repair}Its stages: {', '.join(stages) or 'none has a name'}.")
    return None


def _no_context(project: Project, image: Image, _: re.Match[str]) -> ToolFailure | None:
    for name, value in image.folders.items():
        path = project.root / value
        if path.is_dir():
            continue
        state = "is a file" if path.exists() else "is not there"
        near = near_path(path, Path.is_dir)
        repair = f"Did you mean `{relpath(near, project.root)}`?" if near else "A build context is a folder."
        which = f"context {name}".rstrip()
        return ToolFailure(f"{_place(project, image)}the build {which} of {image.name} {state}: {value}", repair)
    return None


def _bad_rule(project: Project, image: Image, _: re.Match[str]) -> ToolFailure | None:
    for sent in context.contexts_of(project.root, image).values():
        try:
            sent.require_rules()
        except UsageError as error:
            return ToolFailure(str(error).replace(f"{project.root}/", "").rstrip("."), "Correct that rule.")
    return None


def _lint(project: Project, image: Image, match: re.Match[str]) -> ToolFailure | None:
    with suppress(UsageError):
        parsed = dockerfile.read(project.root / image.dockerfile_place, image.args)
        # Lint ends a build only with the line `# check=error=true`.
        if "error=true" in parsed.directives.get("check", "").lower().replace(" ", ""):
            reason = f"{image.dockerfile_place}: `check=error=true` refuses {match['rules']}"
            return ToolFailure(reason, "`invoke doctor` names the lines.")
    return None


def _entitlement(project: Project, image: Image, match: re.Match[str]) -> ToolFailure | None:
    name = match["name"]
    if name not in (image.definition.get("entitlements") or ()):
        return None
    # daemon.json spells `security.insecure` as `security-insecure`.
    setting = f'"builder": {{"Entitlements": {{"{name.replace(".", "-")}": true}}}}'
    reason = f"{_place(project, image, 'entitlements', 'privileged')}the engine does not allow {name} in builds"
    return ToolFailure(reason, f"Remove it there, or allow it in the engine's daemon.json: {setting}.")


def _no_agent(project: Project, image: Image, _: re.Match[str]) -> ToolFailure | None:
    if not image.definition.get("ssh"):
        return None
    reason = f"{_place(project, image, 'ssh')}the build of {image.name} wants your SSH agent, and none runs"
    return ToolFailure(reason, "`eval $(ssh-agent) && ssh-add`, or name a key there: `default=PATH`.")


def _no_secret(project: Project, image: Image, match: re.Match[str]) -> ToolFailure | None:
    secrets = [one for one in image.definition.get("secret") or () if match["path"] in str(one)]
    if not secrets:
        return None
    path = Path(match["path"])
    # bake gets a resolved definition, so the message has an absolute path.
    shown = path_below(path, project.root)
    reason = f"{_place(project, image, 'secrets')}a secret of the build of {image.name} is to come from {shown}"
    return ToolFailure(f"{reason}, which does not exist", f"Write {shown}, or correct the `file:` of the secret.")


def _no_download(project: Project, image: Image, match: re.Match[str]) -> ToolFailure | None:
    text = _text(project, image) or ""
    line = next((number for number, one in enumerate(text.splitlines(), 1) if match["url"] in one), 0)
    why = match["why"].rpartition(": ")[2].strip() or "no answer"
    reason = f"{image.dockerfile_place}:{line}: {match['url']} cannot be downloaded: {why}"
    return ToolFailure(reason, "Correct the address, or check this machine's network.") if line else None


def _place(project: Project, image: Image, *keys: str) -> str:
    """`compose.yaml:7: ` where its `build:` says it; "" for an image of a bake file."""
    found = (find_declaration(project, image.name, "build", key) for key in keys)
    declared = next((one for one in found if one), None) or find_declaration(project, image.name, "build")
    return f"{declared.place}: " if declared else ""


_Look = Callable[[Project, Image, re.Match[str]], ToolFailure | None]
# Seen with BuildKit 0.25 and Buildx 0.29.
_KINDS: tuple[tuple[str, _Look], ...] = (
    (r"failed to read dockerfile: ", _no_dockerfile),
    (r"contains no stages to build|Dockerfile cannot be empty|file with no instructions", _no_from),
    # `target stage "prd" could not be found (did you mean prod?)`
    (r'target stage "(?P<target>[^"]+)" could not be found', _no_stage),
    (
        r'unable to prepare context: path "[^"]+" not found|failed to evaluate path "[^"]+": not a directory'
        r"|failed to get build context \S+: stat ",
        _no_context,
    ),
    # `failed to stat /srv/shop/no.txt: stat /srv/shop/no.txt: no such file or directory`
    (r"failed to stat (?P<path>.+?): stat ", _no_secret),
    (r"syntax error in pattern|illegal exclusion pattern", _bad_rule),
    (r"lint violation found for rules: (?P<rules>.+)", _lint),
    (r"granting entitlement (?P<name>\S+) is not allowed", _entitlement),
    (r"ssh agent socket", _no_agent),
    # `failed to load cache key: Get "https://x.org/tini": dial tcp: lookup x.org: no such host`
    (r'failed to load cache key: (?:Get|Head) "(?P<url>[^"]+)"(?P<why>.*)', _no_download),
)
