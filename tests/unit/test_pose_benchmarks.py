"""The benchmarks of the pose service: what is sent, what is computed from the answers, what is written down."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from benchmarks import document, pose_changes, pose_rates
from benchmarks.pose_load import BOUNDARY, Client, Timing, form
from benchmarks.rows import Row
from benchmarks.samples import NO_LIMIT, Goal, Measurement, Samples
from layerstack.errors import CheckFailed

ROOT = Path(__file__).parents[2]
ONE_PERSON = {"people": [{}], "search": {"milliseconds": 30.0, "decode_milliseconds": 10.0}}


class Handler(BaseHTTPRequestHandler):
    """Answers what the test says, and keeps what came."""

    protocol_version = "HTTP/1.1"
    answer: dict[str, object] = ONE_PERSON
    received: ClassVar[list[bytes]]

    def do_POST(self) -> None:
        self.received.append(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(self.answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def handler() -> Iterator[tuple[type[Handler], int]]:
    """A pose service that finds one person in everything, and its port."""

    class Own(Handler):
        received: ClassVar[list[bytes]] = []

    with ThreadingHTTPServer(("127.0.0.1", 0), Own) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Own, server.server_address[1]
        server.shutdown()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(b"photo %d" % number)
    return tmp_path


def test_every_photo_takes_its_turn_and_asks_for_one_person(handler: tuple[type[Handler], int], photos: Path) -> None:
    Client(handler[1], photos).send_all(6, 2)
    received = handler[0].received
    assert [sum(b"photo %d" % number in body for body in received) for number in range(3)] == [2, 2, 2]
    assert all(b'name="max_people"\r\n\r\n1\r\n' in body for body in received)
    assert all(body.endswith(f"\r\n--{BOUNDARY}--\r\n".encode()) for body in received)


def test_the_engines_time_is_not_added(handler: tuple[type[Handler], int], photos: Path) -> None:
    timing = Client(handler[1], photos).send(0)
    assert timing.engine_seconds == pytest.approx(0.04)
    assert timing.added_seconds == pytest.approx(timing.seconds - 0.04)


def test_a_steady_stream_takes_its_time(handler: tuple[type[Handler], int], photos: Path) -> None:
    client = Client(handler[1], photos)
    timings = client.send_steadily(5, per_second=50)
    assert len(timings) == 5
    assert len(handler[0].received) == 5


@pytest.mark.parametrize("people", [[], [{}, {}]])
def test_another_number_of_people_is_no_measurement(
    handler: tuple[type[Handler], int], photos: Path, people: list[object]
) -> None:
    handler[0].answer = {**ONE_PERSON, "people": people}
    with pytest.raises(CheckFailed, match="photo 0"):
        Client(handler[1], photos).send(0)


def test_a_form_holds_what_is_sent() -> None:
    assert b'name="video"; filename="ride.mp4"\r\n\r\n\0\1\r\n--' in form(b"\0\1", "video", "ride.mp4")


def test_percentiles() -> None:
    values = [float(value) for value in range(101)]
    assert pose_rates.percentile(values, 50) == pytest.approx(50)
    assert pose_rates.percentile(values, 99) == pytest.approx(99)


def test_a_missed_latency_says_where_it_went() -> None:
    text = pose_rates._where([Timing(0.05, 0.04), Timing(0.09, 0.04)])
    assert "70.0 ms  the client waited" in text
    assert "50.0, 10.0" in text


@pytest.mark.parametrize(
    "statistics", ["anon 1048576\nfile 9\n", "cache 9\nrss 5\ntotal_cache 9\ntotal_rss 1048576\ntotal_rss_huge 0\n"]
)
def test_memory_is_read_from_both_kinds_of_cgroup(statistics: str) -> None:
    found = pose_rates._RESIDENT.search(statistics)
    assert found is not None
    assert int(found[1]) == 1_048_576


def test_the_edit_changes_the_version_that_is_asked_for() -> None:
    source = (ROOT / pose_changes.EDITED).read_text()
    assert pose_changes._VERSION.sub('"version": "mark"', source).count('"version": "mark"') == 1


def test_engines_are_told_by_their_memory() -> None:
    listing = "1 gunicorn VmRSS: 30000 kB\n16 python main(8, 10) VmRSS: 189388 kB\n23 python VmRSS: 151000 kB\n"
    found = pose_changes._PROCESS.findall(listing)
    assert {pid for pid, kib in found if int(kib) > pose_changes.ENGINE_KIB} == {"16", "23"}


def test_amounts_have_their_unit_and_what_is_only_reported_no_verdict() -> None:
    limited = Row("a", "latency", "", Goal("amount", 5, "ms"), lambda *_: Measurement(Samples(())))
    reported = Row("b", "size", "", Goal("amount", NO_LIMIT, "MB"), lambda *_: Measurement(Samples(())))
    result = {"ours": [7.0], "theirs": [], "met": False, "value": 7.0}
    assert document._line(limited, result) == "| latency |  | 7.00 ms |  |  | ≤ 5 ms | **no** |"
    assert document._line(reported, {**result, "met": True}) == "| size |  | 7.00 MB |  |  |  |  |"


def test_scripts_that_run_inside_are_there() -> None:
    names = {path.name for path in (ROOT / "benchmarks" / "inside").glob("*.py")}
    sources = "".join(path.read_text() for path in (ROOT / "benchmarks").glob("pose_*.py"))
    assert all(name in sources for name in names)
