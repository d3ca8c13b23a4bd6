"""Why a registry, or the engine in front of it, refuses a transfer, and what to do about it."""

from dataclasses import dataclass

from layerstack.engine import texts
from layerstack.engine.texts import Text
from layerstack.project.settings import REGISTRY_VARIABLE

LEAVE_OUT = f"`{REGISTRY_VARIABLE}=` before a command leaves it out"


@dataclass(frozen=True)
class Trouble:
    """`what` follows the name of the registry: "does not answer"; `advice` is what to do."""

    what: str
    advice: str

    def sentence(self, host: str) -> str:
        return f"the registry {host} {self.what} → {self.advice.format(host=host)}"


class RegistryFailed(Exception):
    """An image could not be pulled from a registry, or pushed to it."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        super().__init__(trouble.what)


SILENT = Trouble("does not answer", f"start it, or check the network; {LEAVE_OUT}")
FAILS = Trouble("fails with an error of its own", "its log says why; often its disk is full, `df -h` there")
BROKE_OFF = Trouble("broke off in the middle", f"check it and the network; {LEAVE_OUT}")

# The first that matches counts.
_TROUBLES: tuple[tuple[tuple[Text, ...], Trouble], ...] = (
    (texts.NEEDS_LOGIN, Trouble("asks for a login", "`docker login {host}`")),
    (texts.FORBIDDEN, Trouble("does not permit this to your login", "`docker login {host}` as a user who may")),
    (texts.RATE_LIMIT, Trouble("limits requests", "wait, or `docker login {host}`")),
    (
        texts.NOT_ENCRYPTED,
        Trouble("has no TLS", '{{"insecure-registries": ["{host}"]}} in the engine\'s daemon.json, or give it TLS'),
    ),
    (
        texts.BAD_CERTIFICATE,
        Trouble("has a certificate that the engine does not trust", "its CA as /etc/docker/certs.d/{host}/ca.crt"),
    ),
    (texts.READ_ONLY, Trouble("is read-only", f"name another one: {REGISTRY_VARIABLE}=HOST/PATH")),
    (
        texts.TOO_LARGE,
        Trouble(
            "refuses a layer as too large", "raise the limit of the proxy in front of it (nginx: client_max_body_size)"
        ),
    ),
    (texts.REGISTRY_FULL, Trouble("has no room left", "`df -h` there, or its quota")),
    (
        texts.DISK_FULL,
        Trouble("has no disk space left, or this engine", "`df -h` on both; `invoke clean` here"),
    ),
    (texts.SERVER_FAILS, FAILS),
    (texts.NO_REPOSITORY, Trouble("has no such repository and does not create it", "create it there first")),
    # Last: its words (`timeout`, `: eof`) may occur in other messages.
    (texts.NOT_REACHED, SILENT),
)


def read_trouble(message: str) -> Trouble:
    """The meaning of a message; an unknown one is quoted."""
    known = next((trouble for signs, trouble in _TROUBLES if texts.says(message, *signs)), None)
    return known or Trouble(f"says: {' '.join(message.split())}", LEAVE_OUT)
