"""Services that are alive and deaf: they end themselves, and the restart policy starts them again."""

from __future__ import annotations

import time
from pathlib import Path

import requests
import yaml
from docker.models.containers import Container
from stack_containers import wait_until_healthy

COMPOSE_FILE = Path(__file__).parents[2] / "docker-compose.yml"
# Promised are 20 s; a busy machine adds to them. Without the restart it would never come.
BACK_SECONDS = 60.0

# The event loop of the API turns no more: said to it through its own debugger.
ENDLESS_LOOP = """
const { readdirSync, readFileSync } = require('fs');
const isServer = (pid) => {
  try { return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\\0')[1] === 'src/server.js' } catch { return false }
};
const pid = readdirSync('/proc').filter(Number).find(isServer);
const debug = require('child_process').spawn(process.execPath, ['inspect', '-p', pid]);
debug.stdout.on('data', (data) => String(data).includes('debug>') && debug.stdin.write('exec for (;;);\\n'));
"""

# Each web process of the pose service stands still, also the one that takes over.
FROZEN_WEB = """
import os, signal, time
from pathlib import Path
while True:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            both = [Path("/proc", pid, "cmdline").read_bytes() for pid in (folder.name, parent)]
        except (OSError, IndexError):
            continue
        if all(b"/bin/gunicorn" in command for command in both):
            os.kill(int(folder.name), signal.SIGSTOP)
    time.sleep(0.1)
"""
FAULTS = {"backend-api": ["node", "-e", ENDLESS_LOOP], "pose-service": ["python", "-c", FROZEN_WEB]}


def test_deaf_services_are_started_again(containers: dict[str, Container], web_url: str) -> None:
    services = yaml.safe_load(COMPOSE_FILE.read_text())["services"]
    for name, fault in FAULTS.items():
        # In a copy of the stack nothing restarts; this is what the stack itself has.
        containers[name].update(restart_policy={"Name": services[name]["restart"]})
        containers[name].exec_run(fault, detach=True)
    began = time.monotonic()
    for name in FAULTS:
        while containers[name].attrs["RestartCount"] == 0:
            assert time.monotonic() - began < BACK_SECONDS, f"{name} was not started again"
            time.sleep(0.2)
            containers[name].reload()
    for name in FAULTS:
        wait_until_healthy(containers[name])
        containers[name].update(restart_policy={"Name": "no"})
    ends = time.monotonic() + BACK_SECONDS
    while requests.get(f"{web_url}/api/health", timeout=10).json()["status"] != "ok":
        assert time.monotonic() < ends, "the API does not find the others again"
        time.sleep(0.2)
