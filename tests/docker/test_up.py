"""`up` returns when every service is healthy, and ends at once, with the reason, when one cannot become so."""

import os
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from layerstack import command
from layerstack.errors import StartFailed
from layerstack.project.project import Project
from layerstack.run import address, stack
from layerstack.run.start_failure import ServiceFailed
from layerstack.run.startup import ChangeLog, ServiceProgress, Silent
from layerstack.status import status
from layerstack.wait import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.long]

LoadProject = Callable[..., Project]

# Far above what these small containers need, far below the 60 s that each test gives up after.
AT_ONCE_SECONDS = 20.0


class Recorder:
    """Keeps the words that every service had, in order."""

    def __init__(self) -> None:
        self.words: dict[str, list[str]] = {}

    def update(self, services: Sequence[ServiceProgress]) -> None:
        for one in services:
            words = self.words.setdefault(one.service, [])
            if not words or words[-1] != one.words:
                words.append(one.words)

    def note(self, text: str) -> None: ...


def fail_to_start(project: Project, timeout_seconds: float = 60.0) -> Any:
    started = time.monotonic()
    with pytest.raises(StartFailed) as caught:
        stack.up(project, Silent(), timeout_seconds=timeout_seconds)
    assert time.monotonic() - started < AT_ONCE_SECONDS
    assert caught.value.exit_code == 5
    return caught.value


def states(project: Project) -> dict[str, str]:
    return {one.service: one.state for one in status.read_status(project)}


def test_all_services_are_healthy_afterwards(load_project: LoadProject) -> None:
    project, recorder = load_project("healthy"), Recorder()
    result = stack.up(project, recorder, timeout_seconds=60)
    assert states(project) == {"migrate": "exited", "worker": "running", "web": "healthy"}
    assert {one.phase for one in result.services} == {"ready"}
    assert set(result.started) == {"worker", "web"}
    assert recorder.words["web"][0] == "waiting for migrate"
    assert recorder.words["web"][-1] == "healthy"
    assert recorder.words["migrate"][-1] == "finished"


def test_a_running_stack_is_left_alone(load_project: LoadProject, engine_client: Any) -> None:
    project = load_project("healthy")
    stack.up(project, Silent())
    before = container_starts(engine_client, project)
    result = stack.up(project, Silent())
    assert result.was_running
    assert container_starts(engine_client, project) == before


def test_one_service_starts_with_what_it_needs(load_project: LoadProject) -> None:
    project = load_project("healthy")
    result = stack.up(project, Silent(), ["web"])
    assert [one.service for one in result.services] == ["migrate", "web"]
    assert states(project) == {"migrate": "exited", "worker": "absent", "web": "healthy"}


def test_a_stopped_service_comes_back(load_project: LoadProject, engine_client: Any) -> None:
    project = load_project("healthy")
    stack.up(project, Silent())
    engine_client.containers.get(f"{project.name}-web-1").kill()
    assert states(project)["web"] == "exited"
    assert stack.up(project, Silent()).started == ("web",)
    assert states(project)["web"] == "healthy"


def test_restart_waits_for_health_again(load_project: LoadProject, engine_client: Any) -> None:
    project = load_project("healthy")
    stack.up(project, Silent())
    before = container_starts(engine_client, project)
    result = stack.restart(project, Silent(), ["web"])
    after = container_starts(engine_client, project)
    assert {name for name in after if after[name] != before[name]} == {"web"}
    assert result.started == ("web",)
    assert states(project)["web"] == "healthy"


def test_restart_of_nothing_says_so(load_project: LoadProject) -> None:
    with pytest.raises(StartFailed, match="Not started yet"):
        stack.restart(load_project("healthy"), Silent())


def test_down_leaves_nothing(load_project: LoadProject) -> None:
    project = load_project("healthy")
    stack.up(project, Silent())
    assert len(stack.down(project)) == 3
    assert set(states(project).values()) == {"absent"}


@pytest.mark.parametrize(("exit_code", "delay_seconds"), [(3, 0), (0, 0), (3, 0.7)])
def test_a_server_that_ends_is_blamed_with_its_log(
    load_project: LoadProject, exit_code: int, delay_seconds: float
) -> None:
    error = fail_to_start(load_project("exits", TEST_EXIT_CODE=exit_code, TEST_DELAY_SECONDS=delay_seconds))
    assert error.service == "web"
    assert f"exited with code {exit_code}" in error.reason
    assert error.log_lines == ("the setting DATABASE is missing",)


def test_a_crash_loop_is_ended_with_the_last_exit_code(load_project: LoadProject) -> None:
    error = fail_to_start(load_project("loops"))
    assert error.service == "worker"
    assert "exited with code 7" in error.reason
    assert set(error.log_lines) == {"cannot open the queue"}


@pytest.mark.parametrize("seconds_before", [0.0, 0.3, 0.6])
def test_a_crash_loop_ends_with_a_mended_definition(
    load_project: LoadProject, monkeypatch: pytest.MonkeyPatch, seconds_before: float
) -> None:
    project = load_project("loops")
    fail_to_start(project)
    monkeypatch.setenv("TEST_COMMAND", "exec sleep 600")
    time.sleep(seconds_before)
    # The old container goes on starting by itself until Compose replaces it.
    assert stack.up(project, Silent(), timeout_seconds=60).started == ("worker",)
    assert states(project) == {"worker": "running"}


def test_an_unhealthy_service_is_blamed_with_what_its_check_says(load_project: LoadProject) -> None:
    error = fail_to_start(load_project("unhealthy"))
    assert error.service == "web"
    assert "the cache is cold" in error.reason
    assert error.log_lines == ("listening",)


def test_what_was_unhealthy_gets_time_to_recover(load_project: LoadProject, engine_client: Any) -> None:
    project = load_project("recovers")
    stack.up(project, Silent(), timeout_seconds=60)
    started = container_starts(engine_client, project)
    for service in ("database", "page"):
        engine_client.containers.get(f"{project.name}-{service}-1").kill()
    assert wait_until(lambda: states(project)["api"] == "unhealthy", 30, 0.2)
    # Compose gives up at once here: page needs api, which is unhealthy until its next check.
    result = stack.up(project, Silent(), timeout_seconds=60)
    assert set(result.started) == {"database", "page"}
    assert states(project) == {"database": "healthy", "api": "healthy", "page": "running"}
    assert container_starts(engine_client, project)["api"] == started["api"]


def test_the_wait_ends_with_the_state_of_what_is_late(load_project: LoadProject) -> None:
    error = fail_to_start(load_project("late"), timeout_seconds=3)
    assert error.service == "web"
    assert "after 3 s" in error.reason
    assert "still loading" in error.reason


def test_lack_of_memory_is_named(load_project: LoadProject) -> None:
    error = fail_to_start(load_project("memory"))
    assert error.service == "worker"
    assert "ran out of memory (limit 64 MB" in error.reason


def test_a_command_that_is_not_in_the_image_is_named(load_project: LoadProject) -> None:
    error = fail_to_start(load_project("absent-command"))
    assert error.service == "web"
    assert "/no/such/program" in error.reason


def test_the_first_of_a_chain_is_blamed(load_project: LoadProject) -> None:
    error = fail_to_start(load_project("chain"))
    assert error.service == "database"
    assert "recovering the journal" in error.reason


def test_an_image_that_was_never_built_is_not_built_behind_ones_back(
    load_project: LoadProject, engine_client: Any
) -> None:
    project = load_project("unbuilt")
    error = fail_to_start(project)
    assert "web" in str(error)
    assert "invoke build web" in error.advice
    assert not engine_client.images.list(name=f"{project.name}-web")


def test_an_image_that_cannot_be_fetched_is_named(load_project: LoadProject) -> None:
    error = fail_to_start(load_project("unfetched"))
    assert "could not be fetched" in str(error)
    assert "docker load" in error.advice


def test_a_rebuilt_image_is_noticed_and_replaces_the_container(
    load_project: LoadProject, engine_client: Any, node_image: str
) -> None:
    tag = f"layerstack-test/outdated:{os.getpid()}"
    engine_client.images.get(node_image).tag(tag)
    project = load_project("outdated", TEST_IMAGE=tag)
    stack.up(project, Silent())
    assert [one.is_newest for one in status.read_status(project)] == [True]
    before = container_starts(engine_client, project)
    try:
        engine_client.containers.get(f"{project.name}-web-1").commit(*tag.split(":"))
        assert [one.is_newest for one in status.read_status(project)] == [False]
        assert stack.up(project, Silent()).started == ("web",)
        assert [one.is_newest for one in status.read_status(project)] == [True]
        assert container_starts(engine_client, project) != before
    finally:
        stack.down(project)
        engine_client.images.remove(tag)


def test_a_gpu_that_docker_cannot_give_is_named(load_project: LoadProject, engine_client: Any) -> None:
    if "nvidia" in engine_client.info()["Runtimes"]:
        pytest.skip("this engine has a GPU to give")
    error = fail_to_start(load_project("gpu"))
    assert "model wants a GPU" in str(error)
    assert "--device cpu" in error.advice


def test_a_program_that_holds_the_port_is_named(load_project: LoadProject, free_port: int) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port))
        listener.listen()
        project = load_project("healthy")
        error = fail_to_start(project)
    assert f"127.0.0.1:{free_port}" in str(error)
    assert "(process " in str(error)
    assert "TEST_PORT in .env" in error.advice
    assert set(states(project).values()) == {"absent"}


def test_a_container_that_holds_the_port_is_named(
    load_project: LoadProject, engine_client: Any, free_port: int, node_image: str
) -> None:
    holder = engine_client.containers.run(
        node_image, ["sleep", "600"], init=True, detach=True, ports={"8000/tcp": ("127.0.0.1", free_port)}
    )
    try:
        error = fail_to_start(load_project("healthy"))
    finally:
        holder.remove(force=True)
    assert f"container {holder.name}" in str(error)
    assert f"docker stop {holder.name}" in error.advice


def test_a_port_lost_in_the_last_moment_is_still_explained(
    load_project: LoadProject, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    project = load_project("exits")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port))
        listener.listen()
        # As if the port was taken after the check before the start.
        monkeypatch.setattr(stack, "require_ports", lambda *_: None)
        error = fail_to_start(project)
    assert not isinstance(error, ServiceFailed)
    assert f"127.0.0.1:{free_port}" in str(error)
    assert "(process " in str(error)


def test_an_interrupted_wait_leaves_the_containers(load_project: LoadProject, monkeypatch: pytest.MonkeyPatch) -> None:
    project = load_project("late")

    class Interrupting:
        def update(self, services: Sequence[ServiceProgress]) -> None:
            if services[0].words == "starting":
                raise KeyboardInterrupt

        def note(self, text: str) -> None: ...

    with pytest.raises(KeyboardInterrupt):
        stack.up(project, Interrupting(), timeout_seconds=30)
    assert states(project) == {"web": "starting"}


def test_volumes_are_named_and_go_only_when_asked(load_project: LoadProject) -> None:
    project = load_project("volume")
    stack.up(project, Silent())
    (volume,) = stack.volumes_of(project.name)
    assert volume.name == f"{project.name}_data"
    stack.down(project)
    assert [one.name for one in stack.volumes_of(project.name)] == [volume.name]
    stack.down(project, removes_volumes=True)
    assert stack.volumes_of(project.name) == ()


def test_the_change_log_says_every_state_once(load_project: LoadProject) -> None:
    lines: list[str] = []
    stack.up(load_project("exits-well"), ChangeLog(lines.append))
    assert len(lines) == len(set(lines))
    assert lines[-1].startswith("job finished")


def test_addresses_follow_the_checks(load_project: LoadProject, free_port: int) -> None:
    assert address.addresses(load_project("healthy")) == {"web": f"http://127.0.0.1:{free_port}"}


def test_logs_go_to_the_terminal(load_project: LoadProject, capfd: pytest.CaptureFixture[str]) -> None:
    project = load_project("exits-well")
    stack.up(project, Silent())
    assert stack.logs(project, ["job"], tail=1) == 0
    assert "second line" in capfd.readouterr().out


def container_starts(client: Any, project: Project) -> dict[str, str]:
    found = client.containers.list(filters={"label": f"com.docker.compose.project={project.name}"})
    return {one.labels["com.docker.compose.service"]: one.id + one.attrs["State"]["StartedAt"] for one in found}


def test_plain_compose_agrees_that_the_stack_is_up(load_project: LoadProject) -> None:
    project = load_project("healthy")
    stack.up(project, Silent())
    argv = project.compose("up", "--detach", "--no-build", "--wait", "web", "worker")
    assert command.run(argv, cwd=project.root, env=project.environment).ok
