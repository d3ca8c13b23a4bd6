"""What a save takes to be served, as `dev` says it."""

from pathlib import Path
from typing import Any

import pytest

from layerstack.engine.container import Container
from layerstack.errors import NotInEngine
from layerstack.project.project import Project, Service
from layerstack.status import reloading
from layerstack.status.reloading import forecast

COMMANDS = {"api": "node --watch server.js", "web": "node server.js", "db": "mongod", "gone": "node x.js"}


class Engine:
    """Every service runs its command and sees one folder; `gone` has ended meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.api, self.folder = self, folder

    def inspect_container(self, name: str) -> dict[str, Any]:
        if name == "gone":
            raise NotInEngine("No such container: gone")
        mounts = [{"Type": "bind", "Source": str(self.folder), "Destination": "/app"}]
        return {"State": {"Pid": 7}, "Config": {"Env": []}, "Mounts": mounts}

    def top(self, name: str, ps_args: str) -> dict[str, Any]:
        return {"Processes": [["7", "1", "9", COMMANDS[name]]]}


def test_each_service_has_its_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "server.js").write_text("")
    services = {name: Service(name, f"{name}:1", (), {}) for name in COMMANDS}
    project = Project(tmp_path, "shop", "cpu", (), (), {}, services)
    found = {name: (Container(name, name, name, "running", ""),) for name in COMMANDS}
    monkeypatch.setattr(reloading, "read_all", lambda *_: found)
    client: Any = Engine(tmp_path)
    assert list(forecast(client, project)) == ["reloads after a save: api", "sees a save after `invoke restart web`"]


@pytest.mark.parametrize(
    ("develop", "line"),
    [
        ({"watch": [{"action": "sync", "path": "./src", "target": "/app"}]}, "`docker compose watch built` runs"),
        (None, "`invoke build built up built` after a save"),
    ],
)
def test_what_compose_watches_is_no_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, develop: dict[str, Any] | None, line: str
) -> None:
    definition = {"build": {"context": "."}, **({"develop": develop} if develop else {})}
    project = Project(tmp_path, "shop", "cpu", (), (), {}, {"built": Service("built", "built:1", (), definition)})
    monkeypatch.setattr(
        reloading, "read_all", lambda *_: {"built": (Container("built", "built", "built", "running", ""),)}
    )
    monkeypatch.setitem(COMMANDS, "built", "sleep 9")
    client: Any = Engine(tmp_path)
    (said,) = forecast(client, project)
    assert line in said
