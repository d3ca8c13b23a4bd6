"""Anonymous volumes that hide what an image installed: whether they were filled from another image."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from layerstack.engine.client import EngineClient
from layerstack.engine.files import read_file
from layerstack.engine.image_tree import VOLUME_TARGET, closed_container, read_image_trees, read_volume
from layerstack.moment import epoch_seconds
from layerstack.status.lost_files import Installed, find_losses, find_older
from layerstack.status.staleness import Stale

# Folder of packages → the files in which package managers write down what they installed there.
RECORDS = {
    "node_modules": (".package-lock.json", ".yarn-integrity", ".modules.yaml"),
    "bower_components": (),
    "site-packages": (),
    "vendor": ("composer/installed.json", "modules.txt"),
    "venv": (),
    ".venv": (),
}
# Docker names anonymous volumes by 32 random bytes.
NAME_LENGTH = 64
MOST_BYTES = 64 << 20
# `status` has to be quick: a volume that takes longer to read counts as unknown.
LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class PackageVolume:
    """An anonymous volume over a folder of packages; `folder` is a path in the container."""

    name: str
    folder: str

    @property
    def records(self) -> Sequence[str]:
        """Files below the folder."""
        return RECORDS[PurePosixPath(self.folder).name]


def read_volumes(data: Mapping[str, Any]) -> list[PackageVolume]:
    """Those of a container, from what `docker inspect` says about it."""
    return [
        PackageVolume(one["Name"], one["Destination"])
        for one in data.get("Mounts") or ()
        if one["Type"] == "volume"
        and len(one.get("Name", "")) == NAME_LENGTH
        and PurePosixPath(one["Destination"]).name in RECORDS
    ]


def find_old(client: EngineClient, root: Path, volumes: Sequence[PackageVolume], image: str) -> Iterator[Stale]:
    """Volumes that hold other packages than the image; raises EngineError when the engine does not tell."""
    for volume in volumes:
        if _is_younger(client, volume, image):
            continue
        # What a package manager wrote down is a few small files; without it every file has to be compared.
        is_same = _has_same_records(client, volume, image) if volume.records else None
        if is_same is None:
            is_same = _has_same_files(client, root, volume, image)
        if is_same:
            continue
        known = "it holds other packages than the image" if is_same is False else "it may hold old packages"
        detail = f"the anonymous volume over {volume.folder} was filled before the image was built: {known}"
        yield Stale("old-volume", detail, "renew", is_certain=is_same is False)


def _is_younger(client: EngineClient, volume: PackageVolume, image: str) -> bool:
    filled = epoch_seconds(client.api.inspect_volume(volume.name).get("CreatedAt") or "")
    facts = client.api.inspect_image(image)
    # An image that comes from the build cache is as old as its first build, its tag is not.
    tagged = (facts.get("Metadata") or {}).get("LastTagTime") or ""
    made = max(epoch_seconds(facts.get("Created")), epoch_seconds(tagged))
    # The engine gives a volume's time in whole seconds: within one of them both orders are possible.
    return filled > made


def _has_same_records(client: EngineClient, volume: PackageVolume, image: str) -> bool | None:
    """Whether volume and image record the same packages; None when the image records none."""
    # A container of its own: opening the service's would create a folder in place of a mounted file that is gone.
    with closed_container(client, image, volume.name) as opened:
        pairs = [
            [read_file(client, opened, f"{folder}/{name}", MOST_BYTES) for folder in (VOLUME_TARGET, volume.folder)]
            for name in volume.records
        ]
    told = [held == wanted for held, wanted in pairs if wanted is not None]
    return all(told) if told else None


def _has_same_files(client: EngineClient, root: Path, volume: PackageVolume, image: str) -> bool | None:
    """The same question put to the files themselves, as doctor does; None when that is not known.

    A volume over what the image does not have hides nothing: it is the same.
    """
    image_id = client.api.inspect_image(image)["Id"]
    deadline = time.monotonic() + LOOK_SECONDS
    try:
        tree = read_image_trees(client, root, image_id, [volume.folder], deadline)[volume.folder]
        held = read_volume(client, image_id, volume.name, deadline) if tree else {}
    except TimeoutError:
        return None
    installed = Installed(volume.folder, tree)
    if all(held.get(inside) == mark for inside, mark in tree.items()):
        return True
    # Other differences may be files that the service itself wrote.
    return False if find_losses(installed, held) or find_older(installed, held) else None
