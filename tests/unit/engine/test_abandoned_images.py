"""Which throw-away images nobody owns any more."""

import re
from typing import Any

import killed_owner
import pytest

from layerstack.engine import abandoned_images
from layerstack.engine.abandoned_images import OWNER_LABEL, find_abandoned, throw_away_tag
from layerstack.engine.images import StoredImage
from layerstack.owner import own_mark


def stored(name: str, *tags: str, **labels: str) -> StoredImage:
    return StoredImage(f"sha256:{name}", tags, 0, "", labels, ())


def test_tags_and_ids_of_killed_processes_are_found_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = killed_owner.killed()
    owned = {OWNER_LABEL: dead}
    lost = stored("lost", f"layerstack-rebuild/web:{dead}", **owned)
    named = [
        lost,
        stored("shared", f"layerstack-audit/web:{dead}-1", "web:latest"),
        stored("own", throw_away_tag("audit", "web", "2"), throw_away_tag("rebuild", "web")),
        stored("old", "layerstack-audit/web:0123456789ab"),
    ]
    labelled = [lost, stored("nameless", **owned), stored("at-work", **{OWNER_LABEL: own_mark()})]
    monkeypatch.setattr(abandoned_images.images, "with_name", lambda pattern: named)
    monkeypatch.setattr(abandoned_images.images, "with_label", lambda label: labelled)
    assert find_abandoned() == (f"layerstack-rebuild/web:{dead}", f"layerstack-audit/web:{dead}-1", "sha256:nameless")


def test_they_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[Any] = []
    monkeypatch.setattr(abandoned_images, "find_abandoned", lambda: ("a", "b"))
    monkeypatch.setattr(abandoned_images.images, "remove", gone.extend)
    abandoned_images.remove_abandoned()
    assert gone == ["a", "b"]


@pytest.mark.parametrize("ending", ["", "0123456789ab"])
def test_a_tag_is_one_that_an_engine_takes(ending: str) -> None:
    tag = throw_away_tag("audit", "Web", ending)
    assert re.fullmatch(r"layerstack-audit/web:\w[\w.-]{0,127}", tag)
