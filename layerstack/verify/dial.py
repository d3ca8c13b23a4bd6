"""Opens a TCP connection from inside a container, with one of three programs that its image may have."""

from layerstack.engine.client import EngineClient
from layerstack.engine.inside import NOT_THERE, run_inside
from layerstack.errors import EngineError

CONNECT_SECONDS = 5
# A program has to start before it can try, on a busy machine too.
START_SECONDS = 10
# As `timeout` ends.
RAN_OUT = 124
# With `-e`, Node.js has no script in argv: the arguments begin at 1.
NODE = f"""
const [host, port] = process.argv.slice(1);
const socket = require("net").connect(Number(port), host, () => process.exit(0));
socket.setTimeout({CONNECT_SECONDS * 1000}, () => process.exit({RAN_OUT})).on("error", () => process.exit(1));
"""
PYTHON = f"""
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), {CONNECT_SECONDS})
except socket.timeout:
    sys.exit({RAN_OUT})
"""


def runs_out(client: EngineClient, container_id: str, host: str, port: int) -> bool:
    """Whether a connection is neither taken nor refused in time; False, too, where the container has none to try with.

    A program that is busy or stopped is no reason: its kernel takes connections without it.
    """
    ways = (
        ("node", "-e", NODE, host, str(port)),
        ("python3", "-c", PYTHON, host, str(port)),
        # /dev/tcp is made by bash: the shells of Debian and Alpine have none.
        ("timeout", str(CONNECT_SECONDS), "bash", "-c", '</dev/tcp/"$0"/"$1"', host, str(port)),
    )
    for argv in ways:
        try:
            answer = run_inside(client, container_id, argv, CONNECT_SECONDS + START_SECONDS)
        except (TimeoutError, EngineError, OSError):
            # Nothing was tried then, and an untried connection accuses nobody.
            return False
        if answer.exit_code not in NOT_THERE:
            return answer.exit_code == RAN_OUT
    return False
