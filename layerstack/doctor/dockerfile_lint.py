"""Slow or flaky steps of a Dockerfile that BuildKit's own checks do not report."""

import posixpath
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from layerstack.dockerfile import context, copy_sources, ignore_rules
from layerstack.dockerfile.dockerfile import Dockerfile
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.instruction import Instruction
from layerstack.dockerfile.variables import Variables
from layerstack.doctor.dockerfiles import instruction_place, read_dockerfiles
from layerstack.errors import UsageError
from layerstack.finding import Finding, ok, warning
from layerstack.project.compose_source import ComposeSource
from layerstack.project.project import Project
from layerstack.wording import short

SOURCE, SHARING = "run-after-source", "cache-sharing"
APT_FOLDERS = ("/var/cache/apt", "/var/lib/apt")
SHOWN_CHARACTERS = 50
# Source files, without those that installations read themselves.
_CODE = re.compile(r"\.(c|cpp|cs|go|java|jsx?|mjs|php|py|rb|rs|tsx?|vue)$")
# `setup.py`, `install.sh`, `vite.config.js`
_NO_CODE = re.compile(r"^(setup\.py|.*install.*|.*\.config\.\w+)$")
# `--mount=type=cache,target=/cache/npm`
_MOUNT = re.compile(r"--mount=(\S+)")
# `apt-get -y install curl`, `apk add --no-cache curl`
_SYSTEM = re.compile(r"\b(apt-get|apt|dnf|microdnf|yum)\s+(-\S+\s+)*install\b|\bapk\s+(-\S+\s+)*add\b")
# `npm ci`, not `npm run ci`.
_NODE = re.compile(r"\b(npm\s+(ci|install|i)|pnpm\s+(install|i)|yarn(\s+install)?)(?=\s*($|[;&|]|--?\w))")
# In package.json: scripts that an installation runs, and workspaces and folders that it links.
_NODE_SCRIPTS = re.compile(r'"(workspaces|preinstall|install|postinstall|prepare)"\s*:|:\s*"(file|link|portal):')
_OTHERS = re.compile(r"\b(go\s+mod\s+download|bundle\s+install|cargo\s+fetch|poetry\s+install\b.*--no-root)")
# `pip install --requirement requirements.txt`
_PIP = re.compile(r"\bpip3?\s+install\s+(?P<words>[^;&|]+)")
# An argument of pip that names files of the context: `-e .`, `./lib[extra]`, `a.whl`; quotes are taken away before.
_LOCAL = re.compile(r"(^|\s)(-e|--editable|\.{1,2}(/\S*)?(\[\S*\])?|/\S+|\S+\.whl|file:\S+)(\s|$)")
_QUOTES = re.compile(r"[\"']")
# Options of pip whose value is a path but nothing to install.
_VALUE_FLAGS = re.compile(r"(^|\s)(-r|--requirement|-c|--constraint|--target|-t|--prefix|--root|--cache-dir)[\s=]+\S+")
# `-r requirements.txt`
_REQUIREMENTS = re.compile(r"(?:-r|--requirement)[\s=]+(\S+)")
# `python -c "import torch"` after COPY: a check that runs again on every code change.
_SCRIPT = re.compile(r"python[\d.]*\s+-c\s+(?P<quote>[\"'])(?P<text>(?:import|from)\s.+?)(?P=quote)", re.DOTALL)
_IMPORT = re.compile(r"\b(?:import|from)\s+(\w+)")


def check_dockerfiles(project: Project, source: ComposeSource) -> Iterator[Finding]:
    """Do installations come before the source is copied, and are apt's caches locked?"""
    found: dict[tuple[str, str], Finding] = {}
    for image, parsed in read_dockerfiles(project):
        for line, finding in (*_installs_after_source(project, image, parsed), *_unshared_caches(image, parsed)):
            place = instruction_place(source, image, line)
            found.setdefault((finding.check, place), replace(finding, place=place))
    yield from found.values()
    for check, words in (
        (SOURCE, "dependencies are installed before the source is copied"),
        (SHARING, "apt's caches are locked"),
    ):
        if not any(one.check == check for one in found.values()):
            yield ok(check, words)


def _unshared_caches(image: Image, parsed: Dockerfile) -> Iterator[tuple[int, Finding]]:
    for stage in parsed.reachable(image.target):
        for one in (one for one in stage.instructions if one.keyword == "RUN"):
            for mount in _MOUNT.findall(one.text):
                options = dict(part.partition("=")[::2] for part in mount.split(","))
                folder = options.get("target") or options.get("dst") or options.get("destination") or ""
                # A written `sharing=shared` is meant.
                if options.get("type") == "cache" and folder.startswith(APT_FOLDERS) and "sharing" not in options:
                    detail = f"the cache mount {folder} is shared by builds that run at once"
                    yield one.line, warning(SHARING, detail, "Add `,sharing=locked` to the mount.", image.name)


def _installs_after_source(project: Project, image: Image, parsed: Dockerfile) -> Iterator[tuple[int, Finding]]:
    """(line, finding) of every step that could precede the COPY of the source."""
    if copy_sources.is_remote(image.context):
        return
    folder = project.root / image.context
    copied: dict[str, Instruction] = {}
    for stage in parsed.reachable(image.target):
        # A stage begins with what the stage below it copied; BuildKit takes their names in any case.
        source = copied.get(stage.base.lower())
        for one in stage.instructions:
            if source is None and _copies_code(folder, image, one):
                source = one
            elif source and one.keyword == "RUN" and (what := _installs(folder, one)):
                detail = f"`{_short(one.text)}` {what} after line {source.line} copied the source"
                remedy = f"Move it above line {source.line}, and copy only the files that it reads before it."
                yield one.line, warning(SOURCE, detail, remedy, image.name)
        if source:
            copied[stage.name.lower()] = source


def _copies_code(folder: Path, image: Image, instruction: Instruction) -> bool:
    """Whether a COPY or ADD copies source files of the build context."""
    if instruction.keyword not in ("COPY", "ADD"):
        return False
    patterns = [source.pattern for source in copy_sources.read_sources(instruction, Variables()) if not source.origin]
    return bool(patterns) and any(True for _ in _code_files(folder, image, patterns))


def _code_files(folder: Path, image: Image, patterns: Iterable[str]) -> Iterator[str]:
    wanted = [ignore_rules.covering(pattern) for pattern in patterns]
    try:
        for entry in context.Context(folder, image.dockerfile).walk():
            name = posixpath.basename(entry.path)
            is_code = entry.is_file and _CODE.search(name) and not _NO_CODE.match(name)
            if is_code and any(one.match(entry.path) for one in wanted):
                yield entry.path
    except UsageError:
        return


def _installs(folder: Path, instruction: Instruction) -> str:
    """What a step does that needs no source, "" when unknown."""
    text = "\n".join((_MOUNT.sub("", instruction.text), *instruction.heredocs))
    if _SYSTEM.search(text):
        return "installs system packages"
    if _OTHERS.search(text) or (_NODE.search(text) and not _needs_source(folder)):
        return "installs dependencies"
    if any(_is_from_index(folder, match["words"]) for match in _PIP.finditer(text)):
        return "installs dependencies"
    return (
        "imports packages" if any(_imports_packages(folder, match["text"]) for match in _SCRIPT.finditer(text)) else ""
    )


def _imports_packages(folder: Path, script: str) -> bool:
    """Whether it imports installed packages, and nothing of the project; Python's own modules may do anything."""
    names = set(_IMPORT.findall(script))
    return not names <= sys.stdlib_module_names and not any(_is_own(folder, name) for name in names)


def _is_from_index(folder: Path, arguments: str) -> bool:
    """Whether pip installs from an index only, and nothing of the project."""
    arguments = _QUOTES.sub("", arguments)
    if _LOCAL.search(_VALUE_FLAGS.sub(" ", arguments)):
        return False
    return not any(_names_project(folder / name.lstrip("/")) for name in _REQUIREMENTS.findall(arguments))


def _names_project(requirements: Path) -> bool:
    try:
        return bool(re.search(r"^\s*(-e|\.|file:)", requirements.read_text(errors="replace"), re.MULTILINE))
    except OSError:
        return False


def _needs_source(folder: Path) -> bool:
    """Whether installing the Node packages runs scripts of the project or needs its workspaces."""
    try:
        return bool(_NODE_SCRIPTS.search((folder / "package.json").read_text(errors="replace")))
    except OSError:
        return (folder / "pnpm-workspace.yaml").exists()


def _is_own(folder: Path, name: str) -> bool:
    """Whether the build context contains a module of this name."""
    return any(next(folder.glob(f"{place}{name}{end}"), None) for place in ("", "*/") for end in ("", ".py"))


def _short(text: str) -> str:
    return short(_MOUNT.sub("", text), SHOWN_CHARACTERS)
