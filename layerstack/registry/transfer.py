"""Images to a registry and back, through the engine, given up early where the engine alone would try for long."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any

import requests
import urllib3

from layerstack.engine import engine
from layerstack.errors import EngineError
from layerstack.registry.trouble import BROKE_OFF, RegistryFailed, read_trouble

# The engine tries a layer five times and waits 5, 10, 15 and 20 seconds between: one more try is enough here.
GIVES_UP_AT = "Retrying in 10 "


def pull(pinned: str) -> None:
    """Pull `REPOSITORY@sha256:…`; the engine compares the content with the digest. Raises RegistryFailed."""
    repository, _, digest = pinned.partition("@")
    with _troubles():
        _read(engine.client().api.pull(repository, tag=digest, stream=True, decode=True), GIVES_UP_AT)


def push(image_id: str, reference: str) -> str:
    """Push a stored image under a name that is gone from the engine afterwards; the digest of its manifest.

    A push that ends early leaves nothing under that name, and the next one goes on where it ended. Raises
    RegistryFailed, EngineError.
    """
    repository, _, tag = reference.rpartition(":")
    api = engine.client().api
    api.tag(image_id, repository, tag)
    try:
        with _troubles():
            # Not given up early: nobody waits for it but who asked for it.
            return _read(api.push(repository, tag, stream=True, decode=True))
    finally:
        with suppress(EngineError):
            api.remove_image(reference)


def _read(events: Generator[Mapping[str, Any], None, None], gives_up_at: str = "") -> str:
    """All that the engine tells of a transfer; the digest, where it names one. Raises RegistryFailed."""
    digest = ""
    # Closed, the engine ends a transfer that nobody waits for any more.
    with closing(events):
        for event in events:
            if error := event.get("error"):
                raise RegistryFailed(read_trouble(str(error)))
            if gives_up_at and str(event.get("status", "")).startswith(gives_up_at):
                raise RegistryFailed(BROKE_OFF)
            digest = str((event.get("aux") or {}).get("Digest") or digest)
    return digest


@contextmanager
def _troubles() -> Iterator[None]:
    try:
        yield
    except EngineError as error:
        raise RegistryFailed(read_trouble(str(error.args[0]))) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        # No news from the engine for as long as its client waits.
        raise RegistryFailed(BROKE_OFF) from error
