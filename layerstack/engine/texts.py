"""Message parts of Docker's programs that layerstack recognises, in lower case, and where each was seen.

None of them is an interface: check this list after an engine update.
"""

import re
from typing import NamedTuple

ENGINE = "Engine 28.5.2"
SDK = "Docker SDK 7.2.0"
# Found in the program's source, never observed.
SOURCE = "source only"
RUNTIME_SOURCE = "source of the NVIDIA container toolkit only"
REGISTRY = "registry protocol; Docker Hub's own words"


class Text(NamedTuple):
    """A part of a message, and the program and version that printed it."""

    part: str
    seen: str


def says(message: str, *texts: Text) -> bool:
    """Whether a message contains one of the parts."""
    lowered = message.lower()
    return any(text.part in lowered for text in texts)


# The names of an engine's layers before a cause: `failed to create task for container: ... runc create failed: CAUSE`,
# as Engine 28.5.2 and runc 1.1 print them.
LAYERS = re.compile(
    r"^.*(?:container process: |runc create failed: |create task for container: |container networking: )", re.DOTALL
)


def cause_of(refusal: str) -> str:
    """What the engine refuses, without the names of its layers before it."""
    return LAYERS.sub("", refusal).strip() or refusal


# The engine cannot be reached.
# Printed by the docker command.
# The second: a connection that TLS ends. The third: an address that is encrypted, asked without.
WANTS_TLS = (Text("client sent an http request to an https server", ENGINE),)
UNREACHABLE = (
    Text("cannot connect to the docker daemon", ENGINE),
    Text("error during connect", ENGINE),
    *WANTS_TLS,
)
# The command says "gave HTTP response", the SDK what its library of TLS says.
HAS_NO_TLS = (Text("gave http response to https client", ENGINE), Text("wrong_version_number", SDK))
NO_RIGHTS = (Text("permission denied", SOURCE), Text("permissionerror", SDK))
BAD_CERTIFICATE = (Text("certificate", f"{ENGINE} and {SDK}"),)
# The first is our own: command.run() ended the docker command.
NO_ANSWER = (Text("ended after", "layerstack"), Text("timed out", SDK))
UNKNOWN_HOST = (Text("no such host", ENGINE), Text("failed to resolve", SDK))

# A swarm: the second is of a node that is in one.
NO_MANAGER = (Text("not a swarm manager", ENGINE),)
WORKER = (Text("worker nodes can't", ENGINE),)
NO_LEADER = (Text("does not have a leader", ENGINE),)

# An image.
NO_NAME = (Text("invalid reference format", ENGINE),)
NO_SUCH_IMAGE = (Text("no such image", ENGINE),)
IMAGE_MISSING = (
    *NO_SUCH_IMAGE,
    Text("unable to find image", ENGINE),
    Text("pull access denied", ENGINE),
    Text("manifest unknown", REGISTRY),
)
RATE_LIMIT = (Text("toomanyrequests", REGISTRY), Text("429 too many", REGISTRY))
NO_TAG = (Text("manifest unknown", REGISTRY), Text("not found", REGISTRY))
# Of two pushes of the same layers: one took the name away, or the registry had only begun to take the layer of one.
PUSHES_CROSSED = (
    Text("tag does not exist", ENGINE),
    Text("does not exist locally", ENGINE),
    Text("blob unknown to registry", REGISTRY),
)
NO_TAG_FOR_PLATFORM = (Text("no matching manifest", ENGINE),)
NO_ACCESS = (Text("access denied", ENGINE),)
NEEDS_LOGIN = (
    Text("unauthorized", REGISTRY),
    Text("authentication required", REGISTRY),
    Text("no basic auth credentials", ENGINE),
    Text("http 401 response", SOURCE),
)
FORBIDDEN = (Text("denied", REGISTRY), Text("403 forbidden", SOURCE), Text("http 403 response", SOURCE))
NO_REPOSITORY = (Text("repository does not exist", SOURCE), Text("name unknown", REGISTRY))
# How the engine words a status of the registry: 405, and 500 or above.
# A proxy in front of a registry answers in HTML, of which the engine tells the status only.
READ_ONLY = (
    Text("method not allowed", f"{ENGINE} and docker-registry 2.8"),
    Text("operation is unsupported", SOURCE),
    Text("http 405 response", ENGINE),
)
TOO_LARGE = (Text("http 413 response", ENGINE), Text("request entity too large", SOURCE))
REGISTRY_FULL = (Text("507 insufficient storage", ENGINE), Text("http 507 response", SOURCE))
SERVER_FAILS = (Text("received unexpected http status: 5", ENGINE),)
NOT_ENCRYPTED = (Text("server gave http response to https client", ENGINE),)
NOT_REACHED = (
    Text("connection refused", ENGINE),
    Text("no such host", ENGINE),
    Text("no route to host", SOURCE),
    Text("timeout", ENGINE),
    Text("deadline exceeded", ENGINE),
    Text("connection reset", ENGINE),
    Text(": eof", ENGINE),
    Text("unexpected eof", ENGINE),
)

# A container that does not start.
PORT_TAKEN = (
    Text("port is already allocated", ENGINE),
    Text("address already in use", ENGINE),
    Text("ports are not available", "Docker Desktop (issue threads)"),
)
NO_PROGRAM = (Text("executable file not found", ENGINE),)
GPU_UNKNOWN = (Text("unknown device", SOURCE), Text("unresolvable cdi devices", ENGINE))
NO_GPU_DRIVER = (
    Text("could not select device driver", ENGINE),
    Text("no known gpu vendor", SOURCE),
    Text("invalid runtime name", ENGINE),
)
TOOLKIT_FAILS = (
    Text("nvidia-container", RUNTIME_SOURCE),
    Text("nvidia-ctk", RUNTIME_SOURCE),
    Text("nvidia-cdi-hook", RUNTIME_SOURCE),
    Text("libnvidia", RUNTIME_SOURCE),
)

# Compose prints these next to names of images and services, so shorter parts could match a name.
GPU_REFUSED = (
    Text("could not select device driver", ENGINE),
    Text("unresolvable cdi", ENGINE),
    Text("gpu vendor from cdi", SOURCE),
    Text("nvidia-container-cli", RUNTIME_SOURCE),
)

# The disk, from any of them.
DISK_FULL = (Text("no space left", f"{ENGINE}, words of the kernel"),)
