"""A thousand clients that hold their connections: the real service goes on, and is whole again after them."""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from collections.abc import Iterator

import pytest
from hostile.check import check_left_nothing, check_problem, check_still_works
from hostile.forms import post, upload
from hostile.service import PHOTO, Baseline, Service, read_answer, running_service
from server import BUSY_SECONDS

CLIENTS = 1000
UPLOAD_SECONDS, SEND_SECONDS = 2.0, 2.0
# As in serving/waiting_room.py.
HEAD_SECONDS = 10.0
HEALTH_SECONDS = 2.0 + BUSY_SECONDS
SLACK_SECONDS = 5.0 + BUSY_SECONDS
GET = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """Uploads, and answers that wait for their reader, have two seconds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard >= 4 * CLIENTS, f"a flood needs descriptors: ulimit -n is {hard}"
    resource.setrlimit(resource.RLIMIT_NOFILE, (4 * CLIENTS, hard))
    times = {"POSE_UPLOAD_SECONDS": f"{UPLOAD_SECONDS:g}", "POSE_SEND_SECONDS": f"{SEND_SECONDS:g}"}
    with running_service(POSE_ENGINES="2", **times) as running:
        yield running
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def baseline(service: Service) -> Baseline:
    """When all engines have worked."""
    return Baseline.of(service)


@contextlib.contextmanager
def flood(
    service: Service, sent: bytes, clients: int = CLIENTS, receive_bytes: int = 0
) -> Iterator[list[socket.socket]]:
    """Hold `clients` connections on which `sent` was sent."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(small(service, receive_bytes)) for _ in range(clients)]
        for client in held:
            client.setblocking(False)
            with contextlib.suppress(OSError):
                client.send(sent)
        yield held


def small(service: Service, receive_bytes: int) -> socket.socket:
    """A connection whose client takes no more than about `receive_bytes` before it reads; 0 for a usual one."""
    client = socket.socket()
    if receive_bytes:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    client.settimeout(HEAD_SECONDS)
    client.connect(("127.0.0.1", service.port))
    return client


def check_health(service: Service) -> None:
    """Answered, and soon."""
    began = time.monotonic()
    assert service.get("/health").status == 200
    assert time.monotonic() - began < HEALTH_SECONDS


def check_photo_is_welcome(service: Service) -> None:
    """At the latest when those who took all places met their deadlines."""
    photo = upload(PHOTO.read_bytes())
    assert service.wait_until(lambda: service.send(photo).status == 200, UPLOAD_SECONDS + SLACK_SECONDS)


def wait_until_ended(client: socket.socket) -> bytes:
    """What the client still receives until the service ends the connection."""
    client.settimeout(HEAD_SECONDS + SLACK_SECONDS)
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := client.recv(65536):
            received += piece
    return received


FLOODS = {
    "silent": b"",
    "half a request line": b"GET /hea",
    "half a head": b"POST /pose HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "half a body nobody wants": b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nx",
    "a body of the wrong kind": b"POST /pose HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nx",
    "half a chunk": b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\nx",
    "no HTTP": b"hello\r\n\r\n",
}


@pytest.mark.parametrize("sent", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_leaves_the_service_as_it_was(service: Service, baseline: Baseline, sent: bytes) -> None:
    with flood(service, sent):
        for _ in range(3):
            check_health(service)
        check_photo_is_welcome(service)
    check_health(service)
    check_still_works(service)


@pytest.mark.parametrize("sent", [FLOODS["silent"], FLOODS["half a head"]], ids=["silent", "half a head"])
def test_a_connection_without_a_whole_head_ends_by_itself(service: Service, baseline: Baseline, sent: bytes) -> None:
    began = time.monotonic()
    with flood(service, sent, 3) as clients:
        for client in clients:
            assert wait_until_ended(client) == b""
    assert HEAD_SECONDS - 0.5 <= time.monotonic() - began < HEAD_SECONDS + SLACK_SECONDS


def test_a_kept_connection_ends_by_itself(service: Service, baseline: Baseline) -> None:
    with service.connect() as client:
        client.sendall(GET)
        assert read_answer(client).status == 200
        began = time.monotonic()
        assert wait_until_ended(client) == b""
        assert HEAD_SECONDS - 0.5 <= time.monotonic() - began < HEAD_SECONDS + SLACK_SECONDS


def test_the_oldest_goes_first(service: Service, baseline: Baseline) -> None:
    with flood(service, b"", 1) as (oldest,), flood(service, b"", CLIENTS + 50) as others:
        check_health(service)
        oldest.settimeout(SLACK_SECONDS)
        assert oldest.recv(1) == b""
        others[-1].setblocking(True)
        others[-1].sendall(GET)
        assert read_answer(others[-1]).status == 200


def test_half_sent_uploads_end_with_their_deadline(service: Service, baseline: Baseline) -> None:
    """A few are inside and meet their deadline, all others are refused at once; then a photo is welcome."""
    with flood(service, upload(PHOTO.read_bytes())[:5000]) as clients:
        check_health(service)
        time.sleep(UPLOAD_SECONDS + 1)
        check_still_works(service)
        statuses = {int(wait_until_ended(client).split(b" ", 2)[1]) for client in clients}
    assert statuses == {408, 503}


def test_clients_that_do_not_read_their_answers(service: Service, baseline: Baseline) -> None:
    """Each asks a thousand times at once and reads nothing."""
    with flood(service, GET * 1000, receive_bytes=1024):
        for _ in range(3):
            check_health(service)
        check_still_works(service)
    check_health(service)


def test_clients_that_do_not_read_their_pictures_give_their_places_back(service: Service, baseline: Baseline) -> None:
    request = post(upload(PHOTO.read_bytes()).partition(b"\r\n\r\n")[2], path=b"/pose?draw=1")
    with flood(service, b"", 40, receive_bytes=1024) as clients:
        for client in clients:
            client.setblocking(True)
            client.sendall(request)
        check_health(service)
        time.sleep(2 * SEND_SECONDS)
        check_still_works(service)


def test_a_head_without_an_end_is_refused(service: Service, baseline: Baseline) -> None:
    with service.connect() as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 200_000)
        check_problem(read_answer(client), 431, "unreadable-request")


def test_nothing_is_left(service: Service, baseline: Baseline) -> None:
    check_left_nothing(service, baseline)
