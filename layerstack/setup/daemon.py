"""Starts the Docker daemon on this machine, and explains a start that fails."""

import os
import time
from pathlib import Path

from layerstack import command
from layerstack.engine import engine
from layerstack.errors import EngineError, quoted_end
from layerstack.process_life import is_running, read_pid
from layerstack.report import Say
from layerstack.wait import wait_until

LOG = Path("/var/log/layerstack-dockerd.log")
PID_FILES = {
    "dockerd": Path("/var/run/docker.pid"),
    "containerd": Path("/var/run/docker/containerd/containerd.pid"),
}
SYSTEMD = Path("/run/systemd/system")
UNIT = Path("/etc/systemd/system/layerstack-docker.service")
START_SECONDS = 60.0
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# KillMode and Delegate as in Docker's own unit: containers survive the daemon, and systemd leaves their cgroups alone.
UNIT_TEXT = """\
[Unit]
Description=Docker engine (set up by layerstack)
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
Environment=PATH={path}
ExecStart={program}
StandardOutput=append:{log}
StandardError=append:{log}
Restart=on-failure
KillMode=process
Delegate=yes
TasksMax=infinity
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target
"""

# What dockerd's log says → what to do about it; the first match counts.
REMEDIES = (
    ("no space left on device", "Free space on the disk that holds /var/lib/docker."),
    ("read-only file system", "Make /var/lib/docker writable, or name another `data-root` in /etc/docker/daemon.json."),
    ("daemon.json", "Correct /etc/docker/daemon.json."),
    ("operation not permitted", "The daemon needs full root rights; a container must run with --privileged for that."),
    ("iptables", "The kernel's packet filter must be usable: `iptables --list` as root has to work."),
    ("cgroup", "The kernel's control groups must be mounted under /sys/fs/cgroup."),
    ("overlay", "/var/lib/docker must be on a file system that overlay works on (ext4, xfs, btrfs)."),
)


def start(program: Path, prefix: Path, say: Say) -> None:
    """Start dockerd as root and wait until it responds.

    Raises EngineError with the reason from its log when it exits or does not respond within START_SECONDS.
    """
    # The log is appended to: messages of an earlier start do not explain this one.
    logged_bytes = LOG.stat().st_size if LOG.exists() else 0
    running = _running_daemon()
    if running:
        say(f"dockerd (process {running}) runs but does not respond yet")
    else:
        _remove_stale_pid_files(say)
        running = _launch(program, prefix, say)
    say(f"waiting for the daemon, at most {START_SECONDS:.0f} s (log: {LOG})")
    started = time.monotonic()

    def answers() -> bool:
        # Under systemd there is no process to watch: only the time limit ends the wait.
        if running and not is_running(running):
            raise _failure(logged_bytes, "dockerd exited")
        return engine.daemon_answers()

    if not wait_until(answers, START_SECONDS, interval_seconds=0.2):
        raise _failure(logged_bytes, f"dockerd did not respond within {START_SECONDS:.0f} s")
    say(f"the daemon responds after {time.monotonic() - started:.1f} s")


def _launch(program: Path, prefix: Path, say: Say) -> int | None:
    """Start dockerd; returns its process id, None under systemd."""
    # The prefix's own containerd and docker-init, the machine's runc and iptables.
    path = f"{prefix}/usr/sbin:{prefix}/usr/bin:{SYSTEM_PATH}"
    if SYSTEMD.is_dir():
        _launch_with_systemd(program, prefix, path, say)
        return None
    say(f"starting {program} in the background (this machine runs no systemd)")
    # Not in the current folder, which may be deleted while the daemon runs.
    return command.start_detached(["env", "--chdir=/", str(program)], LOG, env={"PATH": path})


def _launch_with_systemd(program: Path, prefix: Path, path: str, say: Say) -> None:
    unit = UNIT.name if prefix in program.parents else "docker.service"
    if unit == UNIT.name:
        say(f"writing {UNIT}")
        UNIT.write_text(UNIT_TEXT.format(path=path, program=program, log=LOG))
        command.run(["systemctl", "daemon-reload"]).require()
    say(f"starting {unit}")
    command.run(["systemctl", "enable", "--now", unit]).require(f"`journalctl --unit {unit}` shows more.")


def _running_daemon() -> int | None:
    pid = read_pid(PID_FILES["dockerd"])
    return pid if pid and _name_of(pid) == "dockerd" else None


def _remove_stale_pid_files(say: Say) -> None:
    # dockerd refuses to start when another process has the pid in a stale pid file.
    for name, file in PID_FILES.items():
        pid = read_pid(file)
        if pid and _name_of(pid) != name:
            say(f"removing {file}: left behind by a {name} that is gone")
            file.unlink(missing_ok=True)


def _name_of(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None


def _failure(logged_bytes: int, problem: str) -> EngineError:
    lines = _log_since(logged_bytes)
    reasons = [line for line in lines if "failed to start" in line or "level=fatal" in line] or lines[-1:]
    text = "\n".join(lines).lower()
    reason = " ".join(reasons).lower()
    # The line that ended it counts first: warnings before it may name other parts of the machine.
    remedy = next((remedy for sign, remedy in REMEDIES if sign in reason), None)
    remedy = remedy or next((remedy for sign, remedy in REMEDIES if sign in text), f"The whole log is in {LOG}.")
    return EngineError(f"{problem}:\n{quoted_end(lines)}", remedy)


def _log_since(position: int) -> list[str]:
    try:
        with LOG.open("rb") as log:
            log.seek(position, os.SEEK_SET)
            return log.read().decode(errors="replace").splitlines()
    except OSError:
        return []
