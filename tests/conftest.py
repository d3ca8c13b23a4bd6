"""For every test: an interrupt interrupts, no record lands in the state folder of whoever runs it, a failure says what
the machine was doing.
"""

import contextlib
import os
import shutil
import signal
from collections.abc import Generator, Iterator

import psutil
import pytest
from hypothesis import settings

from layerstack import state_folder

# A shell that starts a program in the background lets it ignore Ctrl-C, and every child would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# On a busy machine any example may take long, and tells nothing about the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


# What a person exports for a project of their own is not meant for those of the tests.
for _name in ("COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME", "COMPOSE_ENV_FILES", "DEVICE"):
    os.environ.pop(_name, None)

LOOK_SECONDS = 0.3
MOST_PROCESSES = 5


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What else ran, and what was full, is printed below a failure."""
    report = yield
    if report.failed:
        report.sections.append(("The machine at that time", _machine()))
    return report


def _machine() -> str:
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    memory, disk = psutil.virtual_memory().available, shutil.disk_usage("/").free
    told = f"load {load} on {os.cpu_count()} cores, {memory >> 20} MiB memory and {disk >> 30} GiB disk free"
    return "\n".join((told, *_busiest()))


def _busiest() -> Iterator[str]:
    processes = list(psutil.process_iter(["cmdline", "name"]))
    # The first look at a process only begins its measurement.
    shares: dict[psutil.Process, float] = {}
    for interval in (None, LOOK_SECONDS):
        psutil.cpu_percent(interval)
        for one in processes:
            with contextlib.suppress(psutil.Error):
                shares[one] = one.cpu_percent()
    for one in sorted(shares, key=lambda process: -shares[process])[:MOST_PROCESSES]:
        command = " ".join(one.info["cmdline"] or [one.info["name"]])
        yield f"{shares[one]:5.0f} %  {command[:110]}"


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Child processes get it too; each project has a folder of its own in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def warns_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one warning of a process is the one of a test here."""
    monkeypatch.setattr(state_folder, "_warned", [])
