"""A BuildKit without `buildkitd`: the one inside an engine with containerd's image store, on a loopback port.

    python dial_relay.py DOCKER_HOST PORT

No package has the daemon. `docker buildx dial-stdio` is the way by which Buildx itself reaches it over SSH.
"""

import os
import socket
import subprocess
import sys


def main(host: str, port: int) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "BUILDX_BUILDER"}
    listener = socket.create_server(("127.0.0.1", port))
    while True:
        connection, _ = listener.accept()
        argv = ["docker", "--host", host, "buildx", "dial-stdio"]
        subprocess.Popen(argv, stdin=connection.fileno(), stdout=connection.fileno(), env=environment)
        connection.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
