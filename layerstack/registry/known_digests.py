"""Under which digest a registry has an image of this engine: what was pushed from here or pulled from there.

The engine would remember it too, by one more name of the image for every registry.
"""

from layerstack.state_folder import read_json, shared_folder, write_json

FILE = "registries.json"


def remember(reference: str, digest: str, image_id: str) -> None:
    path = shared_folder() / FILE
    write_json(path, {**read_json(path), reference: [digest, image_id]})


def is_known(reference: str, digest: str, image_id: str) -> bool:
    """Whether the registry's image of this digest and the engine's of this id are one."""
    return read_json(shared_folder() / FILE).get(reference) == [digest, image_id]
