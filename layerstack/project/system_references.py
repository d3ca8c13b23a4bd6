"""Images from outside the project that services run or Dockerfiles start from."""

from collections.abc import Iterator
from contextlib import suppress

from layerstack.dockerfile.recipe import read_recipe
from layerstack.errors import UsageError
from layerstack.project.image_name import full_name
from layerstack.project.project import Project


def system_references(project: Project) -> tuple[str, ...]:
    """The references as written, except those that the project builds or that are unknown before a build."""
    own = {full_name(tag) for image in project.images.values() for tag in (*image.tags, image.name)}
    own |= {full_name(one.image) for one in project.services.values() if one.is_built and one.image}
    return tuple(dict.fromkeys(name for name in _names(project) if full_name(name) not in own and "$" not in name))


def _names(project: Project) -> Iterator[str]:
    yield from (one.image for one in project.services.values() if one.image and not one.is_built)
    for image in project.images.values():
        # A Dockerfile that cannot be read is named by the build.
        with suppress(UsageError):
            # A named context takes the place of an image of that name.
            yield from (name for name in read_recipe(project.root, image).parents if name not in image.contexts)
