"""Builds one service's image from a copy of its context, under a tag to throw away."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from layerstack.build import build, plan
from layerstack.build.bake import BakeCall
from layerstack.build.buildlog import BuildReport
from layerstack.build.keep import Keeper
from layerstack.build.progress import BuildObserver
from layerstack.build.state import StateStore
from layerstack.dockerfile.image import Image
from layerstack.engine import images
from layerstack.engine.abandoned_images import OWNER_LABEL, throw_away_tag
from layerstack.owner import own_mark
from layerstack.project.project import Project
from layerstack.rebuild.served import ServedCopy
from layerstack.rebuild.timed import Run, read_run
from layerstack.registry.origin import INPUTS_LABEL


@dataclass
class Rebuilder:
    """Builds one service's image from the copy, under a temporary tag, on the stored parents."""

    project: Project
    image: Image
    copy: Path
    tag: str
    kept: frozenset[str] = frozenset()

    def build(self) -> BuildReport:
        """The copy as it is now. Raises BuildFailed."""
        outside = self._outside_dockerfile()
        values = [f"context={self.copy}", f"tags={self.tag}", f"labels.{OWNER_LABEL}={own_mark()}"]
        values += [f"dockerfile={path}" for path in outside]
        call = BakeCall(
            names=(self.image.name,),
            labels=self._labels,
            kept=self.kept,
            sets=tuple(f"{self.image.name}.{value}" for value in values),
            allowed_paths=(self.copy, *outside),
        )
        # Only parents may be kept: the image of the copy differs on purpose.
        parents = list(self.image.parents)
        keeper = Keeper(lambda: plan.make_plan(self.project, parents, StateStore(self.project.root)))
        report, done = build.solve(self.project, call, BuildObserver(), keeper)
        # Kept in the following runs as well: they would otherwise begin the lost step again, within the measured time.
        self.kept = done.kept
        return report

    @cached_property
    def _labels(self) -> dict[str, dict[str, str]]:
        # With other labels than those of the stored bases, the service would be built on other images than before.
        found = images.find_all(image.tag for image in self.project.with_parents(self.image.parents))
        stored = {image.name: found.get(image.tag) for image in self.project.with_parents(self.image.parents)}
        labels = {name: one.labels.get(INPUTS_LABEL) for name, one in stored.items() if one}
        return {name: {INPUTS_LABEL: label} for name, label in labels.items() if label}

    def _outside_dockerfile(self) -> tuple[Path, ...]:
        """The Dockerfile when it is outside the build context, and thus not in the copy."""
        folder = (self.project.root / self.image.context).resolve()
        path = Path(os.path.normpath(folder / self.image.dockerfile))
        return () if path.is_relative_to(folder) or not path.is_file() else (path,)

    def run(self, served: ServedCopy | None) -> Run:
        """Build, and measure it until the new code responds where a copy of the stack is `served`."""
        report = self.build()
        stored = images.find(self.tag)
        seconds = report.seconds + served.seconds_until_answer() if served else None
        return read_run(report, self.image, stored.id if stored else "", seconds)


@contextmanager
def temporary_tag(image: Image) -> Iterator[str]:
    """A temporary tag; the tag and every image that it ever named are removed at the end."""
    tag = throw_away_tag("rebuild", image.name)
    try:
        yield tag
    finally:
        # Each build takes the tag from the image of the build before, which is untagged from then on.
        own = [one for one in images.with_label(f"{OWNER_LABEL}={own_mark()}") if not one.tags or tag in one.tags]
        images.remove([tag, *(one.id for one in own if tag not in one.tags)])
