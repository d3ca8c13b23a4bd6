"""Looks up images in a registry, through the engine: its logins, certificates and proxies apply."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from layerstack.engine import engine
from layerstack.engine.client import EngineClient
from layerstack.errors import EngineError, NotInEngine
from layerstack.registry.trouble import FAILS, SILENT, Trouble, read_trouble
from layerstack.wait import ask_all, call_within

# For all images together, as they are looked up in parallel.
ANSWER_SECONDS = 2.0
AGAIN_SECONDS = 0.2


@dataclass(frozen=True)
class Answer:
    """`digest` is that of the manifest, "" when there is none; `trouble` says why it is unknown."""

    reference: str
    digest: str = ""
    trouble: Trouble | None = None

    @property
    def pinned(self) -> str:
        """The name that pulls exactly this image."""
        return f"{self.reference.rpartition(':')[0]}@{self.digest}"


def look_up(references: Iterable[str], within_seconds: float = ANSWER_SECONDS) -> Mapping[str, Answer]:
    """Look up all references in parallel; without an answer in time one has a `trouble`. Raises EngineError."""
    # Several services may run one image: it is asked for once.
    wanted = list(dict.fromkeys(references))
    client = engine.client()
    deadline = time.monotonic() + within_seconds
    return {answer.reference: answer for answer in ask_all(lambda one: _ask(client, one, deadline), wanted)}


def _ask(client: EngineClient, reference: str, deadline: float) -> Answer:
    while True:
        answer = _ask_once(client, reference, deadline)
        # docker-registry fails while another client is writing the same name.
        if answer.trouble is not FAILS or time.monotonic() + AGAIN_SECONDS > deadline:
            return answer
        time.sleep(AGAIN_SECONDS)


def _ask_once(client: EngineClient, reference: str, deadline: float) -> Answer:
    try:
        left_seconds = max(0.0, deadline - time.monotonic())
        found = call_within(left_seconds, lambda: client.api.inspect_distribution(reference))
    except NotInEngine:
        return Answer(reference)
    except TimeoutError:
        return Answer(reference, trouble=SILENT)
    except EngineError as error:
        return Answer(reference, trouble=read_trouble(str(error.args[0])))
    return Answer(reference, str(found["Descriptor"]["digest"]))
