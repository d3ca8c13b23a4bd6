"""Watches the containers of some services until all are ready or one has failed."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from layerstack.engine import engine
from layerstack.engine.container import Container, read_all
from layerstack.errors import EngineError, StartFailed
from layerstack.project.dependency import dependencies, is_one_shot
from layerstack.project.project import Project
from layerstack.run.health import Verdict, absent, judge, worst
from layerstack.run.outlook import Diagnose, Outlook, Trouble
from layerstack.run.remainder import awaited_jobs, can_be_split, remainder
from layerstack.run.start_failure import service_failed
from layerstack.run.startup import ServiceProgress, StartObserver, UpResult
from layerstack.wait import wait_until

INTERVAL_SECONDS = 0.2
# A program without a health check that dies of its own settings does so within this time.
SETTLE_SECONDS = 1.0
# What was unhealthy before may only have missed what is started now: its next health check tells, and one more.
RECOVERY_SECONDS = 45.0
PROBE_SECONDS = 2.0


class Watch:
    """The watch begins with its creation. While `is_composing`, untouched containers may be in any state."""

    def __init__(
        self,
        project: Project,
        wanted: Sequence[str],
        observer: StartObserver,
        timeout_seconds: float,
        diagnose: Diagnose | None = None,
    ) -> None:
        self.is_composing = True
        self._client, self._project, self._wanted, self._observer = engine.client(), project, wanted, observer
        self._timeout_seconds, self._outlook = timeout_seconds, Outlook(diagnose)
        self._began, self._began_epoch, self._polled = time.monotonic(), time.time(), 0.0
        self._found = read_all(self._client, project.name)
        self._before = {one.id: one for found in self._found.values() for one in found}
        self._jobs: frozenset[str] = frozenset()
        self._started_again: set[str] = set()
        self._recovers_until = 0.0
        self._was_unhealthy = False
        self._first_seen: dict[str, float] = {}
        self._ready_seconds: dict[str, float] = {}

    def can_be_split(self) -> bool:
        """Whether Compose's `up --no-start` and the start of what is left then are the same as its `up`."""
        return can_be_split(self._project, self._wanted, self._found)

    def remainder(self) -> tuple[str, ...] | None:
        """What is left to be started after `up --no-start`, None where only `up` can tell.

        From now on the end of jobs counts, for which `up` itself would have waited.
        """
        self._found = read_all(self._client, self._project.name)
        left = remainder(self._project, self._wanted, self._found)
        self._jobs = awaited_jobs(self._project, self._wanted) if left else self._jobs
        return left

    def hear(self, line: str) -> None:
        """A line of Compose: pulls are worth telling, the rest is seen in the containers."""
        if " Pull" in line:
            self._observer.note(line.strip())
        self.tick()

    def tick(self) -> None:
        """Look at the containers unless that was done a moment ago. Raises StartFailed when one has failed."""
        # Every line of Compose ends up here, too: a burst of them must not query the engine each time.
        if time.monotonic() - self._polled >= INTERVAL_SECONDS / 2:
            self.poll()

    def poll(self) -> tuple[ServiceProgress, ...] | None:
        """Look at all containers; the progress when all are ready. Raises StartFailed when one has failed."""
        self._polled = time.monotonic()
        self._found = read_all(self._client, self._project.name)
        self._was_unhealthy = self._was_unhealthy or bool(self._still_unhealthy())
        verdicts = self._verdicts()
        progress = tuple(self._progress(name, verdict) for name, verdict in verdicts.items())
        self._observer.update(progress)
        if self._start_cut_off():
            return None
        if failed := self._first_failed(verdicts):
            raise self.explain(failed)
        if all(one.phase == "ready" for one in progress):
            return progress
        self._outlook.require_hope(self._telling(self.is_composing))
        if self._polled - self._began > self._timeout_seconds:
            raise self._timed_out(verdicts)
        return None

    def wait(self) -> UpResult:
        """Poll until all are ready. Raises StartFailed when one fails or the time is up."""
        self.is_composing = False
        self._let_recover()
        remaining_seconds = self._began + self._timeout_seconds - time.monotonic()
        progress = wait_until(self.poll, max(0.0, remaining_seconds), INTERVAL_SECONDS)
        if progress is None:
            raise self._timed_out(self._verdicts())
        # Compose runs a finished one-shot again every time: that is no change.
        finished = {one.service for one in progress if one.words == "finished"}
        started = tuple(name for name in self._wanted if name not in finished and self._has_new(name))
        self._require_reach([name for name in started if self._may_be_out_of_reach(name)])
        self._require_answers([name for name in self._wanted if name not in started])
        return UpResult(time.monotonic() - self._began, progress, started)

    def await_recovery(self) -> bool:
        """Whether Compose gave up on something that was unhealthy before and no longer is; takes its time to find out.

        Compose ends as soon as a service depends on one that is unhealthy at that moment.
        """
        self._let_recover()
        # What was unhealthy when Compose looked may be well again by now.
        was_unhealthy, self._was_unhealthy = self._was_unhealthy, False
        self._found = read_all(self._client, self._project.name)
        while (is_hopeful := not self._has_failed() and self._has_time_to_recover) and self._still_unhealthy():
            was_unhealthy = True
            self._outlook.require_hope(self._telling(False))
            time.sleep(INTERVAL_SECONDS)
            self._found = read_all(self._client, self._project.name)
        return is_hopeful and was_unhealthy

    def explain(self, error: StartFailed, is_of_container: bool = True) -> StartFailed:
        """The diagnosis of a start that has failed, the error itself where that says no more."""
        return self._outlook.explain(error, self._wanted, is_of_container)

    def blame(self) -> StartFailed | None:
        """The service that made Compose give up, None when it was none of them."""
        self.is_composing = False
        self._found = read_all(self._client, self._project.name)
        verdicts = self._verdicts()
        # What was never started is a consequence of the one that failed.
        return self._first_failed(
            {name: one for name, one in verdicts.items() if one.words not in ("absent", "created")}
        )

    def _telling(self, is_composing: bool) -> list[str]:
        """Services whose containers belong to this start: not those that Compose has yet to start or replace."""
        alive = () if is_composing else ("running", "restarting", "paused")
        found = ((name, self._found.get(name, ())) for name in self._wanted)
        return [name for name, ones in found if any(self._is_new(one) or one.status in alive for one in ones)]

    def _require_answers(self, names: Sequence[str]) -> None:
        """Raises StartFailed when a service that ran before fails its checks now: Docker's status may be stale."""
        seen: list[Trouble] = []

        def works() -> bool:
            found = self._outlook.look_now(names)
            if found and (found.prospect == "sure" or (found.prospect != "passing" and found.is_same(seen))):
                raise found.error
            seen.extend([found] if found else [])
            return found is None

        remaining_seconds = self._began + self._timeout_seconds - time.monotonic()
        if not wait_until(works, max(0.0, remaining_seconds), PROBE_SECONDS):
            raise seen[-1].error

    def _may_be_out_of_reach(self, name: str) -> bool:
        """What declares checks of its own is asked by `verify`: they may take long."""
        service = self._project.services[name]
        return bool(service.ports) and not service.settings.verify

    def _require_reach(self, names: Sequence[str]) -> None:
        """A health check asks from inside: whether others reach what it found ready is another question.

        Raises StartFailed for what two looks find and no waiting mends.
        """
        found = self._outlook.look_now(names)
        if found and found.prospect in ("sure", "likely"):
            time.sleep(PROBE_SECONDS)
            again = self._outlook.look_now(names)
            if again and again.is_same([found]):
                raise again.error

    def _let_recover(self) -> None:
        self._recovers_until = self._recovers_until or time.monotonic() + RECOVERY_SECONDS

    @property
    def _has_time_to_recover(self) -> bool:
        return time.monotonic() < self._recovers_until

    def _has_failed(self) -> bool:
        return any(one.phase == "failed" for one in self._verdicts().values())

    def _still_unhealthy(self) -> list[str]:
        """Containers that were unhealthy before this start, and are."""
        return [one.name for name in self._wanted for one in self._found.get(name, ()) if self._is_still_unhealthy(one)]

    def _is_still_unhealthy(self, container: Container) -> bool:
        return container.is_running and container.health == "unhealthy" and not self._is_new(container)

    def _verdicts(self) -> dict[str, Verdict]:
        verdicts: dict[str, Verdict] = {}
        for name in self._wanted:
            judged = [self._judge(name, one) for one in self._found.get(name, ())]
            # Compose may still create the container.
            missing = Verdict("waiting", self._waits_for(name)) if self.is_composing else absent(name)
            verdicts[name] = worst(judged) if judged else missing
        return verdicts

    def _judge(self, name: str, container: Container) -> Verdict:
        service, is_new = self._project.services[name], self._is_new(container)
        # The engine counts until somebody starts the container anew; only the restarts of this start matter.
        before = self._before.get(container.id)
        earlier = before.restart_count if before and before.restart_count <= container.restart_count else 0
        crashes = container.restart_count - earlier
        verdict = judge(container, service, is_one_shot(self._project, service), crashes)
        if (
            self.is_composing
            and verdict.phase == "failed"
            and (container.status == "created" or self._is_left_alone(container))
        ):
            return Verdict("waiting", self._waits_for(name))
        if verdict.phase == "failed" and self._is_cut_off(name, container) and self._waits_for_new(name):
            return Verdict("waiting", self._waits_for(name))
        # It may only lack what is being started now.
        if verdict.words == "unhealthy" and self._has_time_to_recover and self._is_still_unhealthy(container):
            return Verdict("waiting", "unhealthy")
        # Other services wait for the end of this job, and the shortened start has not waited for it.
        if verdict.phase == "ready" and container.is_running and name in self._jobs:
            return Verdict("waiting", "running")
        if (
            verdict.phase == "ready"
            and is_new
            and container.is_running
            and not container.health
            and not self._is_settled(container)
        ):
            return Verdict("waiting", "running")
        return verdict

    def _is_left_alone(self, container: Container) -> bool:
        # A container in a restart loop is started, too, but not by Compose.
        before = self._before.get(container.id)
        return before is not None and (before.status in ("running", "restarting") or not self._is_new(container))

    def _is_cut_off(self, name: str, container: Container) -> bool:
        """Whether it ran before and has ended since, and a service that it needs was made anew meanwhile."""
        before = self._before.get(container.id)
        is_ours = before is not None and before.is_running and not self._is_new(container)
        needs = dependencies(self._project.services[name])
        # A job that has ended well was not cut off.
        has_failed = container.status == "exited" and container.exit_code != 0
        return is_ours and has_failed and any(self._has_new(other) for other in needs)

    def _waits_for_new(self, name: str) -> bool:
        """Whether a service that it needs is not ready yet."""
        needs = (other for other in dependencies(self._project.services[name]) if other in self._wanted)
        return any(other not in self._ready_seconds for other in needs)

    def _start_cut_off(self) -> bool:
        """Start again what ended because of this start: Compose, which found it running, leaves it alone.

        A start of a few services cuts off others, too.
        """
        every = [] if self.is_composing else [(name, one) for name in self._project.services for one in self._of(name)]
        # Once: what ends again after that has a fault of its own.
        cut = [(name, one) for name, one in every if one.id not in self._started_again and self._is_cut_off(name, one)]
        found = [(name, one) for name, one in cut if not self._waits_for_new(name)]
        for name, one in found:
            self._started_again.add(one.id)
            self._observer.note(f"{name} has ended meanwhile: it is started again")
            with suppress(EngineError):
                self._client.api.start(one.id)
        return bool(found)

    def _of(self, name: str) -> Sequence[Container]:
        return self._found.get(name, ())

    def _is_new(self, container: Container) -> bool:
        before = self._before.get(container.id)
        return before is None or before.started_at != container.started_at

    def _has_new(self, name: str) -> bool:
        return any(self._is_new(one) for one in self._found.get(name, ()))

    def _is_settled(self, container: Container) -> bool:
        return self._seconds_since_seen(f"{container.id} {container.started_at}") >= SETTLE_SECONDS

    def _seconds_since_seen(self, key: str) -> float:
        now = time.monotonic()
        return now - self._first_seen.setdefault(key, now)

    def _waits_for(self, name: str) -> str:
        needed = [other for other in dependencies(self._project.services[name]) if other not in self._ready_seconds]
        return f"waiting for {', '.join(needed)}" if needed else "waiting"

    def _progress(self, name: str, verdict: Verdict) -> ServiceProgress:
        running = [self._seconds_since_seen(one.id) for one in self._found.get(name, ()) if one.is_running]
        seconds = max(running, default=time.monotonic() - self._began)
        if verdict.phase == "ready":
            seconds = self._ready_seconds.setdefault(name, seconds)
        else:
            # A service that is no longer ready has to become ready again.
            self._ready_seconds.pop(name, None)
        return ServiceProgress(name, verdict.phase, verdict.words, seconds)

    def _first_failed(self, verdicts: Mapping[str, Verdict]) -> StartFailed | None:
        # In start order: what fails first makes the others fail.
        for name, verdict in verdicts.items():
            if verdict.phase == "failed":
                return service_failed(
                    self._client, self._project, self._worst_of(name), verdict, name, self._began_epoch
                )
        return None

    def _timed_out(self, verdicts: Mapping[str, Verdict]) -> StartFailed:
        late = [name for name, verdict in verdicts.items() if verdict.phase == "waiting"]
        name, one = late[0], self._worst_of(late[0])
        said = f"; its health check says: {one.health_output}" if one and one.health_output else ""
        others = f" Also not ready: {', '.join(late[1:])}." if len(late) > 1 else ""
        reason = f"is not ready after {self._timeout_seconds:.0f} s ({verdicts[name].words}{said}).{others}"
        failed = Verdict("failed", verdicts[name].words, reason, f"invoke logs {name}")
        return self.explain(service_failed(self._client, self._project, one, failed, name, self._began_epoch))

    def _worst_of(self, name: str) -> Container | None:
        found = self._found.get(name, ())
        # The replica that does not run, or is not healthy, explains the failure.
        return min(found, key=lambda one: (one.is_running, one.health == "healthy"), default=None)
