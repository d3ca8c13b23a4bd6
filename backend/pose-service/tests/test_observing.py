"""Request ids and metrics of the app."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families


def read_metrics(client: FlaskClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by its name and labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    samples = (sample for family in families for sample in family.samples)
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def requests_counted(client: FlaskClient, route: str, method: str, status: str) -> float:
    labels = (("method", method), ("route", route), ("status", status))
    return read_metrics(client).get(("pose_requests_total", labels), 0.0)


@pytest.mark.parametrize("offered", ["a", "7f3c", "A-b_c.d:e@f+g/h=", "x" * 128])
def test_a_sane_request_id_is_kept(client: FlaskClient, offered: str) -> None:
    assert client.get("/health", headers={"X-Request-Id": offered}).headers["X-Request-Id"] == offered


@pytest.mark.parametrize("offered", ["", " ", "a b", "x" * 129, "<script>", '"', "a;b", "ä"])
def test_another_one_is_replaced(client: FlaskClient, offered: str) -> None:
    answer = client.get("/health", headers={"X-Request-Id": offered.encode("utf-8").decode("latin-1")})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_every_request_has_another_id(client: FlaskClient) -> None:
    assert len({client.get("/health").headers["X-Request-Id"] for _ in range(10)}) == 10


def test_a_problem_names_the_request(client: FlaskClient) -> None:
    answer = client.get("/nothing", headers={"X-Request-Id": "rider-7"})
    assert (answer.get_json()["request_id"], answer.headers["X-Request-Id"]) == ("rider-7", "rider-7")


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/health", "/health", "200"),
        ("POST", "/pose", "/pose", "415"),
    ],
)
def test_a_request_is_counted_once(client: FlaskClient, method: str, path: str, route: str, status: str) -> None:
    before = requests_counted(client, route, method, status)
    client.open(path, method=method).close()
    assert requests_counted(client, route, method, status) == before + 1


def test_unknown_paths_share_one_label(client: FlaskClient) -> None:
    before = requests_counted(client, "unknown", "any", "404")
    for number in range(5):
        client.open(f"/nothing/{number}", method="BREW").close()
    assert requests_counted(client, "unknown", "any", "404") == before + 5


def test_an_estimate_shows_in_engine_seconds(client: FlaskClient, astronaut: Path) -> None:
    before = read_metrics(client).get(("pose_engine_seconds_count", ()), 0.0)
    client.post("/pose", data={"image": (io.BytesIO(astronaut.read_bytes()), "a.jpg")}).close()
    after = read_metrics(client)
    assert after[("pose_engine_seconds_count", ())] == before + 1
    assert after[("pose_queue_length", ())] == 0
    assert after[("pose_engines", (("state", "ready"),))] == 1
    assert after[("pose_engine_restarts_total", ())] == 0
