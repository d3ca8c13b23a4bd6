"""A good photo in a bad form, or in a request that is none."""

from __future__ import annotations

from collections.abc import Iterator

from hostile.case import Case
from hostile.forms import BOUNDARY, END, chunked, file_part, part, post, upload
from hostile.service import PHOTO

LIMIT_BYTES = 32 * 2**20
LENGTH, CHUNKED = b"Content-Length: ", b"Transfer-Encoding: chunked"


def request_cases() -> Iterator[Case]:
    """All cases about the form, its names, its length and its HTTP."""
    photo = PHOTO.read_bytes()
    yield from _file_names(photo)
    yield from _parts(photo)
    yield from _content_types(photo)
    yield from _sizes(photo)
    yield from _lengths(photo)
    yield from _requests()
    yield from _hosts(photo)


def good(name: str, request: bytes) -> Case:
    return Case(name, lambda: request, 200, size=(512, 512), is_found=True)


def bad(name: str, request: bytes, kind: str, status: int = 400) -> Case:
    return Case(name, lambda: request, status, kind)


def _file_names(photo: bytes) -> Iterator[Case]:
    names = {
        "a path": b"../../../etc/passwd",
        "an absolute path": b"/app/app.py",
        "a Windows path": b"C:\\\\Windows\\\\system32\\\\config",
        "a NUL": b"photo.jpg\0.php",
        "percent codes": b"%00%2e%2e%2f",
        "quotes": b'a\\"b\\"; name=\\"evil',
        "a command": b"$(reboot); `id` | cat.jpg",
        "10,000 letters": b"a" * 10_000,
        "right-to-left marks": "gpj.\u202eexe".encode(),
        "nothing": b"",
        "a dot": b".",
    }
    for name, filename in names.items():
        yield good(f"file name of {name}", upload(photo, filename))
    star = part(photo, b"name=image; filename*=utf-8''%2e%2e%2fetc%00")
    yield good("file name in the extended form", post(star + END))
    newline = part(photo, b'name="image"; filename="a\r\nX-Evil: 1\r\n b.jpg"')
    yield bad("file name with a line break", post(newline + END), "not-a-file")
    yield bad("file name that is no UTF-8", upload(photo, b"\xff\xfe\xfd.jpg"), "broken-upload")


def _parts(photo: bytes) -> Iterator[Case]:
    whole = file_part(photo)
    note = part(b"x", b'name="note"', None)
    yield bad("no part", post(END), "missing-image")
    yield bad("an empty body", post(b""), "broken-upload")
    yield bad("another field", upload(photo, field=b"photo"), "missing-image")
    yield bad("text instead of a file", post(part(b"x", b'name="image"', None) + END), "not-a-file")
    yield bad("two files", post(whole + whole + END), "several-files")
    yield good("a file and a note", post(whole + note + END))
    yield good("a file beside another field's file", post(whole + file_part(b"x", field=b"other") + END))
    yield bad("10,000 notes", post(whole + note * 10_000 + END), "too-many-parts", 413)
    yield bad("10,000 files", post(whole * 2 + file_part(b"") * 10_000 + END), "too-many-parts", 413)
    yield bad("a note of 1 MB", post(whole + part(b"x" * 1_000_000, b'name="note"', None) + END), "too-many-parts", 413)
    yield bad("no end", post(whole), "broken-upload")
    yield bad("cut in the file", post(whole[: len(whole) // 2]), "broken-upload")
    yield bad("cut in the part's header", post(whole[:60]), "broken-upload")
    yield bad("a part without a header", post(b"--border\r\n\r\nx\r\n" + END), "broken-upload")
    yield bad("a part without a name", post(part(photo, b'filename="a.jpg"') + END), "missing-image")
    yield bad(
        "a form in a form",
        post(part(whole + END, b'name="image"; filename="a"', b"multipart/mixed") + END),
        "several-files",
    )
    yield good("text before the first part", post(b"preamble\r\n" + whole + END))
    yield good("text behind the last part", post(whole + END + b"epilogue" * 100))
    yield bad(
        "a part's type that is no UTF-8", post(whole.replace(b"image/jpeg", b"image/\xff") + END), "broken-upload"
    )
    long = part(photo, b'name="image"; x="' + b"x" * 1_000_000 + b'"')
    yield bad("a part's header of 1 MB", post(long + END), "too-many-parts", 413)


def _content_types(photo: bytes) -> Iterator[Case]:
    body = file_part(photo) + END
    multipart = b"multipart/form-data; boundary="
    yield bad("no boundary", post(body, content_type=b"multipart/form-data"), "missing-boundary")
    yield bad("an empty boundary", post(body, content_type=multipart), "missing-boundary")
    yield bad("another boundary", post(body, content_type=multipart + b"fence"), "broken-upload")
    yield bad("a boundary of 10,000 letters", post(body, content_type=multipart + b"x" * 4000), "broken-upload")
    yield bad("a boundary that is no ASCII", post(body, content_type=multipart + b"\xff\xfe"), "missing-boundary")
    yield good("a quoted boundary", post(body, content_type=multipart + b'"' + BOUNDARY + b'"'))
    for content_type in (
        b"image/jpeg",
        b"application/json",
        b"text/html",
        b"multipart/mixed; boundary=border",
        b"???",
        None,
    ):
        name = "no content type" if content_type is None else f"content type {content_type.decode()}"
        yield bad(name, post(body, content_type=content_type), "not-a-form", 415)
    for part_type in (b"text/html", b"video/mp4", b"", b"image/jpeg; x=" + b"y" * 5000):
        name = f"part of type {part_type[:20].decode() or 'nothing'}"
        yield good(name, post(part(photo, b'name="image"; filename="a"', part_type) + END))


def _sizes(photo: bytes) -> Iterator[Case]:
    yield Case("a byte too much", lambda: upload(bytes(LIMIT_BYTES)), 413, "too-large")
    yield Case("64 MiB", lambda: upload(bytes(2 * LIMIT_BYTES)), 413, "too-large")
    yield Case(
        "40 MiB in chunks",
        lambda: post(chunked(file_part(bytes(40 * 2**20)) + END), CHUNKED),
        413,
        "too-large",
    )
    yield bad("a length of a terabyte", post(b"x", LENGTH + b"1000000000000"), "too-large", 413)
    yield good("photo in chunks", post(chunked(file_part(photo) + END), CHUNKED))
    yield good("photo in chunks of 50 bytes", post(chunked(file_part(photo) + END, 50), CHUNKED))


def _lengths(photo: bytes) -> Iterator[Case]:
    body = file_part(photo) + END
    yield bad("length too small", post(body, length=len(body) // 2), "broken-upload")
    yield bad("length of nothing", post(body, length=0), "broken-upload")
    for name, headers in {
        "negative length": (LENGTH + b"-1",),
        "length in words": (LENGTH + b"many",),
        "length with a sign": (LENGTH + b"+5",),
        "two lengths": (LENGTH + b"5", LENGTH + b"6"),
        "length and chunks": (LENGTH + b"5", CHUNKED),
        "chunks twice": (CHUNKED, CHUNKED),
    }.items():
        yield bad(name, post(body, *headers), "unreadable-request")
    yield bad("packed body", post(body, b"Transfer-Encoding: xz"), "unreadable-request", 501)
    yield bad("neither length nor chunks", post(body, b"X-Nothing: 1"), "broken-upload")
    for name, chunks in {
        "chunk of a negative size": b"-5\r\nhello\r\n0\r\n\r\n",
        "chunk of no number": b"zz\r\nhello\r\n0\r\n\r\n",
        "chunk longer than it says": b"1\r\nhello\r\n0\r\n\r\n",
        "bad trailer": b"5\r\nhello\r\n0\r\nno colon here\r\n\r\n",
    }.items():
        yield bad(name, post(chunks, CHUNKED), "broken-upload")
    huge = b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n"
    yield bad("chunk of a huge size", post(huge, CHUNKED), "upload-too-slow", 408)
    yield bad("length too large", post(body, length=len(body) + 1), "upload-too-slow", 408)


def _requests() -> Iterator[Case]:
    host = b"Host: localhost\r\nConnection: close\r\n"
    get = b"GET /health HTTP/1.1\r\n" + host
    requests = {
        "not HTTP": (b"hello\r\n\r\n", 400),
        "TLS": (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(50) + b"\r\n\r\n", 400),
        "a strange version": (b"GET /health HTTP/9.9\r\n" + host + b"\r\n", 400),
        "a method in lower case": (b"get /health HTTP/1.1\r\n" + host + b"\r\n", 400),
        "an address of 10,000 letters": (b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\n" + host + b"\r\n", 414),
        "a header of 20,000 letters": (
            get + b"X-A: " + b"a" * 20_000 + b"\r\n\r\n",
            431,
        ),
        "1,000 headers": (get + b"X-A: 1\r\n" * 1000 + b"\r\n", 431),
        "a folded header": (get + b"X-A: 1\r\n  2\r\n\r\n", 400),
        "a header without a colon": (get + b"nothing\r\n\r\n", 400),
        "a header with a NUL": (get + b"X-A: 1\0\r\n\r\n", 400),
    }
    for name, (request, status) in requests.items():
        yield bad(name, request, "unreadable-request", status)
    yield Case("an unknown path", lambda: b"GET /../../etc/passwd HTTP/1.1\r\n" + host + b"\r\n", 404)
    yield Case("a wrong method", lambda: b"DELETE /pose HTTP/1.1\r\n" + host + b"\r\n", 405)
    yield Case("a strange method", lambda: b"BREW /pose HTTP/1.1\r\n" + host + b"\r\n", 405)


def _hosts(photo: bytes) -> Iterator[Case]:
    whole = upload(photo)
    host = b"Host: localhost\r\n"
    for name in (
        b"evil.example",
        b"localhost.evil.example",
        b"evil.example:5000",
        b"localhost@evil.example",
        b"",
        b"[::",
    ):
        request = whole.replace(host, b"Host: " + name + b"\r\n")
        yield bad(f"host {name.decode()!r}", request, "unknown-host", 421)
    yield bad("no host", whole.replace(host, b""), "unknown-host", 421)
    yield bad("two hosts", whole.replace(host, host + b"Host: evil.example\r\n"), "unknown-host", 421)
    start = b"POST "
    for address, status in ((b"http://evil.example", 421), (b"http://localhost@evil.example", 421), (b"https://", 421)):
        request = whole.replace(start, start + address, 1)
        yield bad(f"whole address {address.decode()!r}", request, "unknown-host", status)
    yield good("whole address of this host", whole.replace(start, start + b"http://localhost:5000", 1))
    for name in (b"LocalHost", b"localhost.", b"127.0.0.1:5000", b"[::1]:5000", b"pose-service:5000"):
        yield good(f"host {name.decode()!r}", whole.replace(host, b"Host: " + name + b"\r\n"))
    for origin in (
        b"http://evil.example",
        b"null",
        b"http://localhost:5173",
        b"https://localhost:1",
        b"file://",
        b"x",
        b"",
    ):
        request = whole.replace(host, host + b"Origin: " + origin + b"\r\n")
        yield bad(f"origin {origin.decode()!r}", request, "cross-site", 403)
    fetched = b"Sec-Fetch-Site: cross-site\r\n"
    yield bad("fetched by another site", whole.replace(host, host + fetched), "cross-site", 403)
    for origin in (b"http://localhost", b"https://LOCALHOST:443", b"http://localhost:80"):
        yield good(f"origin {origin.decode()!r}", whole.replace(host, host + b"Origin: " + origin + b"\r\n"))
