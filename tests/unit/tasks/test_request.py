"""What a task says of its device, and which numbers it refuses before anything is asked."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from layerstack.errors import UsageError
from layerstack.gpu import device as gpu_device
from layerstack.gpu.decision import Decision, Reason
from layerstack.gpu.gpu_probe import NOT_ASKED
from layerstack.project import project
from layerstack.project.device_memory import remember_device
from layerstack.project.project import Device
from layerstack.tasks import request, run_tasks
from layerstack.tasks.request import project_to_run


@pytest.mark.parametrize(
    ("before", "asked", "decided", "is_said"),
    [
        (None, "auto", ("cpu", "no-card"), False),
        ("cpu", "auto", ("cpu", "no-service-wants-gpu"), False),
        ("gpu", "auto", ("gpu", "fine"), False),
        ("gpu", "auto", ("cpu", "no-card"), True),
        ("cpu", "auto", ("gpu", "fine"), True),
        ("gpu", "gpu", ("gpu", "fine"), True),
        ("cpu", "auto", ("cpu", "driver-without-toolkit"), True),
    ],
)
def test_the_device_is_said_when_it_is_new_asked_about_or_can_be_repaired(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: Device | None,
    asked: str,
    decided: tuple[Device, Reason],
    is_said: bool,
) -> None:
    said: list[str] = []
    monkeypatch.delenv("DEVICE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    monkeypatch.setattr(request, "say", said.append)
    monkeypatch.setattr(gpu_device, "choose", lambda *_, **__: Decision(decided[0], "why", None, NOT_ASKED, decided[1]))
    monkeypatch.setattr(project, "load", lambda root, device: SimpleNamespace(device=device))
    if before:
        remember_device(tmp_path, before)
    assert project_to_run(asked, is_started=True).device == decided[0]
    assert bool(said) is is_said


@pytest.mark.parametrize(("task", "option"), [(run_tasks.up, "timeout"), (run_tasks.logs, "tail")])
def test_a_number_below_zero_is_refused(task: Any, option: str) -> None:
    with pytest.raises(Exit) as ended:
        task.body(Context(), [], **{option: -5})
    assert ended.value.code == UsageError.exit_code
