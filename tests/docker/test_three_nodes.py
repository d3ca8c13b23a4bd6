"""A swarm of three nodes: updated under load, rolled back, one cut off; the others serve, and verify says what is."""

from collections import Counter
from collections.abc import Iterator

import pytest
from cabled import WITHOUT_TLS, Machines, machines
from deployed_project import SECONDS, Deployed, deployed_in
from second_machine import make_system_image

from layerstack import command
from layerstack.wait import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.machines]
# Swarm takes a silent node for down after 5 heartbeats of up to 5 s and its jitter; then a replica starts.
ELSEWHERE_SECONDS = 40.0


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with machines(tmp_path_factory.mktemp("three"), WITHOUT_TLS, WITHOUT_TLS, WITHOUT_TLS) as made:
        made.make_swarm()
        yield made


@pytest.fixture(scope="module")
def stack(three: Machines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Deployed from the first node, a replica on each; the client runs on the first one, where its volume is."""
    engine = three.nodes[0].engine
    folder = tmp_path_factory.mktemp("stack")
    with pytest.MonkeyPatch.context() as patch:
        made = deployed_in(folder, patch, engine.host, engine.client, three.registry.address)
        make_system_image()
        assert made.deploy().is_ok
        assert wait_until(lambda: made.answers()["one"] > 5, SECONDS)
        yield made


def places(stack: Deployed) -> Counter[str]:
    """Node → replicas that run there."""
    return Counter(str(one["NodeID"]) for one in stack.tasks("web") if one["Status"]["State"] == "running")


def test_a_replica_on_each_node_is_asked_over_the_overlay_network(stack: Deployed) -> None:
    assert sorted(places(stack).values()) == [1, 1, 1]
    web = stack.verify()["web"]
    assert (web.state, web.working) == ("fine", 3)
    asked = [check for check in web.checks if check.check == "answers"]
    assert len(asked) == 3
    assert all(check.is_asked for check in asked)


def test_an_update_and_a_broken_one_lose_no_request(stack: Deployed) -> None:
    before = stack.answers()["LOST"]
    stack.update("two")
    good = stack.fail_to_update()
    assert stack.answers()["LOST"] == before
    stack.write("run.sh", good)
    assert stack.deploy().is_ok


def test_what_was_scaled_to_zero_is_said_and_is_no_fault(stack: Deployed) -> None:
    service = f"{stack.load().name}_web"
    command.run(["docker", "service", "scale", "--detach", f"{service}=0"]).require()
    assert wait_until(lambda: not stack.tasks("web"), SECONDS)
    assert not stack.faults()
    assert stack.verify()["web"].state == "off"
    assert stack.deploy().is_ok
    assert stack.verify()["web"].state == "fine"


def test_no_replica_in_the_compose_file_ends_those_of_an_earlier_deploy(stack: Deployed) -> None:
    file = stack.root / "docker-compose.yml"
    before = file.read_text()
    file.write_text(before.replace("replicas: 3", "replicas: 0"))
    stack.deploy()
    assert wait_until(lambda: not stack.tasks("web"), SECONDS)
    assert not stack.faults()
    file.write_text(before)
    assert stack.deploy().is_ok


def test_a_node_that_is_cut_off_is_replaced_and_comes_back(stack: Deployed, three: Machines) -> None:
    before = stack.answers()
    last = three.nodes[-1]
    gone = last.docker("info", "--format", "{{.Swarm.NodeID}}")
    last.pull_cable()
    try:
        # As long as the swarm has not noticed, the replica is there and gives no answer.
        faults = stack.faults()
        assert faults.keys() == {"web"}
        assert faults["web"].startswith("degraded")
        assert wait_until(lambda: gone not in places(stack) and places(stack).total() == 3, ELSEWHERE_SECONDS)
        assert stack.verify()["web"].working == 3
    finally:
        last.put_cable_back()
    # What was asked of that replica before Swarm forgot its address: each waits for 4 s.
    assert stack.answers()["LOST"] - before["LOST"] <= ELSEWHERE_SECONDS / 4
    assert wait_until(lambda: last.docker("info", "--format", "{{.Swarm.ControlAvailable}}") == "true", SECONDS)
