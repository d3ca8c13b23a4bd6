"""What the engine tells of a transfer, and when a transfer is given up."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import urllib3

from layerstack.engine import engine
from layerstack.registry import transfer
from layerstack.registry.trouble import BROKE_OFF, RegistryFailed


class Api:
    """Transfers that tell `events` and then may fail."""

    def __init__(self, *events: dict[str, Any], failure: Exception | None = None) -> None:
        self.events, self.failure = events, failure
        self.is_ended = False
        self.calls: list[tuple[str, ...]] = []

    def pull(self, repository: str, tag: str, **_: Any) -> Iterator[dict[str, Any]]:
        self.calls.append(("pull", repository, tag))
        return self._tell()

    def push(self, repository: str, tag: str, **_: Any) -> Iterator[dict[str, Any]]:
        self.calls.append(("push", repository, tag))
        return self._tell()

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        self.calls.append(("tag", image_id, repository, tag))

    def remove_image(self, reference: str) -> None:
        self.calls.append(("remove", reference))

    def _tell(self) -> Iterator[dict[str, Any]]:
        try:
            yield from self.events
            if self.failure:
                raise self.failure
        finally:
            self.is_ended = True


def use(monkeypatch: pytest.MonkeyPatch, api: Api) -> Api:
    monkeypatch.setattr(engine, "client", lambda: SimpleNamespace(api=api))
    return api


def retries(seconds: int) -> dict[str, Any]:
    return {"status": f"Retrying in {seconds} seconds", "id": "layer"}


def test_a_push_leaves_no_name_behind_and_tells_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    api = use(monkeypatch, Api({"status": "Pushed"}, {"aux": {"Digest": "sha256:1"}}))
    assert transfer.push("id", "h:1/x:t", lambda _: None) == "sha256:1"
    assert api.calls == [("tag", "id", "h:1/x", "t"), ("push", "h:1/x", "t"), ("remove", "h:1/x:t")]


REFUSED = "unknown: Method not allowed"


@pytest.mark.parametrize("error", ["tag does not exist: h:1/x:t", "manifest blob unknown: blob unknown to registry"])
def test_a_push_that_another_one_crossed_is_repeated(monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    api = use(monkeypatch, Api({"error": error}))
    tag = api.tag

    def tag_again(*given: str) -> None:
        if ("push", "h:1/x", "t") in api.calls:
            api.events = ({"aux": {"Digest": "sha256:1"}},)
        tag(*given)

    monkeypatch.setattr(api, "tag", tag_again)
    assert transfer.push("id", "h:1/x:t", lambda _: None) == "sha256:1"
    assert [one[0] for one in api.calls] == ["tag", "push", "remove"] * 2


def test_a_name_that_never_stays_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    api = use(monkeypatch, Api({"error": "tag does not exist: h:1/x:t"}))
    with pytest.raises(RegistryFailed, match="tag does not exist"):
        transfer.push("id", "h:1/x:t", lambda _: None)
    assert [one[0] for one in api.calls].count("push") == transfer.PUSHES


@pytest.mark.parametrize(
    "told", [{"error": REFUSED, "errorDetail": {"message": REFUSED}}, {"errorDetail": {"message": REFUSED}}]
)
def test_a_push_waits_for_the_reason_and_says_once_that_it_waits(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, Any]
) -> None:
    api, waits = use(monkeypatch, Api(*map(retries, (5, 4, 10, 5)), told)), []
    with pytest.raises(RegistryFailed) as caught:
        transfer.push("id", "h:1/x:t", lambda _: waits.append(1))
    assert "read-only" in caught.value.trouble.what
    assert waits == [1]
    assert api.calls[-1] == ("remove", "h:1/x:t")


def test_a_pull_is_given_up_at_its_second_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    api = use(monkeypatch, Api(retries(5), retries(1), retries(10), {"error": "never told"}))
    with pytest.raises(RegistryFailed) as caught:
        transfer.pull("h:1/x@sha256:1")
    assert caught.value.trouble is BROKE_OFF
    assert api.is_ended
    assert api.calls == [("pull", "h:1/x", "sha256:1")]


def test_an_engine_without_news_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Api(failure=urllib3.exceptions.ReadTimeoutError(None, "", "timed out")))  # type: ignore[arg-type]
    with pytest.raises(RegistryFailed) as caught:
        transfer.pull("h:1/x@sha256:1")
    assert caught.value.trouble is BROKE_OFF
