"""What doctor says of the builder; the answers are those of Buildx 0.29.1."""

from types import SimpleNamespace
from typing import Any

import pytest

from layerstack import command
from layerstack.doctor.engine_checks import check_builder

OWN = "Name:          default\nDriver:        docker\n\nNodes:\nName:             default\nStatus:           running\n"
REMOTE = """\
Name:          far
Driver:        remote
Nodes:
Name:     far0
Endpoint: tcp://127.0.0.1:9
Status:   inactive
"""


@pytest.mark.parametrize(
    ("stdout", "stderr", "store", "level", "said"),
    [
        (OWN, "", "overlay2", "ok", "only type=inline"),
        (OWN, "", "overlayfs", "ok", "every type"),
        (OWN.replace("docker", "docker-container").replace("running", "inactive"), "", "overlay2", "ok", "every type"),
        (REMOTE, "", "overlay2", "error", "inactive"),
        ("", 'ERROR: no builder "nonesuch" found\n', "overlay2", "error", 'no builder "nonesuch" found'),
    ],
)
def test_the_builder(
    monkeypatch: pytest.MonkeyPatch, stdout: str, stderr: str, store: str, level: str, said: str
) -> None:
    answer = SimpleNamespace(ok=not stderr, stdout=stdout, stderr=stderr)
    monkeypatch.setattr(command, "run", lambda argv, **options: answer)
    facts: Any = SimpleNamespace(storage_driver=store)
    (finding,) = check_builder(facts)
    assert finding.severity == level
    assert said in finding.detail
