"""On which node data is put. The engine answers from a table."""

from types import SimpleNamespace
from typing import Any

from layerstack.deploy.deploy import data_nodes

MANAGER = {"NodeID": "n1", "Nodes": 3}


def client(pins: dict[str, str], volumes: tuple[str, ...] = (), away: tuple[str, ...] = ()) -> Any:
    services = [
        {
            "Spec": {
                "Name": f"shop_{name}",
                "TaskTemplate": {"Placement": {"Constraints": ["node.role == worker", f"node.id == {node}"]}},
            }
        }
        for name, node in pins.items()
    ]
    nodes = [
        {"ID": name, "Status": {"State": "down" if name in away else "ready"}, "Spec": {"Availability": "active"}}
        for name in ("n3", "n1", "n2")
    ]
    api = SimpleNamespace(services=lambda **_: services, nodes=lambda: nodes)
    found = [SimpleNamespace(name=name) for name in volumes]
    return SimpleNamespace(api=api, volumes=SimpleNamespace(list=lambda: found))


def document(**volumes: str) -> dict[str, Any]:
    services = {
        name: {"volumes": [{"type": "volume", "source": volume, "target": "/data"}]} for name, volume in volumes.items()
    }
    return {"services": services, "volumes": {one: {"name": f"shop_{one}"} for one in volumes.values()}}


def test_the_members_of_a_set_are_spread() -> None:
    found = data_nodes(client({}), MANAGER, "shop", document(a="a", b="b", c="c"))
    assert found == {"a": "n1", "b": "n3", "c": "n2"}


def test_data_stays_where_it_is() -> None:
    asked = document(a="a", b="b", c="c")
    assert data_nodes(client({"a": "n2"}), MANAGER, "shop", asked)["a"] == "n2"
    assert data_nodes(client({}, ("shop_a", "shop_b")), MANAGER, "shop", asked) == {"a": "n1", "b": "n1", "c": "n3"}


def test_two_services_on_one_volume_are_on_one_node() -> None:
    asked = document(a="a", b="b", dump="b")
    assert data_nodes(client({}), MANAGER, "shop", asked) == {"a": "n1", "b": "n3", "dump": "n3"}


def test_nodes_that_are_down_get_nothing() -> None:
    found = data_nodes(client({}, away=("n2", "n3")), MANAGER, "shop", document(a="a", b="b"))
    assert found == {"a": "n1", "b": "n1"}


def test_one_node_needs_no_pins() -> None:
    assert data_nodes(client({}), {"NodeID": "n1", "Nodes": 1}, "shop", document(a="a")) == {}
