"""People who upload photos and clips to the API, whatever happens to it, and remember what it promised."""

import contextlib
import hashlib
import threading
from collections.abc import Mapping

import requests
from clip import make_unique

TIMEOUT_SECONDS = 15.0


class Uploads:
    """`with Uploads(url, media) as uploads:` uploads until the block ends.

    `media` is file name -> (content, pause in seconds): one person for each, who sends it again and again, never the
    same bytes. `accepted` is analysis id -> SHA-256 of what was sent.
    """

    def __init__(self, url: str, media: Mapping[str, tuple[bytes, float]]) -> None:
        self.url = url
        self.accepted: dict[str, str] = {}
        self.refusals = 0
        self.surprises: list[str] = []
        self._ended = threading.Event()
        self._people = [
            threading.Thread(target=self._upload_on, args=(name, content, pause), daemon=True)
            for name, (content, pause) in media.items()
        ]

    def __enter__(self) -> "Uploads":
        for person in self._people:
            person.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for person in self._people:
            person.join()

    def _upload_on(self, name: str, content: bytes, pause_seconds: float) -> None:
        while not self._ended.is_set():
            self._upload(name, make_unique(content))
            self._ended.wait(pause_seconds)

    def _upload(self, name: str, content: bytes) -> None:
        with contextlib.suppress(requests.RequestException):
            answer = requests.post(
                f"{self.url}/api/analyses", files={"media": (name, content)}, timeout=TIMEOUT_SECONDS
            )
            if answer.status_code == requests.codes.created:
                self.accepted[answer.json()["id"]] = hashlib.sha256(content).hexdigest()
                return
            if answer.status_code != requests.codes.service_unavailable or "Retry-After" not in answer.headers:
                self.surprises.append(f"{answer.status_code}: {answer.text}")
        self.refusals += 1
