"""Whole HTTP requests as bytes: what a well-behaved client library would refuse to send."""

from __future__ import annotations

from collections.abc import Iterable

BOUNDARY = b"border"
END = b"--border--\r\n"
# One person is enough here, and looking for more takes ten times as long.
PATH = b"/pose?max_people=1"


def part(content: bytes, disposition: bytes, content_type: bytes | None = b"image/jpeg") -> bytes:
    """One part of a form; `disposition` is everything after form-data."""
    head = b"--border\r\nContent-Disposition: form-data; " + disposition + b"\r\n"
    if content_type is not None:
        head += b"Content-Type: " + content_type + b"\r\n"
    return head + b"\r\n" + content + b"\r\n"


def file_part(content: bytes, filename: bytes = b"photo.jpg", field: bytes = b"image") -> bytes:
    return part(content, b'name="' + field + b'"; filename="' + filename + b'"')


def post(
    body: bytes,
    *headers: bytes,
    path: bytes = PATH,
    content_type: bytes | None = b"multipart/form-data; boundary=border",
    length: int | None = None,
) -> bytes:
    """POST `body`. `headers` replace the length, which is otherwise `length` or the right one."""
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: localhost", b"Connection: close"]
    if content_type is not None:
        lines.append(b"Content-Type: " + content_type)
    lines += headers or (b"Content-Length: %d" % (len(body) if length is None else length),)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def upload(content: bytes, filename: bytes = b"photo.jpg", field: bytes = b"image", path: bytes = PATH) -> bytes:
    """A correct upload of whatever bytes."""
    return post(file_part(content, filename, field) + END, path=path)


def chunked(body: bytes, chunk_bytes: int = 65_536) -> bytes:
    """`body` in chunks, with their end."""
    return (
        b"".join(chunks(body[start : start + chunk_bytes] for start in range(0, len(body), chunk_bytes))) + b"0\r\n\r\n"
    )


def chunks(parts: Iterable[bytes]) -> Iterable[bytes]:
    return (b"%x\r\n%b\r\n" % (len(one), one) for one in parts)
