"""Why an engine is unusable, as one sentence with its remedy."""

import re

from layerstack.engine import texts
from layerstack.engine.endpoint import Endpoint
from layerstack.errors import EngineError

HOW_TO_GET_ONE = (
    "On Debian, as root: `invoke setup --install-engine` installs and starts one. "
    "Elsewhere: https://docs.docker.com/engine/install"
)
HOW_TO_START = (
    "Start it (`sudo systemctl start docker`, or Docker Desktop); on Debian without systemd, as root: "
    "`invoke setup --install-engine` starts it."
)
HOW_TO_CONNECT = "`docker info` shows what ssh says; the other machine needs a key of yours, and `docker` in its PATH."
HOW_TO_TRUST = (
    "Its CA, certificate and key belong in DOCKER_CERT_PATH (ca.pem, cert.pem, key.pem) or in the docker context; "
    "`docker info` shows the same error."
)
HOW_TO_ENCRYPT = (
    "`export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=FOLDER`, which has ca.pem, cert.pem and key.pem; or a docker context "
    "that names them."
)
HOW_TO_LEAVE_TLS = (
    "`unset DOCKER_TLS_VERIFY DOCKER_TLS`, or give it TLS: without, whoever reaches it owns that machine."
)
HOW_TO_GET_RIGHTS = "`sudo usermod --append --groups docker $USER`, then log out and in again."
HOW_TO_WAKE = "Restart it and check its log."
HOW_TO_CHOOSE = "`docker context ls` shows it."
# The first that fits counts.
REASONS = (
    (texts.NO_RIGHTS, "This user has no permission to use the Docker daemon", HOW_TO_GET_RIGHTS),
    (texts.WANTS_TLS, "The Docker daemon speaks TLS only", HOW_TO_ENCRYPT),
    (texts.HAS_NO_TLS, "The Docker daemon speaks no TLS", HOW_TO_LEAVE_TLS),
    (texts.BAD_CERTIFICATE, "The TLS certificate of the Docker daemon or of this client is refused", HOW_TO_TRUST),
    (texts.NO_ANSWER, "The Docker daemon runs but does not respond", HOW_TO_WAKE),
    (texts.UNKNOWN_HOST, "DOCKER_HOST or the docker context points to an unknown host", HOW_TO_CHOOSE),
)
# How requests and urllib3 print a system error, nested in several others.
_SYSTEM_ERROR = re.compile(r"Error\(\d+, '(?P<words>[^']+)'\)|\[Errno -?\d+\] (?P<text>[^'\")]+)")
ELSE = ((), "No Docker daemon responds", HOW_TO_START)


def podman(version: str) -> EngineError:
    return EngineError(f"This is Podman {version}: it has no BuildKit; use Docker Engine.", HOW_TO_GET_ONE)


def unreachable(reason: str, endpoint: Endpoint) -> EngineError:
    """`reason` is what the docker command or the SDK printed."""
    last_line = _plain(reason.strip().splitlines()[-1]) if reason.strip() else "no answer"
    _, meaning, advice = next((row for row in REASONS if texts.says(reason, *row[0])), ELSE)
    # Behind SSH the engine may be running: the connection is what failed.
    if endpoint.host.startswith("ssh://") and advice == HOW_TO_START:
        advice = HOW_TO_CONNECT
    where = f" at {endpoint}" if endpoint.is_chosen else ""
    return EngineError(f"{meaning}{where}: {last_line}", advice)


def _plain(line: str) -> str:
    """The system's own message out of a line of the SDK; other lines unchanged."""
    match = _SYSTEM_ERROR.search(line)
    return (match["words"] or match["text"]) if match else line
