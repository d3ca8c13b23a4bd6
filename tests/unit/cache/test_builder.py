"""The builder in use: what Buildx and the engine say of it, and how its configuration is read."""

import json
from pathlib import Path

import cache_parts
import fake_docker
import pytest
from cache_parts import DISK_BYTES, GB
from fake_docker import FakeDocker

from layerstack.cache import builder, gc_policy
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


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    return fake_docker.install(tmp_path, monkeypatch)


def test_buildx_says_which_builder_and_which_rules(docker: FakeDocker, tmp_path: Path) -> None:
    docker.answers("info *", json.dumps(INFO))
    docker.answers("buildx inspect", INSPECT)
    found = builder.read_builder(tmp_path / "none.json")
    assert (found.name, found.driver, found.is_engine, found.config_file) == (
        "mine",
        "docker-container",
        False,
        "buildkitd.toml",
    )
    assert [rule.takes_all for rule in found.rules] == [True]
    assert any("on another machine" in note for note in found.notes)


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


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("16 minutes ago", 960), ("About an hour ago", 3600), ("About a minute ago", 60), ("2 weeks ago", 1_209_600)],
)
def test_ages(text: str, seconds: float) -> None:
    assert builder.parse_age(text) == seconds


def test_other_words_are_no_age() -> None:
    assert builder.parse_age("never") is None


def test_rules_as_documented_leave_no_note(tmp_path: Path) -> None:
    assert builder.with_expectation(cache_parts.builder(), tmp_path / "daemon.json").notes == ()


def test_a_configured_engine_is_compared_with_its_configuration(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    settings = {"builder": {"gc": {"defaultReservedSpace": "60GB"}}}
    path.write_text(json.dumps(settings))
    rules = gc_policy.configured_rules(settings, DISK_BYTES, "28.5.2")
    assert builder.with_expectation(cache_parts.builder(rules), path).notes == ()
    notes = builder.with_expectation(cache_parts.builder(), path).notes
    assert any("not as in its configuration" in note and "reserved_bytes" in note for note in notes)


def test_without_printed_rules_the_documented_ones_are_taken(tmp_path: Path) -> None:
    found = builder.with_expectation(cache_parts.builder(()), tmp_path / "daemon.json")
    assert found.rules == gc_policy.engine_rules(DISK_BYTES)
    assert any("prints no GC policy" in note for note in found.notes)


@pytest.mark.parametrize("text", ["{", "[]", '{"builder": {"gc": {"defaultReservedSpace": "many"}}}', '{"builder": 5}'])
def test_a_daemon_json_that_cannot_be_read_is_noted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "daemon.json"
    path.write_text(text)
    assert any("daemon.json" in note for note in builder.with_expectation(cache_parts.builder(), path).notes)


def test_a_disk_elsewhere_is_noted(tmp_path: Path) -> None:
    found = builder.with_expectation(cache_parts.builder(free=None), tmp_path / "daemon.json")
    assert found.disk == Disk()
    assert any("on another machine" in note for note in found.notes)


def test_layer_sizes_mean_something_else_in_containerds_store() -> None:
    assert cache_parts.builder(free=GB).tells_layer_sizes
    assert not cache_parts.builder(storage_driver="overlayfs").tells_layer_sizes
    assert not cache_parts.builder(driver="docker-container").tells_layer_sizes
