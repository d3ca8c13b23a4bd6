"""The engine that the docker command talks to: address, context and TLS files."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from layerstack import command
from layerstack.docker_plugin import config_file, read_config
from layerstack.errors import EngineError

DEFAULT_HOST = "unix:///var/run/docker.sock"
DEFAULT_CONTEXT = "default"
# The command only reads files for this.
CONTEXT_SECONDS = 5.0
_FILES = ("ca", "cert", "key")


@dataclass(frozen=True)
class Endpoint:
    """`context` is "" for an address given without one; a TLS file is "" when it does not exist."""

    host: str = DEFAULT_HOST
    context: str = ""
    has_tls: bool = False
    is_verified: bool = True
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    @property
    def is_chosen(self) -> bool:
        """Whether a variable or a context chose it: docker command and SDK may then disagree."""
        return self.host != DEFAULT_HOST or bool(self.context)

    @property
    def socket_path(self) -> str:
        """The Unix socket; "" for an engine reached in another way."""
        return self.host.removeprefix("unix://") if self.host.startswith("unix://") else ""

    def __str__(self) -> str:
        return f"{self.host} (context {self.context})" if self.context else self.host


def find_endpoint() -> Endpoint:
    """In the order of the docker command: DOCKER_HOST, DOCKER_CONTEXT, the current context of config.json.

    Runs the docker command only to resolve a context. Raises EngineError for a context that does not exist.
    """
    if host := os.environ.get("DOCKER_HOST", ""):
        return _with_tls_of_variables(host)
    name = os.environ.get("DOCKER_CONTEXT", "") or _current_context()
    if not name or name == DEFAULT_CONTEXT:
        return Endpoint()
    return _from_context(name)


def _with_tls_of_variables(host: str) -> Endpoint:
    is_verified = bool(os.environ.get("DOCKER_TLS_VERIFY"))
    # Like the docker command, ignore the TLS variables for a socket and for SSH.
    if not (is_verified or os.environ.get("DOCKER_TLS")) or host.startswith(("unix://", "ssh://")):
        return Endpoint(host)
    return _with_files(host, "", is_verified, Path(os.environ.get("DOCKER_CERT_PATH") or config_file().parent))


def _from_context(name: str) -> Endpoint:
    # Not by the SDK: 7.2 finds contexts only if a config.json exists, and the docker command needs none.
    asked = command.run(["docker", "context", "inspect", name], timeout_seconds=CONTEXT_SECONDS)
    try:
        context = json.loads(asked.stdout)[0]
        endpoint = context["Endpoints"]["docker"]
        host = str(endpoint["Host"])
    except (ValueError, LookupError, TypeError) as error:
        msg = f"The docker context {name} cannot be read: {asked.stderr.strip() or 'it has no address'}"
        raise EngineError(msg, "`docker context ls` lists the contexts.") from error
    is_verified = not endpoint.get("SkipTLSVerify")
    # A context without TLS files is for a socket, SSH or plain TCP.
    if is_verified and not (context.get("TLSMaterial") or {}).get("docker"):
        return Endpoint(host, name)
    return _with_files(host, name, is_verified, Path((context.get("Storage") or {}).get("TLSPath") or "", "docker"))


def _with_files(host: str, context: str, is_verified: bool, folder: Path) -> Endpoint:
    ca, cert, key = (str(path) if path.is_file() else "" for path in (folder / f"{name}.pem" for name in _FILES))
    return Endpoint(host, context, True, is_verified, ca, cert, key)


def _current_context() -> str:
    # From the file: another call of the docker command would slow down every task.
    return str(read_config().get("currentContext") or "")
