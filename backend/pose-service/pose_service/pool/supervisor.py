"""The supervisor process: keeps the engine processes running and tells the web process about them.

Started by serving.launch; it ends when its standard input closes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Optional

from pose_service.pool.capacity import default_engines
from pose_service.pool.engine_child import PROCESSES, EngineChild, preloads
from pose_service.pool.engine_slot import EngineSlot
from pose_service.pool.first_process import FirstProcess
from pose_service.pool.loaded_files import loaded_files, package_files
from pose_service.pool.roster import KillRequest, Roster
from pose_service.settings import MAX_INSIDE, Settings, SettingsError
from serving import launch, logs
from serving.launch import CONTROL_NAME
from serving.source_watch import SourceWatch

logger = logging.getLogger(__name__)
# How often the source files are looked at.
WATCH_SECONDS = 0.2
# Without any news the web process is told so, and knows that this process is not frozen.
TELL_SECONDS = 1.0
STANDARD_INPUT, MOST_BEATS = 0, 4096


class Supervisor:
    """One loop, one thread: processes, requests of the web process, changed files."""

    def __init__(self, settings: Settings, folder: Path, is_reloading: bool) -> None:
        self._settings = settings
        self._folder = folder
        self._is_reloading = is_reloading
        self._slots = [self._new_slot(0)]
        self._controls: list[Connection] = []
        self._published = Roster()
        self._told_at = 0.0
        self._has_been_ready = False
        self._is_over = False
        self._first = FirstProcess(os.getppid())
        self._own_sources, self._engine_sources = SourceWatch(), SourceWatch()
        self._to_replace: list[EngineSlot] = []
        self._listener = _listen(folder / CONTROL_NAME)

    def run(self) -> None:
        """Work until standard input closes, SIGTERM comes, or the supervisor's own source changes."""
        try:
            while self._is_wanted():
                self._tick()
                for event in wait(self._wakers(), timeout=self._patience()):
                    self._answer(event)
        finally:
            for slot in self._slots:
                slot.stop()
            if self._is_over:
                # Whoever made the folder may have been killed.
                shutil.rmtree(self._folder, ignore_errors=True)

    def _is_wanted(self) -> bool:
        return not self._is_over and not (self._is_reloading and self._own_source_changed())

    def _tick(self) -> None:
        self._first.check()
        for slot in self._slots:
            slot.tick()
        if len(self._slots) == 1 and self._slots[0].is_ready:
            self._slots += [self._new_slot(number) for number in range(1, self._wanted())]
        if self._is_reloading:
            self._replace_changed()
        self._publish()

    def _new_slot(self, number: int) -> EngineSlot:
        return EngineSlot(number, self._start_child, self._settings.start_seconds)

    def _start_child(self, number: int, generation: int) -> EngineChild:
        return EngineChild(self._settings.engine, self._folder, f"engine-{number}-{generation}")

    def _wanted(self) -> int:
        """Only a loaded engine knows its device: one for a GPU, one a core otherwise, unless a number is asked for."""
        facts = self._slots[0].entry.facts
        is_on_cpu = facts is not None and facts.device == "cpu"
        most = MAX_INSIDE - self._settings.queue_length
        return self._settings.engines or (min(default_engines(), most) if is_on_cpu else 1)

    def _patience(self) -> float:
        seconds = min(slot.seconds_to_next() for slot in self._slots)
        return min(seconds, WATCH_SECONDS if self._is_reloading else TELL_SECONDS)

    def _wakers(self) -> Sequence[Any]:
        return [sys.stdin, self._listener, *self._controls, *(waker for slot in self._slots for waker in slot.wakers)]

    def _answer(self, event: object) -> None:
        if event is sys.stdin:
            self._is_over = not self._first.hear(os.read(STANDARD_INPUT, MOST_BEATS))
        elif event is self._listener:
            self._welcome()
        elif event in self._controls:
            assert isinstance(event, Connection)
            self._obey(event)

    def _welcome(self) -> None:
        accepted, _address = self._listener.accept()
        control = Connection(accepted.detach())
        self._controls.append(control)
        self._tell(control)

    def _obey(self, control: Connection) -> None:
        try:
            request: KillRequest = control.recv()
        except (EOFError, OSError):
            self._controls.remove(control)
            control.close()
            return
        for slot in self._slots:
            if slot.number == request.slot:
                slot.kill(request.generation, request.reason)

    def _publish(self) -> None:
        entries = tuple(slot.entry for slot in self._slots)
        self._has_been_ready |= any(entry.state == "ready" for entry in entries)
        roster = Roster(entries, sum(slot.restarts for slot in self._slots), self._has_been_ready)
        now = time.monotonic()
        if roster != self._published or now > self._told_at + TELL_SECONDS:
            self._published, self._told_at = roster, now
            for control in tuple(self._controls):
                self._tell(control)

    def _tell(self, control: Connection) -> None:
        with contextlib.suppress(OSError):
            control.send(self._published)

    def _own_source_changed(self) -> bool:
        changed = self._own_sources.changed(loaded_files())
        if changed:
            logger.warning("%s changed: the supervisor and its engines start again", ", ".join(changed))
        return bool(changed)

    def _replace_changed(self) -> None:
        """One engine after the other, so that the others keep answering."""
        files = {file for slot in self._slots for file in (slot.entry.facts.files if slot.entry.facts else ())}
        changed = self._engine_sources.changed(files or package_files())
        if changed:
            logger.info("%s changed: the engines are replaced", ", ".join(changed))
            self._to_replace = list(self._slots)
        if self._to_replace and not any(slot.is_replacing for slot in self._slots):
            self._to_replace.pop(0).replace()


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    early = path.with_suffix(".new")
    early.unlink(missing_ok=True)
    listener.bind(str(early))
    listener.listen()
    # Under its name only now: whoever finds it can connect.
    early.rename(path)
    return listener


def _leave(_signal: int, _frame: object) -> None:
    # Once: a second signal would interrupt the cleaning up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(0)


def main(environment: Optional[dict[str, str]] = None) -> None:
    """Supervise the engines that the environment describes."""
    environment = dict(os.environ) if environment is None else environment
    # Ctrl-C reaches every process of the terminal; the arbiter decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    logs.configure(environment)
    try:
        settings = Settings.from_environment(environment)
    except SettingsError:
        # The web process says what is wrong, and ends the service.
        return
    PROCESSES.set_forkserver_preload(preloads(settings.engine))
    is_reloading = environment.get(launch.RELOAD_VARIABLE) == "1"
    Supervisor(settings, Path(environment[launch.FOLDER_VARIABLE]), is_reloading).run()


if __name__ == "__main__":
    main()
