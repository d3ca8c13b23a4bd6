"""Images made of a few files, without a build and without anything that could run in them."""

import contextlib
import io
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import docker


def archive_of(files: Mapping[str, str | bytes], links: Mapping[str, str] | None = None) -> bytes:
    """A tar of these files (path → content) and links (path → target)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(data), 0o755
            archive.addfile(member, io.BytesIO(data))
        for path, target in (links or {}).items():
            member = tarfile.TarInfo(path)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return buffer.getvalue()


class Imported:
    """Makes images under tags of one test; a tag that is made again leaves the image before without one."""

    def __init__(self, client: Any, name: str) -> None:
        self._api = client.api
        self.repository = f"layerstack-test/{name}-{os.getpid()}"
        self._made: list[str] = []

    def make(
        self,
        tag: str,
        files: Mapping[str, str | bytes],
        changes: Sequence[str] = ('CMD ["/none"]',),
        links: Mapping[str, str] | None = None,
    ) -> str:
        """The reference of an image with these files."""
        data = archive_of(files, links)
        self._api.import_image_from_data(data, repository=self.repository, tag=tag, changes=list(changes))
        reference = f"{self.repository}:{tag}"
        self._made.append(self._api.inspect_image(reference)["Id"])
        return reference

    def remove(self) -> None:
        for image_id in self._made:
            with contextlib.suppress(docker.errors.APIError):
                self._api.remove_image(image_id, force=True)


@contextlib.contextmanager
def imported(client: Any, name: str) -> Iterator[Imported]:
    """Images of one test; none of them is left afterwards."""
    images = Imported(client, name)
    try:
        yield images
    finally:
        images.remove()
