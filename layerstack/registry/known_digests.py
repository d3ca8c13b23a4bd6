"""The digests under which registries have this engine's images, remembered when one is pushed or pulled."""

from layerstack.state_folder import read_json, shared_folder, update_json

# The engine would remember them only by giving the image one more name for every registry.
FILE = "registries.json"


def remember(reference: str, digest: str, image_id: str) -> None:
    update_json(shared_folder() / FILE, lambda known: {**known, reference: [digest, image_id]})


def is_known(reference: str, digest: str, image_id: str) -> bool:
    """Whether the registry's image of this digest is the engine's image of this id."""
    return read_json(shared_folder() / FILE).get(reference) == [digest, image_id]
