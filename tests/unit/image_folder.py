"""A project with one image in a folder of a test's own, and its manifest, without an engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from layerstack.build.inputs import InputReader, Manifest
from layerstack.dockerfile.file_digests import FileDigests
from layerstack.dockerfile.image import Image
from layerstack.project.project import Project


@dataclass
class ImageFolder:
    """`write` makes files below the build context `app`; further images stand in `others`."""

    root: Path
    image: Image = field(default_factory=lambda: Image("app", "app"))
    others: tuple[Image, ...] = ()
    ids: Mapping[str, str] = field(default_factory=lambda: {"system": "sha256:one"})

    def write(self, name: str, text: str) -> Path:
        path = self.root / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def dockerfile(self, text: str) -> "ImageFolder":
        self.write("Dockerfile", text)
        return self

    def change(self, **values: Any) -> "ImageFolder":
        self.image = replace(self.image, **values)
        return self

    @property
    def project(self) -> Project:
        images = {image.name: image for image in (*self.others, self.image)}
        return Project(self.root, "test", "cpu", (), (), images, {})

    def manifest(self, platform: str = "") -> Manifest:
        return InputReader(self.project, platform, FileDigests()).read(self.image, self.ids)

    @property
    def digest(self) -> str:
        return self.manifest().digest

    def paths(self, context: str = "") -> set[str]:
        return set(self.manifest().files.get(context, {}))
