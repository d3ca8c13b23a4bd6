"""Sends an HTTP request inside the service's container, for ports published on another machine only.

One of four programs that its image may have sends it.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container
from layerstack.engine.inside import NOT_THERE, run_inside
from layerstack.errors import CheckFailed
from layerstack.verify import http_check

# A program has to start before it can ask, several at once where there are several checks.
START_SECONDS = 10.0
# Both print the body, then the status on a line of its own; the words are method, URL and headers. Python is told to
# take no proxy, which may be set in the container; Node.js takes none by itself.
NODE = """
const [method, url, headers] = process.argv.slice(1);
fetch(url, { method, headers: JSON.parse(headers) }).then(async (answer) => {
  process.stdout.write((await answer.text()) + "\\n" + answer.status);
}).catch((error) => { console.error(String(error.cause ?? error)); process.exit(1); });
"""
PYTHON = """
import json, sys, urllib.error, urllib.request
method, url, headers = sys.argv[1:]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    answer = opener.open(urllib.request.Request(url, method=method, headers=json.loads(headers)))
except urllib.error.HTTPError as error:
    answer = error
except OSError as error:
    sys.exit(str(error))
sys.stdout.write(answer.read().decode("utf-8", "replace") + "\\n" + str(answer.status))
"""


def ask(client: EngineClient, declared: Mapping[str, Any], container: Container, timeout_seconds: float) -> str:
    """Send the request of a check and judge the response; returns the request in words. Raises CheckFailed."""
    if "upload" in declared:
        return "not checked: files are uploaded from here only, and the port is published for the engine's machine"
    # Not localhost, which BusyBox's wget takes for ::1.
    port = http_check.port_of(declared, container).target
    said = ask_at(client, declared, container.id, f"127.0.0.1:{port}", timeout_seconds)
    return said or f"not checked: {container.service} has no curl, node, python3 or wget to ask port {port} with"


def ask_at(
    client: EngineClient,
    declared: Mapping[str, Any],
    container_id: str,
    address: str,
    timeout_seconds: float,
    host: str = "",
) -> str:
    """What was asked of `address` inside a container, under the name `host`; "" when it has no program to ask with.

    Raises CheckFailed.
    """
    method, url = str(declared.get("method") or "GET"), f"http://{address}{declared['http']}"
    headers = {**http_check.headers_of(declared), **({"Host": host} if host else {})}
    for argv in _programs(method, url, headers, timeout_seconds):
        try:
            answer = run_inside(client, container_id, argv, timeout_seconds)
        except TimeoutError as error:
            raise CheckFailed(f"{method} {url} in the container → {error}") from error
        if answer.exit_code in NOT_THERE:
            continue
        if answer.exit_code:
            raise CheckFailed(f"{method} {url} in the container → no answer ({http_check.short(answer.output)})")
        text, _, status = answer.output.rpartition("\n")
        return http_check.judged(f"{method} {url} in the container", http_check.Reply(int(status), text), declared)
    return ""


def _programs(method: str, url: str, headers: Mapping[str, str], timeout_seconds: float) -> Iterator[tuple[str, ...]]:
    seconds, lines = str(math.ceil(timeout_seconds)), [f"{name}: {value}" for name, value in headers.items()]
    curl = [word for line in lines for word in ("--header", line)]
    status = "\n%{http_code}"
    # As requests does for the other ports, it follows redirects and takes no proxy.
    yield "curl", "-sSL", "--noproxy", "*", "--max-time", seconds, "-X", method, *curl, "--write-out", status, url
    # A warning, as that fetch is experimental, would stand before the answer.
    yield "node", "--no-warnings", "-e", NODE, method, url, json.dumps(headers)
    yield "python3", "-c", PYTHON, method, url, json.dumps(headers)
    if method == "GET":
        # It tells no status: 200 is what it takes for an answer. Debian's busybox has one without a time limit.
        limit = '$(wget --help 2>&1 | grep -q -e "-T" && echo "-T $0")'
        script = f'http_proxy= wget -q -O - {limit} "$@" && echo && echo 200'
        yield "sh", "-c", script, seconds, *(f"--header={line}" for line in lines), url
