"""A real swarm of one node, in a network of its own: deployed, updated under load, rolled back."""

from collections.abc import Iterator

import pytest
from deployed_project import SECONDS, Deployed, deployed_in
from own_engine import own_engine
from own_registry import own_registry
from ports import free_port
from second_machine import make_system_image

from layerstack import command
from layerstack.deploy import deploy as deploying
from layerstack.deploy.swarm import require_not_deployed
from layerstack.errors import EngineError, StartFailed, UsageError
from layerstack.wait import wait_until

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("swarm")
    with (
        pytest.MonkeyPatch.context() as patch,
        own_engine() as engine,
        own_registry(folder / "images", free_port(), engine.process_id) as registry,
    ):
        made = deployed_in(folder, patch, engine.host, engine.client, registry.address)
        make_system_image()
        yield made


def test_refused_before_anything_is_built(swarm: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError) as outside:
        swarm.deploy()
    assert "docker swarm init" in outside.value.advice
    monkeypatch.setenv("LAYERSTACK_REGISTRY", "")
    with pytest.raises(UsageError):
        swarm.deploy()
    monkeypatch.undo()
    assert "@sha256:" not in deploying.explain(swarm.load()).file.text
    assert not swarm.client.images.list(name="layerstack-test/deployed")


def test_replicas_an_update_without_a_lost_request_and_a_broken_one_rolled_back(swarm: Deployed) -> None:
    command.run(["docker", "swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1"]).require()

    first = swarm.deploy()
    assert {one.name: (one.running, one.state) for one in first.replicas} == {
        "web": (3, "fine"),
        "once": (1, "fine"),
        "client": (1, "fine"),
    }
    images = [one["image"] for one in first.file.document["services"].values()]
    assert all("@sha256:" in image for image in images)
    assert wait_until(lambda: swarm.answers()["one"] > 5, SECONDS)
    before = swarm.answers()["LOST"]

    swarm.update("two")
    good = swarm.fail_to_update()
    # The client begins before there is anything to ask; from the first answer on none is lost.
    assert swarm.answers()["LOST"] == before
    running = swarm.tasks("web")
    assert len(running) == 3

    assert not swarm.faults()
    one = running[0]["Status"]["ContainerStatus"]["ContainerID"]
    assert swarm.client.containers.get(one).exec_run(["sh", "-c", "rm /srv/run.sh"]).exit_code == 0
    faults = swarm.faults()
    assert faults.keys() == {"web"}
    assert faults["web"].startswith("degraded")

    swarm.write("run.sh", good)
    assert swarm.deploy().is_ok


def test_compose_does_not_start_what_runs_as_a_stack(swarm: Deployed) -> None:
    with pytest.raises(StartFailed) as refused:
        require_not_deployed(swarm.client, swarm.load())
    assert "docker stack rm" in refused.value.advice
