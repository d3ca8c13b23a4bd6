"""For every test: an interrupt interrupts, and no record lands in the state folder of whoever runs it."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from layerstack import state_folder

# A shell that starts a program in the background lets it ignore Ctrl-C, and every child would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# On a busy machine any example may take long, and tells nothing about the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


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
