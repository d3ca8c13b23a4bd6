"""Services that are well, or merely slow, in ways that look like faults: a start waits for them and names none."""

import json
from pathlib import Path
from typing import Any

import pytest
from ports import free_port

from layerstack.project import project
from layerstack.run import stack
from layerstack.run.rehearsal import remove_all
from layerstack.run.startup import Silent
from layerstack.verify.trouble import diagnosis_of
from layerstack.verify.verify import verify

pytestmark = pytest.mark.docker
# Two looks of the diagnosis fall into it.
SLOW_SECONDS = 12
READY = {
    "test": ["CMD", "test", "-f", "/tmp/ready"],
    **{"interval": "1s", "timeout": "10s", "start_period": "90s", "start_interval": "500ms"},
}
TRACEBACK = (
    'Traceback (most recent call last):\n  File "/app/main.py", line 3, in <module>\n    import uvloop\n'
    "ModuleNotFoundError: No module named 'uvloop'\ngoing on without it"
)
LOOPBACK_FIRST = (
    "const net = require('net'); const serve = () => net.createServer((s) => s.end('hello')); const first = serve();"
    "first.listen(8000, '127.0.0.1'); setTimeout(() => first.close(() => serve().listen(8000, () =>"
    f"require('fs').writeFileSync('/tmp/ready', ''))), {SLOW_SECONDS}000)"
)
LATE = f"setTimeout(() => require('net').createServer().listen(5432), {SLOW_SECONDS - 2}000)"
HTTP = "require('http').createServer((q, a) => a.writeHead(404).end()).listen(8000)"


def slow(said: str = "loading", **more: Any) -> dict[str, Any]:
    """Says something, loads for a while, and is ready then."""
    script = f'rm -f /tmp/ready; echo "$SAID"; sleep {SLOW_SECONDS}; touch /tmp/ready; exec sleep 300'
    variables = {"SAID": said, **more.pop("environment", {})}
    return {"command": ["sh", "-c", script], "environment": variables, "healthcheck": READY, **more}


def once_crashed(said: str) -> dict[str, Any]:
    script = (
        f"[ -f /tmp/once ] || {{ touch /tmp/once; echo {said!r}; exit 1; }}; sleep {SLOW_SECONDS}; touch /tmp/ready"
    )
    command = ["sh", "-c", f"{script}; exec sleep 300"]
    return {"command": command, "healthcheck": READY, "restart": "always"}


NEEDS_LATE = {"DATABASE_URL": "tcp://shop:secret@late:5432/shop"}
SITUATIONS: dict[str, dict[str, Any]] = {
    "silent": slow(),
    "denied-words": slow("EACCES: permission denied, open '/data/cache'", volumes=["data:/data"]),
    "optional-module": slow(TRACEBACK),
    "optional-file": slow("cat: /etc/optional/settings.conf: No such file or directory"),
    "unset-words": slow("WARNING: API_KEY is not set, using the default"),
    "disk-words": slow("cache: No space left on device, using memory"),
    "refused-words": slow("401 Unauthorized from the license server, trying later", environment=NEEDS_LATE),
    "retries": slow("connect ECONNREFUSED late:5432, trying again", environment=NEEDS_LATE),
    "origin": slow("connecting", environment={"CORS_ORIGIN": "http://localhost:3000"}),
    "proxy": slow("connect via proxy", environment={"HTTP_PROXY": "http://nowhere:3128"}),
    "far-host": slow("connecting", environment={"METRICS_URL": "http://metrics.invalid:9000"}),
    "heap-words": slow("warning: out of memory cache limit, evicting"),
    "crashed-once": once_crashed("ConnectionError: late refused"),
    "crashed-with-a-file": once_crashed("FileNotFoundError: no such file: /run/late/socket"),
    "late": {"command": ["node", "-e", LATE]},
    "loopback-first": {
        # Removed by a shell: a check may ask before Node.js has started.
        "command": ["sh", "-c", 'rm -f /tmp/ready; exec node -e "$0"', LOOPBACK_FIRST],
        "healthcheck": READY,
        "ports": ["8000"],
    },
    "job": {"command": ["sh", "-c", "sleep 3"]},
    "after-the-job": {
        "command": ["sleep", "300"],
        "depends_on": {"job": {"condition": "service_completed_successfully"}},
    },
    "worker": {"command": ["sleep", "300"]},
    "alone": {"command": ["sleep", "300"], "network_mode": "none"},
    "pair": {"command": ["sleep", "300"], "deploy": {"replicas": 2}},
    "none-wanted": {"command": ["sleep", "300"], "deploy": {"replicas": 0}},
    "not-found": {"command": ["node", "-e", HTTP], "ports": ["8000"]},
}


def test_no_false_alarm(node_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = {"image": node_image, "init": True, "stop_signal": "SIGKILL"}
    services = {
        name: {**base, **one, "ports": [f"127.0.0.1:{free_port()}:{port}" for port in one.get("ports", ())]}
        for name, one in SITUATIONS.items()
    }
    (tmp_path / "compose.yaml").write_text(json.dumps({"services": services, "volumes": {"data": {}}}))
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", f"layerstack-test-well-{tmp_path.name.lower()}")
    loaded = project.load(tmp_path, "cpu")
    try:
        stack.up(loaded, Silent(), (), 90.0, diagnosis_of(loaded))
        report = verify(loaded)
        assert report.is_ok, report.diagnoses
        unchecked = {
            one.service for one in report.services for check in one.checks if check.is_ok and not check.is_asked
        }
        assert {"worker", "alone", "pair"} <= unchecked
        # The same programs once more: what they wrote before says nothing of this run.
        stack.restart(
            loaded,
            Silent(),
            [name for name in SITUATIONS if name not in ("none-wanted", "job")],
            90.0,
            diagnosis_of(loaded),
        )
        assert stack.up(loaded, Silent(), (), 90.0, diagnosis_of(loaded)).started == ()
    finally:
        remove_all(loaded.name)
