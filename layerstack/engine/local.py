"""Questions to an engine behind a local socket, without the Docker SDK or the docker command.

Importing the SDK takes 0.1 s and starting the command 0.03 s, longer than the engine takes to answer. `http.client`
is slow to import as well, and HTTP/1.0 is all that is needed here.
"""

import json
import socket
from typing import Any

from layerstack.engine.endpoint import find_endpoint

# The SDK's own limit.
ANSWER_SECONDS = 60.0
FOUND, NOT_FOUND = 200, 404


def ask(*addresses: str) -> list[Any] | None:
    """One answer for each address, such as `/images/base/json`: None for what the engine does not have.

    None for all of them when the engine is not a local Docker, does not answer or refuses: the docker command and the
    SDK report the reason.
    """
    path = find_endpoint().socket_path
    if not path:
        return None
    try:
        return [_ask(path, address) for address in addresses]
    except (OSError, ValueError):
        return None


def _ask(path: str, address: str) -> Any:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(path)
        # HTTP/1.0 has no chunked answers: the body ends with the connection.
        connection.sendall(f"GET {address} HTTP/1.0\r\nHost: docker\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1]) if head.startswith(b"HTTP/") else 0
    # Podman serves the same addresses; the docker command shows what it lacks.
    if status not in (FOUND, NOT_FOUND) or b"Libpod" in head:
        raise ValueError(address)
    return json.loads(body) if status == FOUND else None
