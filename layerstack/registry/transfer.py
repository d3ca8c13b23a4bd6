"""Pushes and pulls images through the engine, and gives up earlier than the engine would."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any

from layerstack.engine import engine, texts
from layerstack.errors import EngineError
from layerstack.registry.trouble import BROKE_OFF, RegistryFailed, read_trouble
from layerstack.report import Say

# The engine tries a layer five times and waits 5, 10, 15 and 20 seconds between.
FIRST_RETRY, SECOND_RETRY = "Retrying in 5 ", "Retrying in 10 "
# Each time somebody else has pushed the same layers meanwhile.
PUSHES = 5


def pull(pinned: str) -> None:
    """Pull `REPOSITORY@sha256:…`; the engine compares the content with the digest. Raises RegistryFailed."""
    repository, _, digest = pinned.partition("@")
    with _troubles():
        _read(engine.client().api.pull(repository, tag=digest, stream=True, decode=True), _give_up)


def push(image_id: str, reference: str, say: Say) -> str:
    """Push a stored image; returns the digest of its manifest. The engine forgets the name afterwards.

    `say` hears of a registry that refuses a layer: the engine tells the reason only after 50 seconds. An interrupted
    push leaves nothing under that name, and the next one continues it. Raises RegistryFailed, EngineError.
    """
    # Several layers are pushed side by side, and each says that it retries.
    seen: list[str] = []

    def look(status: str) -> None:
        if status.startswith(FIRST_RETRY) and not seen:
            seen.append(status)
            say("the registry refuses a layer; the engine retries for up to 50 s")

    # What the other push has brought by then is not brought again.
    for _ in range(PUSHES - 1):
        with suppress(_Crossed):
            return _push(image_id, reference, look)
    return _push(image_id, reference, look)


class _Crossed(RegistryFailed):
    pass


def _push(image_id: str, reference: str, look: Callable[[str], None]) -> str:
    repository, _, tag = reference.rpartition(":")
    api = engine.client().api
    # The engine pushes by name only: the image has this one for as long as the push takes.
    api.tag(image_id, repository, tag)
    try:
        with _troubles():
            return _read(api.push(repository, tag, stream=True, decode=True), look)
    finally:
        with suppress(EngineError):
            api.remove_image(reference)


def _give_up(status: str) -> None:
    # A pull is tried twice: whoever waits for it can also build.
    if status.startswith(SECOND_RETRY):
        raise RegistryFailed(BROKE_OFF)


def _read(events: Generator[Mapping[str, Any], None, None], look: Callable[[str], None]) -> str:
    """Follow a transfer; returns the digest, "" without one. Raises RegistryFailed."""
    digest = ""
    # Closing the stream makes the engine end an abandoned transfer.
    with closing(events):
        for event in events:
            # API 1.48 announces that `error` will be left out.
            if error := event.get("error") or (event.get("errorDetail") or {}).get("message"):
                raise _failure(str(error))
            look(str(event.get("status", "")))
            digest = str((event.get("aux") or {}).get("Digest") or digest)
    return digest


def _failure(said: str) -> RegistryFailed:
    kind = _Crossed if texts.says(said, *texts.PUSHES_CROSSED) else RegistryFailed
    return kind(read_trouble(said))


@contextmanager
def _troubles() -> Iterator[None]:
    # Here, as every build loads this file and few talk to a registry.
    import requests
    import urllib3

    try:
        yield
    except EngineError as error:
        raise _failure(str(error.args[0])) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        # The engine was silent for as long as its client waits.
        raise RegistryFailed(BROKE_OFF) from error
