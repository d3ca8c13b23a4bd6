"""Sends an HTTP request and judges the response."""

import base64
import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerstack import wording
from layerstack.engine.container import Container
from layerstack.engine.place import EnginePlace
from layerstack.errors import CheckFailed
from layerstack.project.project import Port

if TYPE_CHECKING:
    from requests import Response

# Nobody said that it speaks HTTP: a database, for one, may never answer.
GUESS_TIMEOUT_SECONDS = 3.0
SHOWN_CHARACTERS = 200
KEPT_CHARACTERS = 20_000
# How an answer begins that says nothing of the service.
NOT_CHECKED = "not checked"
# From here on a status says that the service itself fails, whatever the path.
BROKEN_STATUS = 500


@dataclass(frozen=True)
class Reply:
    """An answer that another program got."""

    status_code: int
    text: str

    @property
    def ok(self) -> bool:
        return 200 <= self.status_code < 400

    def json(self) -> Any:
        """The JSON document of the response. Raises ValueError."""
        return json.loads(self.text)


class WrongAnswer(CheckFailed):
    """There was an answer, and not the wanted one; `answer` is all that it said."""

    def __init__(self, message: str, answer: str) -> None:
        super().__init__(message)
        self.answer = answer[:KEPT_CHARACTERS]


def ask(
    declared: Mapping[str, Any],
    container: Container,
    root: Path,
    timeout_seconds: float,
    engine_place: EnginePlace = EnginePlace(),  # noqa: B008 - frozen
) -> str:
    """Send the request of a check and judge the response; returns the request in words. Raises CheckFailed."""
    method = str(declared.get("method") or ("POST" if "upload" in declared else "GET"))
    url = f"http://{_address(declared, container, engine_place)}{declared['http']}"
    with ExitStack() as files:
        upload = {
            field: files.enter_context(_open(root / path)) for field, path in (declared.get("upload") or {}).items()
        }
        response = _request(method, url, timeout_seconds, files=upload or None, headers=headers_of(declared))
    return judged(f"{method} {url}", response, declared)


def judged(asked: str, response: "Response | Reply", declared: Mapping[str, Any]) -> str:
    """The request with the status, when the response is as wanted. Raises WrongAnswer."""
    asked = f"{asked} → {response.status_code}"
    try:
        _judge(response, declared)
    except CheckFailed as error:
        raise WrongAnswer(f"{asked}, {error}: {short(response.text) or 'empty body'}", response.text) from error
    return asked


def look_up(document: Any, path: str) -> Any:
    """The value at a dotted path: keys of objects, numbers of lists, `length` of a list. Raises CheckFailed."""
    value = document
    for word in path.split("."):
        if isinstance(value, list) and word == "length":
            value = len(value)
        elif isinstance(value, list) and word.isdigit() and int(word) < len(value):
            value = value[int(word)]
        elif isinstance(value, dict) and word in value:
            value = value[word]
        else:
            raise CheckFailed(f"there is no {path} in it")
    return value


def guess(address: str) -> str:
    """Does something speak HTTP at `host:port`? A status is an answer; the finding in words.

    Raises WrongAnswer for one that says that the service itself, or what it asks, fails.
    """
    from requests.exceptions import RequestException

    if not address:
        return f"{NOT_CHECKED}: the port is published on 127.0.0.1 of the engine's machine, not of this one"
    url = f"http://{address}/"
    try:
        # A redirect is an answer already, and may lead to another machine.
        response = _request("GET", url, GUESS_TIMEOUT_SECONDS, allow_redirects=False)
    except (RequestException, CheckFailed):
        return f"{NOT_CHECKED}: nothing speaks HTTP at {address}, and no check is declared"
    asked = f"GET {url} → {response.status_code}"
    if response.status_code >= BROKEN_STATUS:
        raise WrongAnswer(f"{asked}: {short(response.text) or 'empty body'}", response.text)
    return asked


def _judge(response: "Response | Reply", declared: Mapping[str, Any]) -> None:
    wanted = declared.get("status")
    if wanted is not None and response.status_code != int(wanted):
        raise CheckFailed(f"wanted {wanted}")
    if wanted is None and not response.ok:
        raise CheckFailed("wanted 2xx or 3xx")
    if (text := declared.get("contains")) is not None and str(text) not in response.text:
        raise CheckFailed(f"without {text!r}")
    if (expected := declared.get("expect")) is not None:
        _judge_json(response, expected)


def _judge_json(response: "Response | Reply", expected: Mapping[str, Any]) -> None:
    try:
        document = response.json()
    except ValueError as error:
        raise CheckFailed("not JSON") from error
    for path, value in expected.items():
        found = look_up(document, path)
        if found != value:
            raise CheckFailed(f"{path} is {found!r}, wanted {value!r}")


def _request(method: str, url: str, timeout_seconds: float, **options: Any) -> "Response":
    # Only here: to import it takes 0.13 s, and a stack without HTTP checks needs none of it.
    import requests
    from requests.exceptions import ConnectionError as NoConnection
    from requests.exceptions import Timeout

    with requests.Session() as session:
        # A proxy for the outside world cannot reach this machine's own ports.
        session.trust_env = False
        try:
            return session.request(method, url, timeout=timeout_seconds, **options)
        except Timeout as error:
            raise CheckFailed(f"{method} {url} → no answer within {timeout_seconds:.0f} s") from error
        except NoConnection as error:
            raise CheckFailed(f"{method} {url} → no HTTP answer ({_root_of(error)})") from error


def _root_of(error: BaseException) -> str:
    # requests wraps the errors of urllib3, and those the system's: only the innermost says `Connection refused`.
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return str(error) or type(error).__name__


def _address(declared: Mapping[str, Any], container: Container, engine_place: EnginePlace) -> str:
    port = port_of(declared, container)
    if address := engine_place.address(port):
        return address
    where = f"127.0.0.1:{port.published} of {engine_place.host}"
    raise CheckFailed(f"the engine runs on {engine_place.host}, and the port is published on {where} only: not reached")


def port_of(declared: Mapping[str, Any], container: Container) -> Port:
    """The published port that a check means. Raises CheckFailed."""
    wanted = declared.get("port")
    for port in container.ports:
        if wanted is None or port.target == int(wanted):
            return port
    raise CheckFailed(f"the service does not publish {f'port {wanted}' if wanted else 'any port'}")


def headers_of(declared: Mapping[str, Any]) -> dict[str, str]:
    """The headers that its credentials need."""
    if "auth" not in declared:
        return {}
    # Not through requests' own `auth`: that encodes as Latin-1 and fails on other passwords.
    return {"Authorization": f"Basic {base64.b64encode(str(declared['auth']).encode()).decode()}"}


def _open(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise CheckFailed(f"the file to upload cannot be read: {error}") from error


def short(text: str) -> str:
    """The first characters on one line."""
    return wording.short(text, SHOWN_CHARACTERS)
