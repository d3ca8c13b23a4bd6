"""Whatever changed, `up` leaves what `docker compose up --wait` leaves: two copies of one project go the same way."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from layerstack import command
from layerstack.command import CommandResult
from layerstack.engine.container import NUMBER_LABEL, PROJECT_LABEL, SERVICE_LABEL
from layerstack.errors import StartFailed
from layerstack.project import project
from layerstack.run import stack
from layerstack.run.rehearsal import remove_all
from layerstack.run.startup import Silent
from layerstack.wait import beside

pytestmark = [pytest.mark.docker, pytest.mark.long]

SOURCE = Path(__file__).parent / "projects" / "converges"
IMAGE = "layerstack-test/converging"


@dataclass(frozen=True)
class Copy:
    """One of the two; `name` is that of its Compose project."""

    root: Path
    name: str
    client: Any

    def rewrite(self, old: str, new: str, file: str = "docker-compose.yml") -> None:
        text = (self.root / file).read_text()
        assert text.count(old) == 1, old
        (self.root / file).write_text(text.replace(old, new))

    def docker(self, action: str, service: str, *rest: str) -> None:
        command.run(("docker", *action.split(), f"{self.name}-{service}-1", *rest)).require()

    def seen(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Service and number → what of a container is not the same in the other copy, and what should be."""
        wanted = {"label": f"{PROJECT_LABEL}={self.name}"}
        found = [
            self.client.api.inspect_container(one["Id"]) for one in self.client.api.containers(True, filters=wanted)
        ]
        assert found
        labels = [one["Config"]["Labels"] for one in found]
        keys = [(one[SERVICE_LABEL], one[NUMBER_LABEL]) for one in labels]
        return {key: _facts(one, self.name) for key, one in zip(keys, found, strict=True)}


def _facts(data: dict[str, Any], name: str) -> dict[str, Any]:
    state = data["State"]
    return {
        "id": data["Id"],
        "started": state["StartedAt"],
        "anonymous": sorted(one["Name"] for one in data["Mounts"] if one["Destination"] == "/data"),
        "state": (state["Status"], state["ExitCode"] if state["Status"] == "exited" else 0),
        "health": (state.get("Health") or {}).get("Status"),
        "networks": sorted(one.removeprefix(name) for one in data["NetworkSettings"]["Networks"]),
        "env": sorted(data["Config"]["Env"]),
    }


def changes(before: dict[Any, dict[str, Any]], after: dict[Any, dict[str, Any]]) -> dict[Any, Any]:
    """What became of each container, in terms that two copies have in common."""
    became = {}
    for key, now in after.items():
        was = before.get(key, {})
        is_kept = {name: was.get(name) == now[name] for name in ("id", "started", "anonymous")}
        became[key] = {**{name: now[name] for name in ("state", "health", "networks", "env")}, **is_kept}
    return became


def break_job(copy: Copy) -> None:
    copy.rewrite("exit 0", "exit 3")


def mend_job(copy: Copy) -> None:
    copy.rewrite("exit 3", "exit 0")


def rebuild(copy: Copy) -> None:
    copy.docker("commit --message again", "api", f"{IMAGE}:{copy.name}")


def drop_extra(copy: Copy) -> None:
    text = (copy.root / "docker-compose.yml").read_text()
    head, _, rest = text.partition("  extra:\n")
    (copy.root / "docker-compose.yml").write_text(f"{head}networks:{rest.partition('networks:')[2]}")


Change = Callable[[Copy], None]
# In this order, each on what the one before has left.
CASES: dict[str, Change] = {
    "nothing": lambda copy: None,
    "image": rebuild,
    "environment": lambda copy: copy.rewrite('VALUE: "1"', 'VALUE: "2"'),
    "env-file": lambda copy: copy.rewrite("=1", "=2", "api.env"),
    "config": lambda copy: copy.rewrite('"hello"', '"good evening"'),
    "network": lambda copy: copy.rewrite("[default]", "[default, second]"),
    "stopped": lambda copy: copy.docker("stop --time 0", "api"),
    "removed": lambda copy: copy.docker("rm --force", "worker"),
    "dependency": lambda copy: copy.rewrite('"named:/named"', '"named:/other"'),
    "job-fails": break_job,
    "job-mended": mend_job,
    "more": lambda copy: copy.rewrite("scale: 1", "scale: 2"),
    "fewer": lambda copy: copy.rewrite("scale: 2", "scale: 1"),
    "orphan": drop_extra,
    "paused": lambda copy: copy.docker("pause", "worker"),
}


@pytest.fixture(scope="module")
def copies(node_image: str, engine_client: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Copy]]:
    """Both are up."""
    made = []
    for side in ("ours", "theirs"):
        name = f"layerstack-test-converging-{side}-{os.getpid()}"
        root = tmp_path_factory.mktemp(side) / "converges"
        shutil.copytree(SOURCE, root)
        engine_client.images.get(node_image).tag(IMAGE, name)
        made.append(Copy(root, name, engine_client))
    try:
        for one in made:
            plain_up(one).require()
        yield made
    finally:
        for one in made:
            remove_all(one.name)
            engine_client.images.remove(f"{IMAGE}:{one.name}", force=True)


def plain_up(copy: Copy) -> CommandResult:
    argv = ("docker", "compose", "up", "--detach", "--no-build", "--wait", "--wait-timeout", "60")
    return command.run(argv, cwd=copy.root, env={"COMPOSE_PROJECT_NAME": copy.name})


@pytest.mark.parametrize("case", CASES)
def test_the_same_is_left(case: str, copies: list[Copy], monkeypatch: pytest.MonkeyPatch) -> None:
    before = [one.seen() for one in copies]
    for one in copies:
        CASES[case](one)
    ours, theirs = copies
    calls: list[tuple[str, ...]] = []
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", ours.name)
    monkeypatch.setattr(stack, "_compose", partial(_recorded, stack._compose, calls))
    other = beside(partial(plain_up, theirs))
    with suppress(StartFailed):
        stack.up(project.load(ours.root, "gpu"), Silent(), timeout_seconds=60)
    other.result()
    became = [changes(one, copy.seen()) for one, copy in zip(before, copies, strict=True)]
    assert became[0] == became[1]
    # What is compared here is the way in two halves, except where Compose alone knows what a start means.
    assert ("--no-deps" in calls[-1]) == (case != "paused")


def _recorded(function: Callable[..., CommandResult], calls: list[tuple[str, ...]], *given: Any) -> CommandResult:
    calls.append(given[2:])
    return function(*given)
