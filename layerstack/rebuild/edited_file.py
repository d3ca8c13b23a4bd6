"""The file that a timed rebuild changes: the declared one, else a source file of the last COPY from the context."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from layerstack.dockerfile import context, copy_sources
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.recipe import Recipe, read_recipe
from layerstack.dockerfile.recipe_stage import RecipeLine, RecipeStage
from layerstack.errors import UsageError
from layerstack.project.project import Project, Service
from layerstack.rebuild.context_copy import COMMENTS, comment_style

# Copied for an installer, or by mistake, and not as code.
MANIFESTS = {"requirements.txt", "setup.py", "setup.sh", "gemfile.rb", "readme.md", "changelog.md", "license.md"}
# People wait for changes of code; pages and settings are the last choice.
CODE_LAST = (
    ".html",
    ".htm",
    ".css",
    ".scss",
    ".less",
    ".vue",
    ".svelte",
    ".svg",
    ".xml",
    ".conf",
    ".toml",
    ".yml",
    ".yaml",
    ".md",
    ".txt",
)


@dataclass(frozen=True)
class EditedFile:
    """`path` is below the build context; `reason` explains the choice."""

    path: str
    reason: str


def edited_file(project: Project, service: Service, image: Image, has_command: bool = False) -> EditedFile:
    """The file to change: `x-layerstack.edit` of the service, else one of the last COPY. Raises UsageError.

    With `has_command` a command changes it, which knows files without comments, too.
    """
    edited = service.settings.edit
    if not edited:
        return choose_edited_file(project, image)
    path = project.root / image.context / edited
    if not path.is_file():
        raise UsageError(f"The file that a rebuild of {service.name} should change does not exist: {path}.")
    if not has_command:
        # Raises here, before anything is built.
        comment_style(path)
    return EditedFile(str(edited), "")


def choose_edited_file(project: Project, image: Image) -> EditedFile:
    """From the last COPY that copies source code, the file nearest to the top: always the same choice.

    Raises UsageError when no COPY of the image's stages copies a file of a known kind.
    """
    folder = project.root / image.context
    # A context may be an address, such as that of a Git repository.
    sent = _source_files(folder, image) if folder.is_dir() else []
    for line in _copies(read_recipe(project.root, image)) if sent else ():
        patterns = [source.pattern for source in line.sources if not source.origin]
        if files := copy_sources.covered(sent, patterns):
            path = min(files, key=_rank)
            return EditedFile(path, f"from {line.keyword} in line {line.line} of {image.dockerfile_place}")
    raise UsageError(
        f"No COPY of {image.name} copies a source file of a kind whose comments are known: a rebuild adds one.",
        "Name one below the build context: `x-layerstack: { edit: src/main.py }` in the Compose file.",
    )


def _source_files(folder: Path, image: Image) -> list[str]:
    """Files of the context of a known kind that no installer reads."""
    suffixes = {suffix for known in COMMENTS.values() for suffix in known}
    sent = context.Context(folder, image.dockerfile).walk()
    paths = (entry.path for entry in sent if entry.is_file and entry.size)
    return [path for path in paths if PurePosixPath(path).suffix.lower() in suffixes and not _is_manifest(path)]


def _is_manifest(path: str) -> bool:
    name = PurePosixPath(path).name.lower()
    return name in MANIFESTS or name.startswith(("requirements", "docker-compose", "compose."))


def _copies(recipe: Recipe) -> Iterator[RecipeLine]:
    """COPY and ADD, last first; a COPY is followed by those of the stage it reads, a stage by those of its base."""
    stages = {one.name.lower(): one for one in recipe.stages}
    seen: set[str] = set()
    waiting: list[RecipeStage | RecipeLine | None] = [recipe.stages[-1]]
    while waiting:
        one = waiting.pop()
        if isinstance(one, RecipeLine):
            yield one
            origins = dict.fromkeys(source.origin.lower() for source in one.sources)
            waiting += [stages[origin] for origin in origins if origin in stages]
        elif one and one.name.lower() not in seen:
            seen.add(one.name.lower())
            below = stages.get(one.base.lower()) if one.is_on_stage else None
            waiting += [below, *(line for line in one.lines if line.keyword in ("COPY", "ADD"))]


def _rank(path: str) -> tuple[bool, bool, int, str]:
    """Code before pages and settings, no tests, near the top, then by name."""
    words = PurePosixPath(path)
    is_test = any("test" in part.lower() or part.startswith(".") for part in words.parts)
    return is_test, words.suffix.lower() in CODE_LAST, len(words.parts), path
