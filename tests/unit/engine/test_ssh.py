"""An engine behind `ssh://`: the system's ssh is started, and `docker system dial-stdio` answers over there."""

import sys
from pathlib import Path

import pytest

from layerstack.engine.api import EngineClient
from layerstack.engine.endpoint import Endpoint
from layerstack.engine.unusable import HOW_TO_CONNECT, unreachable

# Answers every request alike, as an engine does `/version`.
FAR = """\
#!{python}
import sys
open({log!r}, "a").write(" ".join(sys.argv[1:]) + "\\n")
body = b'{{"ApiVersion": "1.47", "Version": "28.5.2"}}'
head = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
while line := sys.stdin.buffer.readline():
    if line == b"\\r\\n":
        sys.stdout.buffer.write(head + body)
        sys.stdout.buffer.flush()
"""


def test_the_system_ssh_reaches_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    program = tmp_path / "ssh"
    program.write_text(FAR.format(python=sys.executable, log=str(log)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    client = EngineClient(Endpoint("ssh://me@far:2222"))
    assert client.version()["Version"] == "28.5.2"
    client.close()
    assert set(log.read_text().splitlines()) == {"-l me -p 2222 -- far docker system dial-stdio"}


def test_an_ssh_that_fails_is_not_repaired_by_starting_an_engine_here() -> None:
    assert unreachable("Broken pipe", Endpoint("ssh://me@far")).advice == HOW_TO_CONNECT
