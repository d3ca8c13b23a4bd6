"""What an image is made of: a manifest of everything that can change its content, and the digest of that manifest.

The manifest holds too much rather than too little: a skip must never be wrong. What only *could* matter (a file that
a COPY pattern may match, a build argument that no step uses) is part of it; modification times are not.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from layerstack import context, dockerfile
from layerstack.context import Entry, Pattern
from layerstack.dockerfile import Dockerfile, Instruction, Stage
from layerstack.errors import UsageError
from layerstack.project import Image, Project

MANIFEST_VERSION = 1
DEFAULT_CONTEXT = ""
HASH_CHUNK_BYTES = 1 << 20
SETTLED_NS = 2_000_000_000
MOST_KEPT = 200_000
# Keys of a bake target that do not change what is in the image, or are read in their own way below.
UNRELATED_KEYS = {"tags", "output", "cache-from", "cache-to", "context", "contexts", "dockerfile", "args", "labels"}
_DIRECTIVE = re.compile(r"^#\s*(syntax|escape)\s*=", re.IGNORECASE)


@dataclass(frozen=True)
class StepInputs:
    """One numbered step: where it stands, its text, and the context files it reads as `context:path`."""

    stage: str
    index: int
    line: int
    keyword: str
    text: str
    files: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """Everything an image depends on. `files` maps `context:path` to `mode digest`, `parents` a name to an identity."""

    image: str
    dockerfile: str
    platform: str
    target: str
    stages: dict[str, str]
    steps: tuple[StepInputs, ...]
    other_instructions: tuple[str, ...]
    arguments: dict[str, str]
    parents: dict[str, str]
    files: dict[str, str]
    ignore_rules: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    version: int = MANIFEST_VERSION

    @property
    def digest(self) -> str:
        """`sha256:…` of what determines the content; lines and rules by which files were found do not count."""
        content = asdict(self)
        for key in ("ignore_rules", "dockerfile"):
            content.pop(key)
        for step in content["steps"]:
            step.pop("line")
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def from_json(data: Mapping[str, Any]) -> Manifest:
    """Raises KeyError, TypeError or ValueError when the data is not a manifest of this version."""
    if data["version"] != MANIFEST_VERSION:
        raise ValueError(f"manifest version {data['version']}")
    steps = tuple(_step_from_json(step) for step in data["steps"])
    return Manifest(**{**data, "steps": steps, "other_instructions": tuple(data["other_instructions"])})


def _step_from_json(data: Mapping[str, Any]) -> StepInputs:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
    return StepInputs(**values)


class InputReader:
    """Reads manifests of one project; remembers file digests and image ids while it lives."""

    def __init__(self, project: Project, image_ids: Mapping[str, str], platform: str, known: "FileDigests") -> None:
        self._project = project
        self._image_ids = image_ids
        self._platform = platform
        self._known = known
        self._manifests: dict[str, Manifest] = {}

    def read(self, image: Image) -> Manifest:
        """The manifest of an image; parents are read first. Raises UsageError for unreadable files."""
        if image.name not in self._manifests:
            self._manifests[image.name] = self._read(image)
        return self._manifests[image.name]

    def _read(self, image: Image) -> Manifest:
        parsed = parse_dockerfile(self._project.root, image)
        values = {**parsed.arguments, **image.args}
        stages = _needed_stages(parsed, image.target, values)
        folders = local_folders(self._project.root, image)
        contexts = {name: _read_context(folder, image, name) for name, folder in folders.items()}
        steps = tuple(
            _step(stage, index, instruction, values, contexts)
            for stage in stages
            for index, instruction in enumerate(stage.steps)
        )
        wanted = sorted({file for step in steps for file in step.files})
        return Manifest(
            image=image.name,
            dockerfile=str(Path(image.context) / image.dockerfile),
            platform=self._platform,
            target=image.target,
            stages={stage.name: stage.base for stage in stages},
            steps=steps,
            other_instructions=tuple(_other_instructions(parsed, stages)),
            arguments=dict(image.args),
            parents=dict(self._parents(image, stages, values)),
            files={file: self._file_identity(file, folders, contexts) for file in wanted},
            ignore_rules={name: entries.rules for name, entries in contexts.items()},
            settings={key: value for key, value in image.definition.items() if key not in UNRELATED_KEYS},
        )

    def _parents(self, image: Image, stages: Sequence[Stage], values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """(name, identity) of every image from outside this Dockerfile."""
        local = {stage.name.lower() for stage in stages} | {str(stage.index) for stage in stages} | {"scratch"}
        names = {dockerfile.expand(source, values) for stage in stages for source in stage.sources}
        for name in sorted(names):
            value = image.contexts.get(name) or image.contexts.get(name.removesuffix(":latest"))
            if value is None and name.lower() not in local:
                yield name, self._identity(name)
            elif value and value.startswith("target:"):
                yield name, self.read(self._project.image(value.removeprefix("target:"))).digest
            elif value and value.startswith("docker-image://"):
                yield name, self._identity(value.removeprefix("docker-image://"))
            elif value and not _is_folder(self._project.root, value):
                yield name, value

    def _identity(self, reference: str) -> str:
        return self._image_ids.get(reference, f"not on this machine: {reference}")

    def _file_identity(self, file: str, folders: Mapping[str, Path], contexts: Mapping[str, "_Context"]) -> str:
        name, _, path = file.partition(":")
        entry = contexts[name].entries[path]
        return f"{entry.mode & 0o7777:04o} {self._known.of(folders[name] / path, entry)}"


class FileDigests:
    """Digests of file contents, kept between runs by size, times and inode."""

    def __init__(self, known: Mapping[str, Any] | None = None) -> None:
        self._known = dict(known or {})
        self._used: dict[str, Any] = {}

    def of(self, path: Path, entry: Entry) -> str:
        """`dir`, `link TARGET`, or the sha256 of the content. Raises UsageError when the file cannot be read."""
        if entry.is_folder:
            return "dir"
        if entry.is_link:
            return f"link {path.readlink()}"
        if not entry.is_file:
            return "special"
        mark = [entry.size, entry.mtime_ns, entry.changed_ns, entry.inode]
        known = self._known.get(str(path))
        digest = str(known[1]) if known and known[0] == mark else _sha256(path)
        # A file changed a moment ago may change again without its times moving on: it is read again next time.
        if time.time_ns() - entry.changed_ns > SETTLED_NS:
            self._used[str(path)] = [mark, digest]
        return digest

    @property
    def is_changed(self) -> bool:
        return any(self._known.get(path) != value for path, value in self._used.items())

    def kept(self) -> dict[str, Any]:
        """What to remember: everything known, with what was read now on top; forgotten when it grows too large."""
        merged = {**self._known, **self._used}
        return merged if len(merged) <= MOST_KEPT else dict(self._used)


@dataclass(frozen=True)
class _Context:
    entries: dict[str, Entry]
    rules: str


def parse_dockerfile(root: Path, image: Image) -> Dockerfile:
    """The Dockerfile of an image, also when it stands inside the Compose or bake file."""
    inline = image.definition.get("dockerfile-inline")
    path = Path(image.context) / image.dockerfile
    if inline:
        return dockerfile.parse(str(inline), path, image.args)
    return dockerfile.read(root / path, image.args)


def local_folders(root: Path, image: Image) -> dict[str, Path]:
    """Context name → folder: "" for the build context, named ones where they are folders."""
    named = {name: root / value for name, value in image.contexts.items() if _is_folder(root, value)}
    return {DEFAULT_CONTEXT: root / image.context, **named}


def is_covered(path: str, pattern: str) -> bool:
    """Whether a COPY source pattern takes a file: the file itself, something above it, or a wildcard match."""
    wanted = os.path.normpath(pattern).lstrip("/")
    if wanted in (".", ""):
        return True
    expression = context.wildcard(wanted)
    parts = path.split("/")
    return any(expression.match("/".join(parts[: count + 1])) for count in range(len(parts)))


def copy_sources(instruction: Instruction, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(context or stage, path pattern) of everything an instruction reads; "" is the build context."""
    if instruction.keyword == "RUN":
        yield from _mount_sources(instruction.text, values)
    if instruction.keyword not in ("COPY", "ADD"):
        return
    words = instruction.text.split()
    flags = [word for word in words if word.startswith("--")]
    source = next(
        (dockerfile.expand(flag.partition("=")[2], values) for flag in flags if flag.startswith("--from=")), ""
    )
    operands = _operands(instruction.text, len(flags))
    for operand in operands[:-1]:
        if not operand.startswith("<<"):
            yield source, dockerfile.expand(operand, values) if "$" in operand else operand


def _mount_sources(text: str, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for mount in re.findall(r"--mount=(\S+)", text):
        options = dict(part.partition("=")[::2] for part in mount.split(","))
        if options.get("type", "bind") == "bind":
            source = options.get("source") or options.get("src") or "."
            yield dockerfile.expand(options.get("from", ""), values), dockerfile.expand(source, values)


def _operands(text: str, flag_count: int) -> list[str]:
    rest = text.split(None, flag_count)[flag_count] if flag_count < len(text.split()) else ""
    if rest.startswith("["):
        try:
            return [str(word) for word in json.loads(rest)]
        except ValueError:
            return [".", "."]
    return rest.split()


def _step(
    stage: Stage, index: int, instruction: Instruction, values: Mapping[str, str], contexts: Mapping[str, _Context]
) -> StepInputs:
    stage_values = {**values, **_stage_values(stage, instruction, values)}
    files: set[str] = set()
    for source, pattern in copy_sources(instruction, stage_values):
        if source in contexts:
            # A pattern that still holds a variable could be anything: take all.
            wanted = "." if "$" in pattern or not pattern else pattern
            files |= {f"{source}:{path}" for path in contexts[source].entries if is_covered(path, wanted)}
    return StepInputs(
        stage=stage.name,
        index=index,
        line=instruction.line,
        keyword=instruction.keyword,
        text="\n".join((instruction.text, *instruction.heredocs)),
        files=tuple(sorted(files)),
        sources=tuple(source for source, _ in copy_sources(instruction, stage_values) if source),
        arguments=tuple(sorted(_visible_arguments(stage, instruction))),
    )


def _stage_values(stage: Stage, until: Instruction, values: Mapping[str, str]) -> dict[str, str]:
    """ENV and ARG values of a stage up to an instruction, as far as they are plain."""
    found: dict[str, str] = {}
    for one in stage.instructions:
        if one.line >= until.line:
            break
        if one.keyword in ("ARG", "ENV"):
            for name, value in re.findall(r"(\w+)=(\"[^\"]*\"|'[^']*'|\S*)", one.text):
                default = dockerfile.expand(value.strip("\"'"), {**values, **found})
                found[name] = values.get(name, default) if one.keyword == "ARG" else default
    return found


def _visible_arguments(stage: Stage, instruction: Instruction) -> set[str]:
    """Build arguments that can change a step: every declared one for RUN, the ones it names for others."""
    declared = {
        word.partition("=")[0]
        for one in stage.instructions
        if one.keyword == "ARG" and one.line < instruction.line
        for word in one.text.split()
    }
    if instruction.keyword == "RUN":
        return declared
    return {name for name in declared if re.search(rf"\$\{{?{re.escape(name)}\b", instruction.text)}


def _needed_stages(parsed: Dockerfile, target: str, values: Mapping[str, str]) -> tuple[Stage, ...]:
    """The stages of the build; all of them when a source is named by a variable that is not known here."""
    if target and parsed.stage(target) is None:
        names = ", ".join(stage.name for stage in parsed.stages)
        raise UsageError(f"{parsed.path} has no stage `{target}`.", f"Its stages: {names}.")
    named = [source for stage in parsed.stages for source in stage.sources]
    if any("$" in source and dockerfile.expand(source, values) == "" for source in named):
        return parsed.stages
    return parsed.reachable(target)


def _other_instructions(parsed: Dockerfile, stages: Sequence[Stage]) -> Iterator[str]:
    """Everything that is no numbered step (ENV, ARG, USER, CMD, …), and parser directives."""
    for line in parsed.head:
        if _DIRECTIVE.match(line):
            yield line.strip()
    for name, value in parsed.arguments.items():
        yield f"ARG {name}={value}"
    for stage in stages:
        for one in stage.instructions:
            if one.keyword not in dockerfile.STEP_KEYWORDS:
                yield f"{stage.name}: {one.keyword} {one.text}"


def _read_context(folder: Path, image: Image, name: str) -> _Context:
    if not folder.is_dir():
        raise UsageError(f"The build context of {image.name} is not a folder: {folder}.")
    ignored_by = context.ignore_file(folder, image.dockerfile if name == DEFAULT_CONTEXT else "")
    patterns: tuple[Pattern, ...] = context.read_patterns(ignored_by)
    return _Context({entry.path: entry for entry in context.walk(folder, patterns)}, context.read_rules(ignored_by))


def _is_folder(root: Path, value: str) -> bool:
    return "://" not in value and not value.startswith(("target:", "service:")) and (root / value).is_dir()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(HASH_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise UsageError(f"A file of the build context cannot be read: {path}: {error.strerror}.") from error
    return digest.hexdigest()


def external_images(project: Project, images: Iterable[Image]) -> set[str]:
    """References of images from outside the project that the images are built on or copy from."""
    found: set[str] = set()
    for image in images:
        parsed = parse_dockerfile(project.root, image)
        values = {**parsed.arguments, **image.args}
        stages = _needed_stages(parsed, image.target, values)
        own = {stage.name.lower() for stage in stages} | {"scratch", ""}
        names = {dockerfile.expand(source, values) for stage in stages for source in stage.sources}
        found |= {
            name for name in names if name.lower() not in own and name not in image.contexts and not name.isdigit()
        }
        pinned = (value for value in image.contexts.values() if value.startswith("docker-image://"))
        found |= {value.removeprefix("docker-image://") for value in pinned}
    return found
