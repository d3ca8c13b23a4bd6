"""`audit` of images that a real engine stores, and of the archives that it writes."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tasks
from layerstack import command
from layerstack.audit.image_audit import audit_image
from layerstack.audit.image_files import open_image

pytestmark = pytest.mark.docker

DOCKERFILE = """
FROM {parent}
USER root
COPY SMPL_NEUTRAL.pkl /models/SMPL_NEUTRAL.pkl
RUN rm /models/SMPL_NEUTRAL.pkl && mkdir /kept && touch /kept/first && ln -s first /kept/link
RUN rm -rf /kept && mkdir /kept && touch /kept/second
"""


@pytest.fixture
def image(tmp_path: Path, node_image: str, engine_client: Any) -> Iterator[str]:
    """An image whose licensed file is deleted in a later layer, and one folder replaced by another."""
    (tmp_path / "SMPL_NEUTRAL.pkl").write_bytes(os.urandom(1_100_000))
    (tmp_path / "Dockerfile").write_text(DOCKERFILE.format(parent=node_image))
    tag = f"layerstack-test/audit-{os.getpid()}"
    command.run(("docker", "buildx", "build", "--quiet", "--load", "--tag", tag, str(tmp_path))).require()
    yield tag
    engine_client.images.remove(tag, force=True)


def test_a_stored_image_and_its_archive_hold_the_same(image: str, tmp_path: Path) -> None:
    archive = tmp_path / "saved.tar"
    command.run(("docker", "image", "save", "--output", str(archive), image)).require()
    with open_image(image) as stored, open_image(str(archive)) as saved:
        assert set(stored.files) == set(saved.files)
        assert {one.path for one in stored.buried} == {one.path for one in saved.buried}
        assert [layer.size_bytes for layer in stored.layers] == [layer.size_bytes for layer in saved.layers]
        assert "kept/second" in stored.files
        assert not {"kept/first", "kept/link", "models/SMPL_NEUTRAL.pkl"} & set(stored.files)


def test_a_deleted_licensed_file_is_found_and_nothing_is_started(image: str, engine_client: Any) -> None:
    found = audit_image(image, licensed=[tasks.smpl()])
    assert [one.check for one in found.findings if one.severity == "error"] == ["licensed-model"]
    assert not engine_client.containers.list(all=True, filters={"ancestor": image})
