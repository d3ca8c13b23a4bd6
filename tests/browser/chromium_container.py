"""Chromium in a container beside the page's own, with a network of its own.

Not on the host's network: whenever any container starts or stops there, Chromium ends its requests with
ERR_NETWORK_CHANGED, and a page that misses one of its modules stays blank.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from docker.client import DockerClient
from docker.errors import ImageNotFound
from docker.models.containers import Container
from playwright.sync_api import Browser, Error, Playwright

DEBUG_PORT = "9223/tcp"
START_SECONDS = 40


def find_container(client: DockerClient, web_url: str) -> Container:
    """Return the container that serves `web_url`; fails when there is none."""
    for container in client.containers.list(ignore_removed=True):
        if _inner_port(container, web_url):
            return container
    pytest.fail(f"no container serves {web_url}: start the stack, or set CHROMIUM to a local program", pytrace=False)


def find_page(client: DockerClient, web_url: str) -> tuple[str, str]:
    """Return the network of the container that serves `web_url` and the page's address in that network."""
    container = find_container(client, web_url)
    network, settings = next(iter(container.attrs["NetworkSettings"]["Networks"].items()))
    return network, f"http://{settings['IPAddress']}:{_inner_port(container, web_url)}"


def _inner_port(container: Container, web_url: str) -> str:
    """Return the container's own port behind `web_url`, empty when it serves something else."""
    wanted = str(urlsplit(web_url).port)
    for inner, bindings in container.ports.items():
        if any(binding["HostPort"] == wanted for binding in bindings or []):
            return str(inner).partition("/")[0]
    return ""


@contextlib.contextmanager
def run_container(client: DockerClient, image: str, network: str) -> Iterator[Container]:
    """Run `image` in `network` with its debugging port on 127.0.0.1; the container is removed at the end."""
    try:
        container = client.containers.create(
            image,
            name=f"browser-tests-{uuid.uuid4().hex[:8]}",
            network=network,
            ports={DEBUG_PORT: ("127.0.0.1", None)},
            init=True,
        )
    except ImageNotFound:
        pytest.fail(f"no image {image}: build it with `docker buildx bake browser`, or set CHROMIUM", pytrace=False)
    try:
        container.start()
        yield container
    finally:
        container.remove(force=True)


def connect(playwright: Playwright, container: Container) -> Browser:
    """Connect to the container's Chromium; fails with its log when it does not answer in START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        container.reload()
        try:
            return playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{read_port(container)}")
        except (Error, LookupError) as error:
            if container.status not in ("created", "running") or time.monotonic() > deadline:
                log = container.logs(tail=20).decode(errors="replace")
                pytest.fail(f"Chromium does not answer ({container.status}): {error}\n{log}", pytrace=False)
            time.sleep(0.2)


def read_port(container: Any) -> str:
    """Return the port of 127.0.0.1 that leads to the debugging port; LookupError until there is one."""
    return str(container.ports[DEBUG_PORT][0]["HostPort"])
