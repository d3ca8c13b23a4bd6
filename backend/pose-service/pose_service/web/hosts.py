"""Under which names this service answers, and which pages may send to it through somebody's browser."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Optional
from urllib.parse import urlsplit

from flask import Flask, Response, request

from pose_service.web.problem import ProblemError

# A name or an address, IPv6 in brackets, and perhaps a port.
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(?::([0-9]{1,5}))?", re.ASCII)
# A whole address in place of the path goes before Host (RFC 9112, 3.2.2).
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://([^/?#]*)", re.ASCII | re.IGNORECASE)
SHOWN_LETTERS = 100
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
DEFAULT_PORTS = {"http": "80", "https": "443"}


def register_hosts(app: Flask, allowed: Collection[str]) -> None:
    """Answer requests for an allowed Host only (421), and writing ones only from the own origin (403).

    DNS rebinding gives a foreign page this machine's address under the page's own name: that name is in Host. A form or
    a fetch of a foreign page names that page in Origin.
    """

    def check() -> None:
        for host in _hosts_asked():
            if _name(host) not in allowed:
                detail = f"This service is not called {host[:SHOWN_LETTERS]!r}; POSE_ALLOWED_HOSTS can add a name."
                raise ProblemError(421, "unknown-host", detail)
        if request.method not in SAFE_METHODS and _is_cross_site():
            raise ProblemError(403, "cross-site", "A page of another origin may not send anything here.")

    app.before_request(check)
    app.after_request(_forbid_sniffing)


def _hosts_asked() -> list[str]:
    address = ADDRESS.match(request.environ.get("RAW_URI", ""))
    return [request.environ.get("HTTP_HOST", ""), *(address.groups() if address else ())]


def _name(host: str) -> Optional[str]:
    """The host without its port, None when it is none."""
    found = HOST.fullmatch(host.lower())
    return found.group(1) if found else None


def _is_cross_site() -> bool:
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return True
    return origin is not None and not _is_own(origin, request.environ["HTTP_HOST"])


def _is_own(origin: str, host: str) -> bool:
    """Is it this host and port? Its scheme may differ, behind a proxy that ends TLS."""
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    theirs, own = HOST.fullmatch(parts.netloc), HOST.fullmatch(host.lower())
    if theirs is None or own is None or parts.scheme not in DEFAULT_PORTS:
        return False
    default = DEFAULT_PORTS[parts.scheme]
    return (theirs.group(1), theirs.group(2) or default) == (own.group(1), own.group(2) or default)


def _forbid_sniffing(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
