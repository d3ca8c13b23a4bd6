"""The containers of the page's stack, where they may be broken."""

from __future__ import annotations

import time

import pytest
from chromium_container import find_container
from docker.client import DockerClient
from docker.models.containers import Container

REHEARSAL_LABEL = "layerstack.rehearsal"
HEALTHY_SECONDS = 120.0


def find_containers(client: DockerClient, web_url: str) -> dict[str, Container]:
    """Return the containers by service; skips the test for a stack that somebody may be using."""
    page_container = find_container(client, web_url)
    if REHEARSAL_LABEL not in page_container.labels:
        pytest.skip("breaks containers, so only in a copy of the stack: `nox -s browser_tests`")
    name = page_container.labels["com.docker.compose.project"]
    of_it = {"label": f"com.docker.compose.project={name}"}
    return {one.labels["com.docker.compose.service"]: one for one in client.containers.list(filters=of_it)}


def wait_until_healthy(container: Container) -> None:
    """Wait for the container's health check; fails when it does not pass in time."""
    ends = time.monotonic() + HEALTHY_SECONDS
    while time.monotonic() < ends:
        container.reload()
        if container.health == "healthy":
            return
        time.sleep(0.5)
    pytest.fail(f"{container.name} is {container.health}")
