"""The differences between the manifest of an image and the current one, sorted by their effect."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from os.path import join, normpath
from pathlib import Path, PurePosixPath

from layerstack.build import file_diff
from layerstack.build.inputs import Manifest
from layerstack.dockerfile import copy_sources
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.recipe_stage import RecipeStage
from layerstack.status.mounted_files import BindMount, is_seen
from layerstack.wording import short

SHOWN_CHARACTERS = 70
# `package-lock.json`, `requirements-dev.txt`, `go.sum`: packages are installed from them while the image is built.
_DEPENDENCIES = re.compile(
    r"package(-lock)?\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|requirements[\w.-]*\.(txt|in)|pyproject\.toml|"
    r"(poetry|uv|Pipfile|Gemfile|composer|Cargo)\.lock|Pipfile|setup\.(py|cfg)|environment\.ya?ml|Gemfile|composer\.json|"
    r"go\.(mod|sum)|Cargo\.toml|pom\.xml|build\.gradle(\.kts)?"
)
# A mounted source changes nothing where such a step made something else of it.
# `npm run build`, `tsc -p .`
_COMPILES = re.compile(r"\b(build|compile|bundle|webpack|tsc|rollup|esbuild|make|cmake|collectstatic|mvn|gradle\w*)\b")


@dataclass(frozen=True)
class InputChanges:
    """`binds` are the mounts of a container: what they show of this machine, it sees as it is now. `places` tells where
    its image holds a file, as far as that is known.

    Files are named by their path from the root of the project.
    """

    image: Image
    root: Path
    old: Manifest
    new: Manifest
    binds: Sequence[BindMount] = ()
    places: Callable[[str], Set[str]] = lambda name: frozenset()

    @cached_property
    def _before(self) -> dict[str, str]:
        return identities(self.image, self.old)

    @cached_property
    def _now(self) -> dict[str, str]:
        return identities(self.image, self.new)

    @cached_property
    def seen(self) -> tuple[str, ...]:
        """Changed files that the container sees through a mount."""
        names = self._before.keys() | self._now.keys()
        changed = (name for name in names if self._before.get(name) != self._now.get(name))
        return tuple(sorted(name for name in changed if self._is_seen(name)))

    def unseen(self) -> list[str]:
        """Each kind of change of the other files, in words."""
        seen = set(self.seen)
        before, now = ({name: one[name] for name in one if name not in seen} for one in (self._before, self._now))
        return [change.detail for change in file_diff.compare(before, now, {}, {})]

    def installed(self) -> list[str]:
        """Changed files that the container sees and that packages in the image were installed from."""
        return [name for name in self.seen if is_dependency_file(name) and any(self._runs_after(name))]

    def compiled(self) -> list[str]:
        """Changed files that the container sees, but of which the image holds something made by a step."""
        others = (name for name in self.seen if not is_dependency_file(name))
        return [name for name in others if any(_COMPILES.search(text) for text in self._runs_after(name))]

    def changes_dependencies(self) -> bool:
        """Whether packages would be installed from something else."""
        names = self._before.keys() | self._now.keys()
        return any(is_dependency_file(name) and self._before.get(name) != self._now.get(name) for name in names)

    def instructions(self) -> list[str]:
        """Instructions and settings that changed, in words."""
        found = []
        old, new = _lines(self.old.stages), _lines(self.new.stages)
        for sign, one, other in (("now", new, old), ("no longer", old, new)):
            # The same instruction may be there several times, so each one counts once.
            left = list(other)
            for line in one:
                if line in left:
                    left.remove(line)
                else:
                    found.append(f"{sign} `{short(line, SHOWN_CHARACTERS)}`")
        names = [
            name
            for name in ("settings", "target", "platform", "directives")
            if getattr(self.old, name) != getattr(self.new, name)
        ]
        return found + [f"other {name}" for name in names]

    def parents(self) -> dict[str, tuple[str, str]]:
        """Name in FROM or `--from` → its identity before ("" for none) and now, where the two differ."""
        pairs = {name: (self.old.parents.get(name, ""), now) for name, now in self.new.parents.items()}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def _is_seen(self, name: str) -> bool:
        return is_seen(Path(normpath(self.root / name)), self.binds, self.places(name))

    def _runs_after(self, name: str) -> Iterator[str]:
        """Texts of the RUN instructions that see a file: those with a mount of it, or after it was copied."""
        holding: set[str] = set()
        # The image was made by the old instructions.
        for stage in self.old.stages:
            is_copied = stage.is_on_stage and stage.base in holding
            for line in stage.lines:
                is_read = any(name in self._named(source.origin, source.pattern) for source in line.sources)
                # A RUN reads through a mount, of which no layer keeps anything.
                is_copied = is_copied or (is_read and line.keyword != "RUN")
                if line.keyword == "RUN" and (is_copied or is_read):
                    yield line.text
            if is_copied:
                holding.add(stage.name)

    def _named(self, origin: str, pattern: str) -> set[str]:
        files = self.old.files.get(origin, {})
        return {place(self.image, origin, path) for path in copy_sources.covered(files, [pattern])}


def is_dependency_file(name: str) -> bool:
    return _DEPENDENCIES.fullmatch(PurePosixPath(name).name) is not None


def identities(image: Image, manifest: Manifest) -> dict[str, str]:
    """Every file that an image is made of, by its path from the root of the project, with its identity."""
    return {
        place(image, origin, path): identity
        for origin, files in manifest.files.items()
        for path, identity in files.items()
    }


def place(image: Image, origin: str, path: str) -> str:
    """A file of a context ("" for the build context), by its path from the root of the project."""
    return normpath(join(image.contexts.get(origin, ".") if origin else image.context, path))  # noqa: PTH118 - many


def _lines(stages: Iterable[RecipeStage]) -> list[str]:
    return [text for stage in stages for text in (f"FROM {stage.base}", *map(str, stage.lines))]
