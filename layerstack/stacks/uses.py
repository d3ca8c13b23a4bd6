"""The images that other stacks of this engine run or build on."""

from dataclasses import dataclass

from layerstack.engine import engine, images
from layerstack.engine.container import PROJECT_LABEL
from layerstack.engine.images import StoredImage


@dataclass(frozen=True)
class Uses:
    """`running` maps image id → stack with a container of it; `built` are (image, stack) of other stacks."""

    running: dict[str, str]
    built: tuple[tuple[StoredImage, str], ...]

    def user_of(self, image: StoredImage) -> str:
        """Another stack that needs the image, "" for none."""
        if name := self.running.get(image.id):
            return name
        above = (name for one, name in self.built if image.layers and images.is_built_on(one, image))
        return next(above, "")


def read_uses(project_name: str) -> Uses:
    """The images that all other stacks need, running or not. Raises EngineError."""
    running = {}
    for entry in engine.client().api.containers(all=True):
        name = (entry.get("Labels") or {}).get(PROJECT_LABEL, project_name)
        if name != project_name:
            running[str(entry.get("ImageID"))] = name
    labelled = ((one, one.labels.get(PROJECT_LABEL, "")) for one in images.with_label(PROJECT_LABEL))
    return Uses(running, tuple((one, name) for one, name in labelled if name != project_name))
