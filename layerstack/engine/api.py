"""The Docker SDK's client for one endpoint, with errors translated to EngineError.

Each error is also one of the SDK's own kinds, because the SDK catches those itself in places.
"""

import sys
import threading
from types import ModuleType
from typing import Any

import requests
from docker.api import APIClient
from docker.api import client as sdk_client
from docker.errors import APIError, DockerException, ImageNotFound, NotFound, create_api_error_from_http_exception
from docker.tls import TLSConfig
from docker.utils import version_lt

from docker import DockerClient
from layerstack.engine.endpoint import Endpoint
from layerstack.engine.unusable import podman
from layerstack.errors import EngineError, NotInEngine, RefusedByEngine

# The first request only asks for the version; the SDK's own default, for all others, is 60 s.
CONNECT_SECONDS = 5
REQUEST_SECONDS = 60
# Of Engine 28.3 to 28.5, with which all of this was seen.
NEWEST_API = "1.51"
ADVICE = "`invoke doctor` checks the engine."
# Two threads may ask for a client at the same time.
_LOCK = threading.Lock()


class EngineGone(EngineError, requests.RequestException, DockerException):
    """No answer: the connection failed, broke or took too long."""


class EngineRefused(RefusedByEngine, APIError):
    """The engine answered with an error; `explanation` is its own text."""


class ObjectMissing(NotInEngine, NotFound):
    """A container, volume or network that is not there."""


class ImageMissing(NotInEngine, ImageNotFound):
    """An image that is not there."""


class EngineClient(DockerClient):
    """A DockerClient whose requests raise EngineError."""

    def __init__(self, endpoint: Endpoint) -> None:
        is_ssh = endpoint.host.startswith("ssh://")
        if is_ssh:
            _use_system_ssh()
        # Instead of super().__init__(), which would only create an APIClient without our errors.
        self.api = _Api(
            base_url=endpoint.host,
            tls=_tls(endpoint),
            use_ssh_client=is_ssh,
            timeout=CONNECT_SECONDS,
        )
        self.api.timeout = REQUEST_SECONDS

    def disk_use(self, address: str) -> Any:
        """What the engine answers to an address of `disk_use`.

        The SDK's own `df` always asks for every kind, which takes seconds on a large engine.
        """
        answer = self.api.get(f"{self.api.base_url}/v{self.api.api_version}{address}")
        answer.raise_for_status()
        return answer.json()


class _Api(APIClient):
    # requests would let REQUESTS_CA_BUNDLE beat the engine's own CA, and send a local address through a proxy. Set
    # before the constructor, which already talks to the engine; the value that it assigns is ignored.
    trust_env = property(lambda self: False, lambda self, value: None)

    def _retrieve_server_version(self) -> str:
        # The SDK would speak the engine's newest version, and the answers of that may have lost fields.
        known = self.version(api_version=False)
        newest, oldest = str(known["ApiVersion"]), str(known.get("MinAPIVersion") or "0")
        asked = newest if version_lt(newest, NEWEST_API) else NEWEST_API
        # A newer engine may no longer offer that version: its oldest one is the closest.
        return oldest if version_lt(asked, oldest) else asked

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        try:
            response = super().send(request, **options)
            response.raise_for_status()
        except requests.HTTPError as error:
            raise _translated(error) from error
        except requests.RequestException as error:
            raise EngineGone(f"The engine does not answer: {error}", ADVICE) from error
        _require_docker(response)
        return response


def _require_docker(response: requests.Response) -> None:
    # Podman serves the same API without BuildKit. Its Server header reads "Libpod/5.8.6 (linux)".
    name, _, rest = response.headers.get("Server", "").partition("/")
    if name == "Libpod":
        raise podman(rest.split(" ")[0])


def _translated(error: requests.HTTPError) -> EngineError:
    try:
        create_api_error_from_http_exception(error)
    except APIError as cause:
        translated = _kind(cause)(f"The engine says: {cause.explanation or cause}")
        translated.explanation = cause.explanation
        return translated
    return EngineRefused(str(error))


def _kind(cause: APIError) -> type[EngineRefused | ObjectMissing | ImageMissing]:
    if isinstance(cause, ImageNotFound):
        return ImageMissing
    return ObjectMissing if isinstance(cause, NotFound) else EngineRefused


def _tls(endpoint: Endpoint) -> TLSConfig | bool:
    if not endpoint.has_tls:
        return False
    pair = (endpoint.cert_file, endpoint.key_file) if endpoint.cert_file and endpoint.key_file else None
    return TLSConfig(client_cert=pair, ca_cert=endpoint.ca_file or None, verify=endpoint.is_verified)


def _use_system_ssh() -> None:
    """Let the SDK reach `ssh://` with the system's ssh, as the docker command does, and without Paramiko."""
    # Seen in docker 7.2: without Paramiko the SDK refuses every such address, although its adapter needs it only for a
    # client of its own, which `use_ssh_client` leaves unused.
    with _LOCK:
        if not hasattr(sdk_client, "SSHHTTPAdapter"):
            vars(sdk_client)["SSHHTTPAdapter"] = _import_adapter()


def _import_adapter() -> type:
    empty = ModuleType("paramiko")
    sys.modules.setdefault("paramiko", empty)
    try:
        from docker.transport.sshconn import SSHHTTPAdapter
    finally:
        # Other code must still find out that Paramiko is not installed.
        if sys.modules["paramiko"] is empty:
            del sys.modules["paramiko"]
    return SSHHTTPAdapter
