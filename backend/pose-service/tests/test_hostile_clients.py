"""Clients that are slow, leave, never stop or come all at once, against the real service."""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest
from hostile.check import check_left_nothing, check_problem, check_still_works
from hostile.forms import END, chunks, file_part, post, upload
from hostile.service import PHOTO, Answer, Baseline, Service, read_answer, running_service, send_all
from server import BUSY_SECONDS

UPLOAD_SECONDS = 4.0
# As in serving/waiting_room.py.
HEADER_SECONDS = 10.0
AT_ONCE = 1000
# More than one can reset while it is being read, fewer than the threads of the server.
SLOW_COUNT = 12


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """Uploads have four seconds: a photo that is estimated beside them takes less, also on a busy machine."""
    with running_service(POSE_UPLOAD_SECONDS=f"{UPLOAD_SECONDS:g}") as running:
        yield running


@pytest.fixture(scope="module")
def baseline(service: Service) -> Baseline:
    """When all engines have worked."""
    return Baseline.of(service)


def drip(service: Service, start: bytes, rest: Iterable[bytes], pause_seconds: float) -> tuple[Answer, float]:
    """Send `start` at once and the rest bit by bit until an answer comes; the answer and the seconds it took."""
    began = time.monotonic()
    with service.connect() as client:
        client.sendall(start)
        for piece in rest:
            readable, _, _ = select.select([client], [], [], pause_seconds)
            if readable:
                break
            try:
                client.sendall(piece)
            except ConnectionError:
                break
        return read_answer(client), time.monotonic() - began


def leave(service: Service, sent: bytes, *, abruptly: bool) -> None:
    """Send something and go; abruptly is a reset instead of an orderly end."""
    client = service.connect()
    client.sendall(sent)
    if abruptly:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_a_slow_upload_has_a_deadline(service: Service, baseline: Baseline) -> None:
    request = upload(PHOTO.read_bytes())
    answer, seconds = drip(service, request[:1000], (bytes([byte]) for byte in request[1000:]), 0.05)
    check_problem(answer, 408, "upload-too-slow")
    assert UPLOAD_SECONDS <= seconds < UPLOAD_SECONDS + 3 + BUSY_SECONDS
    check_still_works(service)


def test_an_upload_that_stops_has_a_deadline(service: Service, baseline: Baseline) -> None:
    request = upload(PHOTO.read_bytes())
    answer, seconds = drip(service, request[:-1], (), 0)
    check_problem(answer, 408, "upload-too-slow")
    assert UPLOAD_SECONDS <= seconds < UPLOAD_SECONDS + 3 + BUSY_SECONDS


def test_slow_headers_have_a_deadline(service: Service, baseline: Baseline) -> None:
    headers = (f"X-{number}: x\r\n".encode() for number in itertools.count())
    answer, seconds = drip(service, b"GET /health HTTP/1.1\r\nHost: localhost\r\n", headers, 0.5)
    assert answer.status == 0
    assert HEADER_SECONDS <= seconds < HEADER_SECONDS + 3 + BUSY_SECONDS


def test_slow_clients_do_not_stop_the_others(service: Service, baseline: Baseline) -> None:
    start = upload(PHOTO.read_bytes())[:5000]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(service.connect()) for _ in range(SLOW_COUNT)]
        for client in clients:
            client.sendall(start)
        check_still_works(service)
        # All of them are still inside: nobody waited for their deadline.
        assert select.select(clients, [], [], 0)[0] == []
        for client in clients:
            check_problem(read_answer(client), 408, "upload-too-slow")


@pytest.mark.parametrize("abruptly", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("share", [0.001, 0.5, 0.999, 1])
def test_a_client_that_leaves(service: Service, baseline: Baseline, share: float, abruptly: bool) -> None:
    request = upload(PHOTO.read_bytes())
    for _ in range(10):
        leave(service, request[: int(len(request) * share)], abruptly=abruptly)
    check_still_works(service)


def test_a_client_that_sends_no_more_but_listens_is_answered(service: Service, baseline: Baseline) -> None:
    request = upload(PHOTO.read_bytes())
    with service.connect() as client:
        client.sendall(request[:2000])
        client.shutdown(socket.SHUT_WR)
        check_problem(read_answer(client), 400, "broken-upload")


def test_an_endless_stream_is_cut_off(service: Service, baseline: Baseline) -> None:
    piece = b"".join(chunks([bytes(1_000_000)]))
    start = post(b"".join(chunks([file_part(b"")[:-2]])), b"Transfer-Encoding: chunked")
    answer, _ = drip(service, start, itertools.repeat(piece), 0.001)
    check_problem(answer, 413, "too-large")
    check_still_works(service)


def test_an_endless_answer_reader_is_no_trouble(service: Service, baseline: Baseline) -> None:
    request = upload(PHOTO.read_bytes())
    with service.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        client.sendall(request)
        check_still_works(service)
        assert read_answer(client).status == 200


def test_two_requests_on_one_connection(service: Service, baseline: Baseline) -> None:
    body = file_part(PHOTO.read_bytes()) + END
    kept = post(body).replace(b"Connection: close\r\n", b"")
    with service.connect() as client:
        client.sendall(kept + post(body))
        first, second = read_answer(client), read_answer(client)
    assert (first.status, second.status) == (200, 200)


def test_idle_connections_are_no_trouble(service: Service, baseline: Baseline) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(service.connect())
        check_still_works(service)


def test_a_thousand_at_once(service: Service, baseline: Baseline) -> None:
    """Each is answered: with an estimate, or with 503 and the word `busy`."""
    answers = send_all(service, [upload(PHOTO.read_bytes())] * AT_ONCE)
    counts = Counter(answer.status for answer in answers)
    assert set(counts) <= {200, 503}, counts
    assert counts[200] > 0
    assert sum(counts.values()) == AT_ONCE
    for answer in answers:
        if answer.status == 503:
            check_problem(answer, 503, "busy")
    check_still_works(service)


def test_nothing_is_left(service: Service, baseline: Baseline) -> None:
    check_left_nothing(service, baseline)
