"""Explains a failed build: file and line first, then the reason, and what to type."""

import re
from contextlib import suppress
from os.path import relpath
from pathlib import PurePosixPath

from layerstack.build.buildlog import BuildReport, Step
from layerstack.build.definition_failure import read_definition_failure
from layerstack.build.elsewhere import BUILD_HERE
from layerstack.build.step_lack import find_lack
from layerstack.build.step_text import bare
from layerstack.build.tool_failure import ToolFailure, read_failure, shown_lines
from layerstack.dockerfile.context import Context
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.understood import FLAGS
from layerstack.engine import engine, texts
from layerstack.errors import BuildFailed, EngineError, NoRoom, StackError
from layerstack.project import missing_base, missing_image
from layerstack.project.image_name import login_command, repository_of
from layerstack.project.project import Project
from layerstack.wording import did_you_mean, near_path, nearest, short

DISK_FULL = r"no space left on device"
# Official images whose names are mistyped most.
OFFICIAL = (
    *("python", "node", "debian", "ubuntu", "alpine", "nginx", "redis", "postgres", "mongo", "mysql", "mariadb"),
    *("golang", "rust", "ruby", "php", "eclipse-temurin", "busybox", "httpd", "rabbitmq", "memcached"),
)
# Flags that only newer frontends, or those of the labs channel, understand.
LABS_FLAGS = {"device", "exclude", "parents", "security", "unpack"}
OWN_FRONTEND = "Without its `# syntax=` line the engine's own frontend reads the file."
# The first match counts.
ADVICE = (
    (
        r"rpc error: code = Unavailable|error reading from server|failed to list workers|no builder \S+ found",
        f"The builder is gone or cannot be reached: {BUILD_HERE}.",
    ),
    (r"failed to resolve source metadata for \S*docker/dockerfile:", OWN_FRONTEND),
    (r"unset ssh forward key", "Add `ssh: [default]` to the `build:` of its service, and run `ssh-add` before."),
    (
        r"secret \S+: not found",
        "Name it in the `secrets:` of the `build:`, and give it a `file:` or an `environment:`.",
    ),
    (DISK_FULL, "The disk is full: `invoke clean` frees this project's cache, `df -h` shows the rest."),
    (
        r"invalid UTF-8",
        "A file name in the build context is not UTF-8, which BuildKit does not take: rename the file or ignore it.",
    ),
    (
        r"certificate verify failed|self.signed certificate|unable to get local issuer",
        "See TLS in docs/build-guide.md.",
    ),
)
# Seen with BuildKit 0.25: a source of COPY that is not in its context or stage.
_NOT_COPIED = re.compile(r'failed to calculate checksum of ref \S+: "/?(?P<path>[^"]+)": not found')
# `unknown instruction: CDM (did you mean ADD?)`: BuildKit's guess counts no swapped letters.
_UNKNOWN_WORD = re.compile(r"unknown instruction: (?P<word>\S+)")
# `base-x:latest: failed to resolve source metadata for docker.io/library/base-x:latest: pull access denied`
_NO_IMAGE = re.compile(r"(?P<name>[^\s:]+(?::[\w.-]+)?): failed to resolve source metadata for|pull access denied for")
# `buidler: failed to resolve source metadata for …: not found (did you mean builder?)`
_NEAR_STAGE = re.compile(r"(?P<name>[^\s:]+): failed to resolve source metadata for .*\(did you mean (?P<near>\S+)\?\)")
# Of the image in `# syntax=`, which no FROM names.
_NO_FRONTEND = re.compile(r"failed to resolve source metadata for (?:docker\.io/(?:library/)?)?(?P<name>\S+): ")
_SYNTAX = re.compile(r"\| >>> #\s*syntax\s*=", re.IGNORECASE)
# `  12 | >>>     mkdir /data`; BuildKit leaves out blank lines only at the end of a file.
_SHOWN_LINE = re.compile(r"^\s*(?P<number>\d+) \|(?: (?P<mark>>>>)|    )? ?(?P<text>.*\S.*)$")
_GOES_ON = re.compile(r"(?:&&|\|\|?|,)\s*$")
# `9 | >>> RUN <<EOF`
_OPEN_HEREDOC = re.compile(r">>> .*<<-?\s*['\"]?(?P<name>\w+)")
# `unknown flag: --parents`
_UNKNOWN_FLAG = re.compile(r"unknown flag: --(?P<flag>[\w-]+)")
# `base name ($NODE) should not be blank`
_BLANK_BASE = re.compile(r"base name \((?P<text>\S*?\$\{?(?P<name>\w+)[^)]*)\) should not be blank")
_MISSING = re.compile(r"failed to resolve source metadata|pull access denied")
# `dial tcp: lookup registry-1.docker.io: no such host`
_OFFLINE = re.compile(r"no such host|i/o timeout|connection refused|network is unreachable|name resolution")
# `ERROR: target app: failed to solve: process "/bin/sh -c npm ci" did not complete successfully: exit code: 1`
_SOLVE = re.compile(r"^ERROR: (?:target \S+: )?(?:failed to solve: )?(?P<text>.+)$", re.MULTILINE)
# `Dockerfile:18`, a line of its own
_PLACE = re.compile(r"^(?P<place>\S[^:\n]*:\d+)$", re.MULTILINE)


def failure(report: BuildReport, project: Project) -> StackError:
    """A failed call as an error: the place, why, the lines around it, and what to do where that is known."""
    if texts.says(report.message, *texts.UNREACHABLE):
        return EngineError("The Docker engine stopped answering.", "`invoke doctor` shows what is wrong.")
    found = _explained(report, project)
    if isinstance(found, BuildFailed):
        found.said = report.message + report.failed_log
    return found


def _explained(report: BuildReport, project: Project) -> StackError:
    text = report.message + report.failed_log
    # A full disk may be reported by Buildx only, or only by the program in the step.
    kind = NoRoom if re.search(DISK_FULL, text, re.IGNORECASE) else BuildFailed
    if report.failed:
        return _of_step(report, report.failed, project, kind)
    message = _placed(report.message, project)
    place, solved = _PLACE.search(message), _SOLVE.findall(message)
    # Files are searched only when BuildKit names no line itself.
    if not place and (fault := read_definition_failure(message, project)):
        return kind(fault.reason, fault.repair)
    if not place or not solved:
        reason = f" {solved[-1]}" if len(solved) == 1 and not place else ""
        return kind(f"The build failed:{reason}\n{_indent(message)}", _advice(text, project))
    found = _of_definition(solved[-1], message, project)
    return kind(_joined(f"{place['place']}: {found.reason}", _excerpt(message)), found.repair or _advice(text, project))


def _of_step(report: BuildReport, step: Step, project: Project, kind: type[StackError]) -> StackError:
    image = project.images.get(step.image)
    # The error of a COPY says what is missing; only the context and its ignore file show why.
    found = _not_copied(step, image, project) or read_failure(report.failed_log, image.context if image else "")
    exit_code = re.search(r"exit code: \d+", step.error)
    if not found.repair and (lack := find_lack(step, image, project, (report.failed_log, found.reason))):
        found = lack
    said = found.reason or (exit_code[0] if exit_code else step.error)
    parts = [
        f"{step.place or step.image}: `{short(bare(step.instruction), 60)}` failed: {said}",
        f"  image {step.image}, step {step.name.partition(step.instruction)[0].strip()}"
        + (f", {exit_code[0]}" if exit_code else ""),
        _excerpt(report.message),
        _indent("\n".join(shown_lines(report.failed_log))),
    ]
    return kind(_joined(*parts), found.repair or _advice(report.message + report.failed_log, project))


def _not_copied(step: Step, image: Image | None, project: Project) -> ToolFailure | None:
    """A missing source of COPY: excluded by a rule, misspelt, or in another stage."""
    match = _NOT_COPIED.search(step.error)
    if not match or image is None:
        return None
    path = match["path"]
    if other := re.search(r"--from=(?P<name>\S+)", step.instruction):
        return ToolFailure(f"there is no /{path} in {other['name']}")
    folder = project.root / image.context
    sent = Context(folder, image.dockerfile)
    line, _ = sent.rule_against(path)
    if (folder / path).exists() and line and sent.ignore_file:
        place = f"{relpath(sent.ignore_file, project.root)}:{line}"
        repair = f"Remove that rule, or add `!{path}` below it."
        return ToolFailure(f"`{path}` is left out of the build context by {place}", repair)
    if (folder / path).is_symlink():
        reason = (
            f"`{path}` is a link to {(folder / path).readlink()}, which is not in the build context {image.context}"
        )
        return ToolFailure(reason, "Copy the file itself into the build context.")
    reason = f"there is no `{path}` in the build context {image.context}"
    near = near_path(folder / path, lambda one: True)
    return ToolFailure(reason, f"Did you mean `{near.relative_to(folder)}`?" if near else "")


def _of_definition(text: str, message: str, project: Project) -> ToolFailure:
    """The problem of a Dockerfile that BuildKit could not start to build; `message` has its lines."""
    # The place in front of the sentence already has the line.
    said = re.sub(r"^dockerfile parse error on line \d+: ", "", text).strip()
    return _misspelt(text, message) or _absent(text, message, project) or ToolFailure(said)


def _misspelt(text: str, message: str) -> ToolFailure | None:
    """An instruction, a flag, a variable or a stage that is not there."""
    if match := _UNKNOWN_WORD.search(text):
        return _continued(match["word"], message) or ToolFailure(
            f"unknown instruction {match['word']}", did_you_mean(match["word"].upper(), FLAGS)
        )
    if match := _OPEN_HEREDOC.search(message) if "unterminated heredoc" in text else None:
        return ToolFailure(
            f"its heredoc has no end ({match['name']})", f"Write `{match['name']}` alone on the line below its last."
        )
    if match := _UNKNOWN_FLAG.search(text):
        return ToolFailure(f"unknown flag --{match['flag']}", _near_flag(match["flag"]))
    if match := _BLANK_BASE.search(text):
        repair = f"Give it a value: `ARG {match['name']}=IMAGE` above the first FROM, or in the `args:` of the build."
        return ToolFailure(f"FROM {match['text']}: {match['name']} has no value here", repair)
    if match := _NEAR_STAGE.search(text):
        return ToolFailure(f"there is no stage, context or image {match['name']}", f"Did you mean {match['near']}?")
    return None


def _continued(word: str, message: str) -> ToolFailure | None:
    """A line that was to go on with the one above it, whose end lacks the backslash."""
    lines = [match for line in message.splitlines() if (match := _SHOWN_LINE.match(line))]
    marked = next((number for number, match in enumerate(lines) if match["mark"]), 0)
    above = lines[marked - 1] if marked else None
    if above is None or not (_GOES_ON.search(above["text"]) or re.match(r"\s", lines[marked]["text"])):
        return None
    # The backslash of a line that ends with one is not what is missing.
    if above["text"].rstrip().endswith("\\"):
        return None
    reason = f"`{word}` is no instruction, and line {above['number']} above it ends without a backslash"
    return ToolFailure(reason, f"End line {above['number']} with ` \\`.")


def _absent(text: str, message: str, project: Project) -> ToolFailure | None:
    """A frontend or an image that the engine does not have and cannot get."""
    where = "is not on this engine, and no registry answers" if _OFFLINE.search(text) else "is in no registry"
    if _SYNTAX.search(message) and (match := _NO_FRONTEND.match(text)):
        return ToolFailure(f"the frontend {match['name']} {where}", OWN_FRONTEND)
    if match := _NO_IMAGE.search(text):
        name = match["name"] or text.partition("pull access denied for ")[2].split(",")[0]
        declared = missing_base.advice_for(project, text)
        here = _here_instead(name)
        return ToolFailure(f"the image {name} {where}", declared or here or _way_to_image(name, project))
    return None


def _here_instead(name: str) -> str:
    """Another tag of the same repository that this engine has."""
    tags: list[str] = []
    # Without an engine that answers nothing is known of its images.
    with suppress(EngineError):
        found = engine.client().api.images(name=repository_of(name))
        tags = [tag for one in found for tag in one.get("RepoTags") or ()]
    near = nearest(name, tags, 0) or next(iter(tags), "")
    return f"Write `{near}`, which is on this engine, or get the other: `docker pull {name}`." if near else ""


def _near_flag(flag: str) -> str:
    if flag in LABS_FLAGS:
        return "The engine's own frontend does not have it: begin the file with `# syntax=docker/dockerfile:1-labs`."
    near = nearest(flag, frozenset[str]().union(*FLAGS.values()))
    return f"Did you mean --{near}?" if near else ""


def _way_to_image(name: str, project: Project) -> str:
    """A name like it, and the team's registry, from which only `setup` takes what no base is."""
    near, registry = _near_image(name, project), project.settings.registry
    if not registry:
        return near
    shared = f"`invoke setup` looks for it in {registry}."
    return f"{near} If the name is right: {shared}" if near else shared


def _near_image(name: str, project: Project) -> str:
    repository, _, tag = name.partition(":")
    own = {one.partition(":")[0]: one for image in project.images.values() for one in (image.name, *image.names)}
    near = nearest(repository, [*own, *OFFICIAL], 0.75)
    # If the name itself is right, the tag or the registry is the problem.
    if not near or near == repository:
        return ""
    return f"Did you mean {own.get(near, near + (f':{tag}' if tag else ''))}?"


def _placed(message: str, project: Project) -> str:
    # Buildx names a Dockerfile that it cannot read by the last part of its path.
    target = re.search(r"^ERROR: target (?P<name>\S+): ", message, re.MULTILINE)
    image = project.images.get(target["name"]) if target else _by_line(message, project)
    if image is None:
        return message
    name = PurePosixPath(image.dockerfile_place).name
    return re.sub(rf"^{re.escape(name)}:(?=\d+$)", f"{image.dockerfile_place}:", message, count=1, flags=re.MULTILINE)


def _by_line(message: str, project: Project) -> Image | None:
    """The image whose Dockerfile has the line that the message marks, when it names no target."""
    marked = re.search(r"^\s*(?P<line>\d+) \| >>> (?P<text>.*)$", message, re.MULTILINE)
    if marked is None:
        return None
    for image in project.images.values():
        with suppress(OSError):
            file = project.root / image.context / image.dockerfile
            # The number alone is not enough: nearly every Dockerfile has a line of that number.
            lines = file.read_text(errors="replace").splitlines() if image.dockerfile else []
            if lines[int(marked["line"]) - 1 :][:1] == [marked["text"]]:
                return image
    return None


def _advice(text: str, project: Project) -> str:
    # A base that the project only has to declare is in no registry: the advice to log in would not help.
    if declared := missing_base.advice_for(project, text):
        return declared
    known = next((advice for pattern, advice in ADVICE if re.search(pattern, text, re.IGNORECASE)), "")
    if known or not _MISSING.search(text):
        return known
    if _OFFLINE.search(text):
        return missing_image.way_to_get(project.root)
    return f"If it is private: `{login_command(next(missing_image.named_in(text), ''))}`."


def _excerpt(message: str) -> str:
    """The lines of the Dockerfile around the place, as BuildKit shows them."""
    return _indent("\n".join(line for line in message.splitlines() if re.match(r"^\s*\d+ \|\s*\S", line)))


def _joined(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def _indent(text: str) -> str:
    return "\n".join(f"  | {line}" for line in text.strip("\n").splitlines())
