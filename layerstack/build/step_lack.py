"""What a failed step lacks that only its Dockerfile and its build context show: the value of an argument, a file."""

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath

from layerstack.build.buildlog import Step
from layerstack.build.tool_failure import ToolFailure
from layerstack.dockerfile.copy_sources import is_remote
from layerstack.dockerfile.dockerfile import Dockerfile, Stage
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.instruction import Instruction, pairs
from layerstack.dockerfile.recipe import parse_dockerfile
from layerstack.errors import UsageError
from layerstack.presence import is_present
from layerstack.project.declaration import find_declaration
from layerstack.project.project import Project
from layerstack.wording import near_path, nearest, path_below

# `$VERSION`, `${VERSION:?must be given}`
_VARIABLE = re.compile(r"\$\{?(?P<name>[A-Za-z_]\w*)")
_VARIABLE_WHOLE = re.compile(r"\$(?:\{[^}]*\}|\w+)")
# `No such file or directory: 'requirement.txt'`, `cat: settings.txt: No such file or directory`
_NO_FILE = re.compile(
    r"(?:No such file or directory:?|can(?:'t|not) (?:open|find)(?: file| module)?|ENOENT[^'\n]*) "
    r"['\"](?P<path>[^'\"\n]+)"
    r"|(?:: |')(?P<before>[\w./@+-]+)'?: No such file or directory",
    re.IGNORECASE,
)
# Of another machine is `Permission denied (publickey)`.
_DENIED = re.compile(
    r"permission denied(?! \()|EACCES|are you root|must be root|operation not permitted", re.IGNORECASE
)
# `npm error Missing script: "biuld"`
_NO_SCRIPT = re.compile(r"[Mm]issing script: \"?(?P<name>[\w:.-]+)")
# `/bin/sh: 1: ./prepare.sh: not found`, `/bin/sh: /prepare.sh: Permission denied`, `bash: ./x.sh: cannot execute:
# required file not found`
_REFUSED_FILE = re.compile(
    r"sh: (?:(?:line )?\d+: )?(?P<path>\.{0,2}/[\w./@+-]+): "
    r"(?P<why>not found|Permission denied|cannot execute: required file not found|bad interpreter|No such file)"
)
# A path of the system is none that a COPY has left out.
_OF_SYSTEM = ("/usr/", "/etc/", "/bin/", "/lib", "/proc/", "/sys/", "/dev/", "/var/", "/run/")


def find_lack(step: Step, image: Image | None, project: Project, said: tuple[str, str]) -> ToolFailure | None:
    """`said` is the log, and the reason that it gives; None where Dockerfile and context explain nothing."""
    log, reason = said
    if image is None or is_remote(image.context):
        return None
    with suppress(UsageError, ValueError):
        parsed = parse_dockerfile(project.root, image)
        line = int(step.place.rpartition(":")[2] or 0)
        # The stage and the instruction that stand at the line.
        found = [(stage, one) for stage in parsed.stages for one in stage.instructions if one.line == line]
        if found and (lack := _without_value(*found[0], parsed, (image, project), said)):
            return replace(lack, reason=": ".join(filter(None, (reason, lack.reason))))
        if found and (lack := _without_right(*found[0], image, log)):
            return replace(lack, reason=f"{reason}: {lack.reason}")
    if refused := _unrunnable(image, project, log):
        return refused
    # A file that the log misses further up may have been of no importance.
    return _without_script(image, project, log) or _without_file(image, project, reason)


def _without_value(
    stage: Stage, instruction: Instruction, parsed: Dockerfile, of: tuple[Image, Project], said: tuple[str, str]
) -> ToolFailure | None:
    """An argument that the instruction uses, that nothing gives a value, and of which the log speaks."""
    image, project = of
    declared = {name: (value, one.line) for one in _above(stage, instruction, "ARG") for name, value in pairs(one)}
    set_here = {name for one in _above(stage, instruction, "ENV") for name, _ in pairs(one)}
    place = image.dockerfile_place
    for name in dict.fromkeys(match["name"] for match in _VARIABLE.finditer(instruction.raw)):
        # A shell gives values to variables of its own.
        if name in set_here or re.search(rf"(?<![\w$]){name}=|\bfor {name}\b|\bread\b.*\b{name}\b", instruction.raw):
            continue
        if instruction.keyword == "RUN" and not _speaks_of(name, instruction.raw, said):
            continue
        if name not in declared and name in parsed.arguments:
            repair = f"Write `ARG {name}` below {place}:{stage.line}."
            words = f"${name} is empty there: an ARG above the first FROM holds for FROM lines only"
            return ToolFailure(words, repair)
        default, line = declared.get(name, ("", 0))
        if name in declared and default is None and name not in image.args and name not in parsed.arguments:
            build = find_declaration(project, image.name, "build")
            where = f"the `args:` of the build ({build.place})" if build else "the build's `args:`"
            repair = f"Give it one in {where}, or a default: `ARG {name}=VALUE` in {place}:{line}."
            return ToolFailure(f"{name} has no value", repair)
    return None


def _speaks_of(name: str, text: str, said: tuple[str, str]) -> bool:
    """Whether a log may be about an empty variable: it says nothing, its name, or what is left of its word."""
    log, reason = said
    # `https://host/$VERSION.tgz`
    words = re.findall(rf"[^\s\"']*\$\{{?{name}\b[^\s\"']*", text)
    left = [_VARIABLE_WHOLE.sub("", word) for word in words]
    return not reason or bool(re.search(rf"\b{name}\b", log)) or any(len(word) > 2 and word in log for word in left)


def _without_right(stage: Stage, instruction: Instruction, image: Image, log: str) -> ToolFailure | None:
    """A step that runs as the user of a USER above it and may not do what it wants."""
    user = next(reversed(list(_above(stage, instruction, "USER"))), None)
    if user is None or not _DENIED.search(log) or user.text.strip().partition(":")[0] in ("root", "0"):
        return None
    place = f"{image.dockerfile_place}:{user.line}"
    repair = (
        f"Give the user the files (`COPY --chown={user.text}`), or move the step above `USER {user.text}` ({place})."
    )
    return ToolFailure(f"it runs as the user {user.text}", repair)


def _above(stage: Stage, instruction: Instruction, keyword: str) -> Iterator[Instruction]:
    return (one for one in stage.instructions if one.keyword == keyword and one.line < instruction.line)


def _without_script(image: Image, project: Project, log: str) -> ToolFailure | None:
    match = _NO_SCRIPT.search(log)
    if match is None:
        return None
    near = ""
    with suppress(OSError, ValueError):
        scripts = json.loads((project.root / image.context / "package.json").read_text(encoding="utf-8"))["scripts"]
        near = nearest(match["name"], scripts)
    reason = f"package.json has no script {match['name']}"
    return ToolFailure(reason, f"Did you mean `{near}`?" if near else "")


def _unrunnable(image: Image, project: Project, log: str) -> ToolFailure | None:
    """A script of the build context that the step calls by its path, and that does not run."""
    match = _REFUSED_FILE.search(log)
    words = PurePosixPath(match["path"].lstrip("/")).parts if match else ()
    folder = project.root / image.context
    tails = (folder.joinpath(*words[start:]) for start in range(len(words)))
    file = next((one for one in tails if one.is_file()), None)
    if match is None or file is None:
        return None
    shown = path_below(file, project.root)
    first = file.read_bytes()[:200].partition(b"\n")[0]
    if match["why"].lower().startswith("permission"):
        return ToolFailure(
            f"{shown} is not executable", f"`chmod +x {shlex.quote(shown)}`, or `RUN sh {match['path']}`."
        )
    if first.endswith(b"\r"):
        reason = f"{shown} has Windows line ends, which become a part of the name of its interpreter"
        return ToolFailure(
            reason, f"`sed -i 's/\\r$//' {shlex.quote(shown)}`, and `{shown} text eol=lf` into .gitattributes."
        )
    program = first.removeprefix(b"#!").decode(errors="replace").strip().partition(" ")[0]
    if not first.startswith(b"#!"):
        return None
    reason = f"the image has no {program}, which the first line of {shown} names"
    return ToolFailure(reason, f"Correct that line, or install {program} in a step above this one.")


def _without_file(image: Image, project: Project, reason: str) -> ToolFailure | None:
    """A file that the program does not find and the build context has, or has under a similar name."""
    match = _NO_FILE.search(reason)
    path = (match["path"] or match["before"]) if match else ""
    if not path or path.startswith(_OF_SYSTEM):
        return None
    folder = project.root / image.context
    # An absolute path begins with the working directory, which the context does not have.
    words = PurePosixPath(path.lstrip("/")).parts
    for tail in (Path(*words[start:]) for start in range(len(words))):
        if is_present(folder / tail):
            reason = f"there is no {path} in the image, where no step above has copied it"
            return ToolFailure(reason, f"Above this step: `COPY {tail} {path if path.startswith('/') else './'}`.")
        if near := near_path(folder / tail, Path.exists, 0.75):
            return ToolFailure(f"there is no {path} in the image", f"Did you mean `{tail.with_name(near.name)}`?")
    return None
