"""The time that a Dockerfile step took when it last ran here."""

from collections.abc import Iterable
from pathlib import Path

from layerstack.build import history
from layerstack.build.placement import literal_text
from layerstack.build.step_text import stage_of, written_of
from layerstack.dockerfile.recipe_stage import RecipeLine, RecipeStage


class StepSeconds:
    """Reads the build history once; the newest run of a step counts."""

    def __init__(self, root: Path) -> None:
        self._runs: dict[str, list[tuple[str, float]]] = {}
        for build in history.read_builds(root):
            for image in build.images:
                self._runs.setdefault(image.image, []).extend((step.step, step.seconds) for step in image.executed)

    def of(self, images: Iterable[str], stage: RecipeStage, line: RecipeLine) -> float | None:
        """Seconds; None when the step never ran in a recorded build with this text.

        `images` are those of one Dockerfile: a step that they share is recorded with one of them.
        """
        wanted = literal_text(line)
        for name in images:
            for step, seconds in reversed(self._runs.get(name, [])):
                if _is_same(step, stage.shown_name, wanted):
                    return seconds
        return None


def _is_same(step: str, stage: str, beginning: str) -> bool:
    """`runtime 3/5 COPY src src`; the only stage of a Dockerfile has no name."""
    return stage_of(step).lower() in ("", stage.lower()) and written_of(step).startswith(beginning)
