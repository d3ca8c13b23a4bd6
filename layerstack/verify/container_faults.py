"""Faults in the engine's own state: images, ports, networks, programs that ended."""

import posixpath
import re
import shlex
from contextlib import suppress
from os.path import relpath
from pathlib import Path

from layerstack.engine import texts
from layerstack.engine.container import Container
from layerstack.project import missing_image
from layerstack.project.declaration import how_to_change
from layerstack.project.dependency import dependencies, is_one_shot
from layerstack.run.declared import in_brackets, place_or
from layerstack.run.fault import Fault
from layerstack.run.health import LAST_SIGNAL, exit_reason
from layerstack.run.refused_line import refused_place
from layerstack.run.unmet import EndlessWait, waits_in_vain
from layerstack.verify import port_faults
from layerstack.verify.code_faults import ENDED_FROM_OUTSIDE, find_origin
from layerstack.verify.data_faults import DISK_FULL
from layerstack.verify.evidence import Evidence, Rule
from layerstack.verify.own_command import where_command
from layerstack.wording import duration

# One that lives this long has got past its settings: starting it again is worth a try.
LONG_ENOUGH_SECONDS = 10.0
# Codes from here on are Docker's or a signal's, and have a meaning.
OUTSIDE_CODE = 125
SIGNALS_END = 128 + LAST_SIGNAL
SIGSEGV = 139
SHELL_SCRIPT = re.compile(r"#!\s*\S*(?:/|\s)(?:ba|da|a)?sh\b")
# As runc says it, and as the init of Docker does.
NOT_EXECUTABLE = 126
DENIED_PROGRAM = re.compile(r"exec:? \"?(?P<path>[^\":\s]+)\"?(?::| failed:) permission denied", re.IGNORECASE)
# `RuntimeError: can't start new thread`
NO_THREAD = re.compile(
    r"uv_thread_create|pthread_create|WorkerThreadsTaskRunner|can't start new thread"
    r"|unable to create (?:native )?thread|fork: (?:retry: )?Resource temporarily unavailable|newosproc",
)
# `FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory`
HEAP_FULL = re.compile(r"heap out of memory|java\.lang\.OutOfMemoryError: Java heap")
HEAP_LIMITS = ("max-old-space-size", "-Xmx")
# `EMFILE: too many open files`; with `in system` it is the limit of the machine, which no ulimit raises.
NO_FILE_LEFT = re.compile(r"too many open files(?! in system)|\bEMFILE\b", re.IGNORECASE)
# `ENOSPC: System limit for number of file watchers reached, watch '/app'`, `EMFILE: too many open files, watch '/app'`:
# Linux counts watches and their owners for itself, and tells of them in the words for full disks and open files.
WATCH = re.compile(r"(?P<full>ENOSPC|no space left).*\bwatch|too many open files, watch|inotify", re.IGNORECASE)
# `exec: "serve": executable file not found in $PATH`
NOT_FOUND = re.compile(r"exec(?:utable file not found| [^:\n]*: no such file| format error)|: not found\b")


def paused(seen: Evidence) -> Fault | None:
    if seen.container and seen.container.status == "paused":
        return Fault("paused", "is paused", f"docker unpause {seen.container.name}")
    return None


def image_missing(seen: Evidence) -> Fault | None:
    if not seen.missing_images:
        return None
    own, *bases = seen.missing_images
    # A start needs them all.
    repair = f"invoke build {' '.join(seen.unbuilt or (seen.name,))} && invoke up"
    if bases:
        cause = f"its image {own} is not built, and neither is {', '.join(bases)} below it"
        return Fault("base-missing", cause, repair)
    if seen.service.is_built:
        return Fault("image-missing", f"its image {own} is not built", repair)
    # Compose pulls what is missing.
    fetch = "invoke setup && invoke up" if missing_image.is_prepared_by_setup(seen.project.root) else "invoke up"
    return Fault("image-missing", f"its image {own} is not on this engine", fetch)


def name_taken(seen: Evidence) -> Fault | None:
    holder = seen.name_holder
    if holder is None:
        return None
    cause = f"cannot take the name {holder.name}: {holder.words} has it"
    return Fault("name-taken", cause, f"{holder.remedy} && invoke up")


def network_missing(seen: Evidence) -> Fault | None:
    if not seen.missing_networks or (seen.container and seen.container.is_running):
        return None
    names = ", ".join(seen.missing_networks)
    repair = " && ".join([*(f"docker network create {name}" for name in seen.missing_networks), "invoke up"])
    return Fault("network-missing", f"needs the external network {names}, which does not exist", repair)


def network_detached(seen: Evidence) -> Fault | None:
    one = seen.container
    if one is None or not one.is_running or not (missing := seen.missing_networks):
        return None
    repair = " && ".join(f"docker network connect --alias {seen.name} {name} {one.name}" for name in missing)
    return Fault("network-detached", f"is not connected to the network {', '.join(missing)}", repair)


def out_of_memory(seen: Evidence) -> Fault | None:
    one = seen.container
    # The state tells of its last run only; the engine's events also of the runs that a loop has had.
    if one is None or not (one.is_oom_killed or seen.oom_kills):
        return _heap_full(seen)
    limit = f" of {one.memory_limit_bytes / 2**20:.0f} MB" if one.memory_limit_bytes else " of this machine"
    cause = f"was killed: out of memory, it needs more than its limit{limit}"
    declared = seen.declared("mem_limit") or seen.declared("deploy", "resources", "limits", "memory")
    change = f"raise {how_to_change('mem_limit', declared)}" if one.memory_limit_bytes else "free memory"
    return Fault("out-of-memory", cause, seen.up, change)


def _heap_full(seen: Evidence) -> Fault | None:
    """A program that ended at the limit that its own runtime has for its memory."""
    said = next((text for text in seen.log if HEAP_FULL.search(text)), "") if seen.last_exit else ""
    if not said:
        return None
    found = (seen.written(key, word) for word in HEAP_LIMITS for key in ("command", "environment"))
    declared = next(filter(None, found), None)
    change = f"raise it ({declared.place})" if declared else f"raise it in {where_command(seen)}, or let it need less"
    cause = "ran out of memory: it reached the limit of its own heap"
    return Fault("out-of-memory", cause, seen.up, change)


def out_of_watches(seen: Evidence) -> Fault | None:
    """A program that may watch no further file, as for hot reload."""
    said = next((text for pattern in (NO_FILE_LEFT, DISK_FULL) for text in seen.lines_with(pattern)), "")
    match = WATCH.search(said)
    if match is None:
        return None
    setting = "max_user_watches=524288" if match["full"] else "max_user_instances=512"
    cause = "may watch no further file: the limit of this machine (inotify) is reached"
    return Fault("out-of-files", cause, f"sudo sysctl fs.inotify.{setting} && {seen.up}")


def out_of_files(seen: Evidence) -> Fault | None:
    """A program that may open no further file or connection; the engine itself says so where the limit is tiny."""
    if seen.line_with(NO_FILE_LEFT) is None:
        return None
    declared = seen.declared("ulimits", "nofile")
    adding = f"add `ulimits: {{nofile: 65536}}` to {place_or(seen.declared(), seen.name)}"
    change = f"raise {how_to_change('nofile', declared)}" if declared else adding
    cause = f"may open no further file: its ulimit nofile{'' if declared else ', the default one,'} is reached"
    return Fault("out-of-files", cause, seen.up, change)


def out_of_processes(seen: Evidence) -> Fault | None:
    """A program that may start no further thread or process, where the project limits them."""
    if not NO_THREAD.search(seen.text):
        return None
    declared = seen.declared("pids_limit") or seen.declared("deploy", "resources", "limits", "pids")
    # Without a limit of the project it may be the machine's, which no line of the project raises.
    if declared is None:
        return None
    cause = "may start no further process or thread: its pids_limit is reached"
    return Fault("out-of-processes", cause, seen.up, f"raise {how_to_change('pids_limit', declared)}")


def frozen(seen: Evidence) -> Fault | None:
    if not seen.stopped or (seen.result.container and seen.result.container.status == "paused"):
        return None
    cause = f"is stopped: {', '.join(dict.fromkeys(seen.stopped))} received SIGSTOP"
    return Fault("frozen", cause, f"invoke restart {seen.name}")


def command_missing(seen: Evidence) -> Fault | None:
    one = seen.container
    if one is None or one.is_running:
        return None
    if one.exit_code not in (126, 127) and not NOT_FOUND.search(one.error):
        return None
    said = texts.cause_of(one.error) if one.error else (seen.log[-1] if seen.log else "")
    cause = f"its command cannot be run{': ' + said if said else ''}"
    return Fault("command-missing", cause, seen.again, f"correct {where_command(seen, said)}")


def not_executable(seen: Evidence) -> Fault | None:
    """A program without the right to be run."""
    one = seen.container
    # runc's refusal is in the state; the one of Docker's init is written into the log.
    said = (one.error, *seen.log[-1:]) if one and one.exit_code == NOT_EXECUTABLE else ()
    path = next((match["path"] for text in said if (match := DENIED_PROGRAM.search(text))), "")
    if one is None or not path:
        return None
    full = posixpath.normpath(posixpath.join(one.folder, path))
    # A bare name was found in PATH: it is none of the project's files.
    file = seen.own_file(full) if "/" in path else None
    if file:
        name = relpath(file, seen.project.root)
        cause = f"cannot run {path}: {name} is not executable"
        return Fault("not-executable", cause, f"chmod +x {shlex.quote(name)} && {seen.renewal(full)}")
    image = seen.image
    if image is None:
        return None
    cause = f"cannot run {path}: it is not executable in its image"
    change = f"give it the right to be run in {image.dockerfile_place} (`chmod +x`)"
    return Fault("not-executable", cause, f"invoke build {seen.name} && invoke up", change)


def ended(seen: Evidence) -> Fault | None:
    """Killed, crashed, in a loop, or a one-shot that failed."""
    one, verdict = seen.container, seen.result.verdict
    if one is None or verdict.phase != "failed" or verdict.words not in ("exited", "restarting"):
        return None
    reason = _reason(seen, one)
    if verdict.words == "restarting":
        cause = f"keeps crashing: restarted {one.restart_count} times, {reason}".rstrip(", ")
        return Fault("restart-loop", cause, *_look_at(seen))
    # Of a job, too, the code of a signal says only that somebody stopped it.
    if is_one_shot(seen.project, seen.service) and one.exit_code not in ENDED_FROM_OUTSIDE:
        # Without anybody who waits for its end it is a guess that it is one.
        is_awaited = "service_completed_successfully" in (
            dependencies(other).get(seen.name) for other in seen.project.services.values()
        )
        words = f"is a one-shot job and failed: {reason}" if is_awaited else f"failed: {reason}"
        return Fault("one-shot-failed", words, *_look_at(seen))
    # Many servers end with 0 when SIGTERM asks them to.
    if one.exit_code in ENDED_FROM_OUTSIDE and (one.exit_code or not one.error):
        return Fault("killed", f"was stopped from outside: {reason}" if one.exit_code else reason, "invoke up")
    # A health check that passed in between, or a while of running, speaks for a crash and not for a wrong setting.
    if one.was_healthy or one.ran_seconds >= LONG_ENOUGH_SECONDS:
        return Fault("crashed", f"crashed after {duration(one.ran_seconds)}: {reason}", seen.up)
    return Fault("crashed", f"exits right after its start: {reason}", *_look_at(seen))


def _reason(seen: Evidence, container: Container) -> str:
    """How it ended, in words where Docker has only a number."""
    said = seen.last_error
    code = seen.last_exit
    if code is None:
        return said
    if said and code and (code < OUTSIDE_CODE or code > SIGNALS_END):
        return f"exited with code {code}: {said}"
    if seen.log or not code:
        return exit_reason(code, limit_bytes=container.memory_limit_bytes)
    # A code below those of Docker and of signals has no meaning but that of its program.
    how = f"exited with code {code}" if code < OUTSIDE_CODE else exit_reason(code)
    return f"{how}, and it wrote nothing"


def nothing_to_do(seen: Evidence) -> Fault | None:
    """Ended by itself, without an error, before anybody could have used it."""
    one = seen.container
    if one is None or seen.last_exit or one.error or seen.result.verdict.words not in ("exited", "restarting"):
        return None
    is_short = 0 < one.ran_seconds < LONG_ENOUGH_SECONDS or (one.is_running and seen.last_exit == 0)
    # After `docker stop` a program ends without an error as well.
    if not is_short or one.was_healthy or seen.was_stopped:
        return None
    times = f", {one.restart_count} times already" if one.restart_count else ""
    where = in_brackets(seen.declared("command") or seen.declared("entrypoint") or seen.declared())
    age = "right" if one.is_running else duration(one.ran_seconds)
    cause = f"ends by itself {age} after its start, without an error (exit code 0){times}"
    return Fault("nothing-to-do", cause, seen.again, f"give {seen.name} a command that keeps running{where}")


def not_started(seen: Evidence) -> Fault | None:
    one = seen.container
    if one is None:
        return Fault("not-started", "has no container", "invoke up")
    if one.status == "created":
        # Compose makes all containers before it starts any: one that waits in vain stays `created`.
        if wait := _waits_in_vain(seen) or _waits_for_server(seen):
            return Fault("check-missing", wait.words, "invoke up", wait.change)
        if one.error:
            place = refused_place(seen.project, seen.name, texts.cause_of(one.error))
            words = f"could not be started: {texts.cause_of(one.error)}"
            return Fault("engine-refuses", words, "invoke up", f"correct {place}")
        return Fault("not-started", "was created but never started", "invoke up")
    if any(check.link == "container" and not check.is_ok for check in seen.result.checks):
        return Fault("not-started", "has fewer containers than declared", "invoke up")
    return None


def _waits_in_vain(seen: Evidence) -> EndlessWait | None:
    """Whether it waits for the health of a service without a health check."""
    needs = dependencies(seen.service)
    checkless = (name for name in needs if name in seen.peers and not seen.peers[name].health)
    return next((wait for name in checkless if (wait := waits_in_vain(seen.project, name, (seen.name,)))), None)


def _waits_for_server(seen: Evidence) -> EndlessWait | None:
    """Whether it waits for the end of a service that has come up, and serves."""
    for name, condition in dependencies(seen.service).items():
        peer = seen.peers.get(name)
        # Only a server publishes ports, or has a health check that passes.
        if condition == "service_completed_successfully" and peer and (peer.health == "healthy" or peer.ports):
            where = place_or(seen.declared("depends_on", name), f"the depends_on of {seen.name}")
            better = "service_healthy" if peer.health else "service_started"
            words = f"waits until {name} ends, and {name} is a server that keeps running"
            return EndlessWait(seen.name, words, f"write `condition: {better}` in {where}")
    return None


def _look_at(seen: Evidence) -> tuple[str, str]:
    """(repair, change) after an error that has no name here: the line of the project that it came from."""
    origin = find_origin(seen) if seen.last_error else None
    if origin is None:
        return _ask_for_words(seen) or seen.logs, ""
    change = f"see to {origin[0]}, where that comes from"
    settings = _newer_settings(seen, seen.project.root / origin[0].rpartition(":")[0])
    # Code that ran before the settings changed is seldom what is wrong.
    return (
        (f"invoke up {seen.name}", f"see to {settings}, changed last, or {change[7:]}")
        if settings
        else (origin[1], change)
    )


def _ask_for_words(seen: Evidence) -> str:
    """The command that runs it once more so that it says where it ends; "" for a program that cannot be made to."""
    one, run = seen.container, ("run", "--rm", "--no-deps")
    if one is None or not one.argv or seen.last_exit is None:
        return ""
    first = one.argv[0]
    if seen.last_exit == SIGSEGV and posixpath.basename(first).startswith("python"):
        return seen.project.compose_line(*run, "--env", "PYTHONFAULTHANDLER=1", seen.name)
    # A script that stops at its first failing step (`set -e`) says nothing of it.
    if seen.log or not first.startswith("/") or not SHELL_SCRIPT.match(seen.own_text(first)):
        return ""
    return seen.project.compose_line(*run, "--entrypoint", "sh", seen.name, "-x", first, *one.argv[1:])


def _newer_settings(seen: Evidence, code: Path) -> str:
    """A file of the project that is mounted by itself and younger than the code of an error; "" for none."""
    mounts = seen.mounts
    files = [Path(mount.source) for mount in mounts if mount.kind == "bind"]
    with suppress(OSError):
        own = [file for file in files if file.is_file() and file != code and file.is_relative_to(seen.project.root)]
        newest = max(own, key=lambda file: file.stat().st_mtime, default=code)
        if newest.stat().st_mtime > code.stat().st_mtime:
            return relpath(newest, seen.project.root)
    return ""


FIRST: tuple[Rule, ...] = (
    *(paused, image_missing, *port_faults.FIRST, name_taken, network_missing, network_detached, out_of_memory),
    # `cause` is what the files of its container tell.
    *(out_of_processes, out_of_watches, out_of_files, frozen, lambda seen: seen.cause, not_executable),
)
LAST: tuple[Rule, ...] = (nothing_to_do, ended, not_started)
