"""The builder in use: what Buildx and the engine say of it."""

import json

import cache_parts
import pytest
from fake_docker import FakeDocker

from layerstack.cache import builder
from layerstack.cache.builder import Disk
from layerstack.errors import EngineError

PRINTED = {
    "CreatedAt": "2026-11-20 22:17:57.778221024 +0000 UTC",
    "Description": "[runtime 1/2] COPY a b",
    "ID": "one",
    "LastUsedAt": "16 minutes ago",
    "Parents": ["low"],
    "Reclaimable": False,
    "Shared": False,
    "Size": "1.5GB",
    "Type": "regular",
    "UsageCount": 4,
}
INFO = {
    "ServerVersion": "28.5.2",
    "Driver": "overlay2",
    "ClientInfo": {"Plugins": [{"Name": "buildx", "Version": "0.29.1"}, {"Name": "compose", "Version": "2.40.3"}]},
}
INSPECT = """\
Name:   mine
Driver: docker-container

Nodes:
Name:     mine0
GC Policy rule#0:
 All:            true
 Reserved Space: 9.313GiB
"""


def test_buildx_says_which_builder_and_which_rules(docker: FakeDocker) -> None:
    docker.answers("info *", json.dumps(INFO))
    docker.answers("buildx inspect", INSPECT)
    found = builder.read_builder()
    assert (found.name, found.driver, found.is_engine, found.config_file) == (
        "mine",
        "docker-container",
        False,
        "buildkitd.toml",
    )
    assert [rule.takes_all for rule in found.rules] == [True]
    assert found.disk == Disk()
    assert ["on another machine" in note for note in found.notes] == [True]
    docker.answers("buildx inspect", INSPECT.partition("GC Policy")[0])
    found = builder.read_builder()
    assert found.rules == ()
    assert "no GC policy" in found.notes[-1]


def test_a_builder_that_does_not_answer_is_an_error(docker: FakeDocker) -> None:
    docker.answers("info *", json.dumps(INFO))
    docker.answers("buildx inspect", stderr="no builder mine found", exit_code=1)
    with pytest.raises(EngineError, match="no builder mine found"):
        builder.read_builder()


def test_the_cache_of_a_builder_in_a_container_is_asked_of_buildx(docker: FakeDocker) -> None:
    docker.answers("buildx du *", json.dumps(PRINTED) + "\n")
    (record,) = builder.read_use(cache_parts.builder(driver="docker-container")).records
    assert (record.id, record.parents, record.size_bytes, record.usage_count) == ("one", ("low",), 1_500_000_000, 4)
    assert record.is_in_use
    assert record.last_used[:10] >= "2026-11-20"
    docker.answers("buildx du *", json.dumps({**PRINTED, "LastUsedAt": ""}) + "\n")
    (unused,) = builder.read_use(cache_parts.builder(driver="docker-container")).records
    assert unused.last_used == "2026-11-20T22:17:57.778221+00:00"


def test_a_buildx_that_cannot_tell_says_what_is_needed(docker: FakeDocker) -> None:
    docker.answers("buildx du *", stderr="unknown flag: --format", exit_code=1)
    with pytest.raises(EngineError, match="unknown flag"):
        builder.read_use(cache_parts.builder(driver="docker-container"))
