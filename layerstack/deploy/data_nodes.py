"""Which node of a swarm holds the data of each service: Swarm moves containers, but not volumes."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from layerstack.deploy.service_policy import keeps_data
from layerstack.deploy.swarm import read_constraints
from layerstack.engine.client import EngineClient

PIN = "node.id == "


def data_nodes(
    client: EngineClient, swarm: Mapping[str, Any], stack: str, document: Mapping[str, Any]
) -> dict[str, str]:
    """The node of each service that keeps data; {} for a swarm of one. `document` is what Compose resolved.

    A service stays where it is pinned, or where one of its volumes is. A new one goes to the node with the fewest, so
    that the members of a replica set are spread.
    """
    if int(swarm.get("Nodes") or 1) < 2:
        return {}
    own, here = str(swarm["NodeID"]), {one.name for one in client.volumes.list()}
    volumes = {name: _volumes(document, name) for name, one in document["services"].items() if keeps_data(one)}
    placed = {
        name: text.removeprefix(PIN)
        for name, constraints in read_constraints(client, stack).items()
        for text in constraints
        if name in volumes and text.startswith(PIN)
    }
    free = [own, *(node for node in _usable_nodes(client) if node != own)]
    for name, used in volumes.items():
        shared = (node for other, node in placed.items() if used & volumes[other])
        counts = Counter(placed.values())
        fewest = own if used & here else min(free, key=lambda node: counts[node])
        placed.setdefault(name, next(shared, fewest))
    return placed


def _volumes(document: Mapping[str, Any], service: str) -> frozenset[str]:
    """The names that the volumes of a service have on a node."""
    declared = document.get("volumes") or {}
    mounts = document["services"][service].get("volumes") or ()
    names = (str(mount["source"]) for mount in mounts if mount["type"] == "volume" and mount.get("source"))
    return frozenset(str((declared.get(name) or {}).get("name") or name) for name in names)


def _usable_nodes(client: EngineClient) -> list[str]:
    nodes: list[dict[str, Any]] = client.api.nodes()
    ready = (one for one in nodes if one["Status"]["State"] == "ready" and one["Spec"]["Availability"] == "active")
    return [str(one["ID"]) for one in ready]
