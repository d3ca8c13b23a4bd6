"""What gets an image that is nowhere: only a project that declares system images has `setup` look after them."""

from pathlib import Path

import pytest

from layerstack.project import missing_image


@pytest.mark.parametrize(
    ("name", "text", "is_prepared"),
    [
        ("docker-bake.hcl", 'variable "NODE_IMAGE" {\n  default = "node:18-alpine"\n}\n', True),
        ("docker-bake.json", '{"variable": {"NODE_IMAGE": {"default": "node:18-alpine"}}}', True),
        ("docker-bake.hcl", 'variable "TAG" {}\n', False),
        ("compose.yaml", "services: {}\n", False),
    ],
)
def test_only_declared_system_images_come_with_setup(tmp_path: Path, name: str, text: str, is_prepared: bool) -> None:
    (tmp_path / name).write_text(text)
    assert missing_image.is_prepared_by_setup(tmp_path) is is_prepared
    assert ("invoke setup" in missing_image.way_to_get(tmp_path)) is is_prepared
