"""What a registry, or the engine in front of it, says when an image cannot be had or left there."""

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
    """An image could not be had from a registry, or left there."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        super().__init__(trouble.what)


SILENT = Trouble("does not answer", f"start it, or look at the network; {LEAVE_OUT}")
FAILS = Trouble("fails with an error of its own", "its log tells why; most often its disk is full, `df -h` there")
BROKE_OFF = Trouble("broke off in the middle", f"look at it and at the network; {LEAVE_OUT}")

# The first that matches counts.
_TROUBLES: tuple[tuple[tuple[Text, ...], Trouble], ...] = (
    (texts.NEEDS_LOGIN, Trouble("asks for a login", "`docker login {host}`")),
    (texts.FORBIDDEN, Trouble("does not allow that to your login", "`docker login {host}` as somebody who may")),
    (texts.RATE_LIMIT, Trouble("limits how often it may be asked", "wait, or `docker login {host}`")),
    (
        texts.NOT_ENCRYPTED,
        Trouble("has no TLS", '{{"insecure-registries": ["{host}"]}} in the engine\'s daemon.json, or give it TLS'),
    ),
    (
        texts.BAD_CERTIFICATE,
        Trouble("has a certificate that the engine does not trust", "its CA as /etc/docker/certs.d/{host}/ca.crt"),
    ),
    (texts.READ_ONLY, Trouble("is read-only", f"name another one: {REGISTRY_VARIABLE}=HOST/PATH")),
    (texts.DISK_FULL, Trouble("has no room left, or this engine has none", "`df -h` on both; `invoke clean` here")),
    (texts.SERVER_FAILS, FAILS),
    (texts.NO_REPOSITORY, Trouble("has no such repository and makes none", "create it there first")),
    (texts.NOT_REACHED, SILENT),
)


def read_trouble(message: str) -> Trouble:
    """What a message means; one that is not known is repeated."""
    known = next((trouble for signs, trouble in _TROUBLES if texts.says(message, *signs)), None)
    return known or Trouble(f"says: {' '.join(message.split())}", LEAVE_OUT)
