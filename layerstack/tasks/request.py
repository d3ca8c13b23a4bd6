"""What tasks share: the project of this folder, its device, printing a result, asking before removals."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from layerstack.errors import UsageError
from layerstack.report import print_json, say

if TYPE_CHECKING:
    from layerstack.gpu.decision import Request
    from layerstack.project.project import Project

DEVICES = ("auto", "gpu", "cpu")
JSON = "print one JSON document on stdout, everything else on stderr"
DEVICE = "auto, gpu or cpu; auto takes a GPU when both the host and Docker have one"
YES = "remove without asking"
SERVICES = "services, as words after the task; default all"


class Result(Protocol):
    """The result of a task, which becomes a JSON document."""

    def to_json(self) -> Any: ...


R = TypeVar("R", bound=Result)


def show(result: R, as_json: bool, print_text: Callable[[R], object]) -> None:
    """The result of a task: a document for programs, or text for people."""
    if as_json:
        show_document(result.to_json())
    else:
        print_text(result)


def show_document(document: dict[str, Any]) -> None:
    """Print one JSON document; `ok` is true unless the document says otherwise."""
    print_json({"ok": True, **document})


def root() -> Path:
    """The folder of the project. Raises UsageError when there is none."""
    from layerstack.project.project import find_root

    try:
        return find_root(Path.cwd())
    except FileNotFoundError as error:
        raise UsageError("This folder does not exist any more.", "`cd` into the project again.") from error


def requested(device: str) -> "Request":
    """The value of --device. Raises UsageError."""
    if device not in DEVICES:
        raise UsageError(f"--device is auto, gpu or cpu, not `{device}`.")
    return cast("Request", device)


def require_not_negative(option: str, number: int, unit: str) -> None:
    """Raises UsageError."""
    if number < 0:
        raise UsageError(f"--{option} takes {unit}, not {number}.")


def project_to_read(device: str = "auto", services: Sequence[str] = ()) -> "Project":
    """The project for a task that only reads, on the remembered device: no GPU is looked for.

    `services` are those that the task names; a profile keeps none of them out.
    """
    from layerstack.project.called import load_with

    asked = requested(device)
    return load_with(root(), None if asked == "auto" else asked, services)


def project_to_run(device: str, is_started: bool, services: Sequence[str] = ()) -> "Project":
    """The project for a task that builds or starts, after a new decision on the device; `services` as above.

    A requested GPU is needed only to start: any machine can build for one. Raises GpuMissing.
    """
    from layerstack.gpu.decision import is_news
    from layerstack.gpu.device import choose
    from layerstack.project.called import load_with
    from layerstack.project.device_memory import remember_device, remembered_device

    if requested(device) == "gpu" and not is_started:
        return load_with(root(), "gpu", services)
    decision = choose(root(), requested(device))
    # Most machines have no GPU and need none: that is no news at each build.
    if is_news(decision, remembered_device(root()), requested(device)):
        say(decision.sentence)
    remember_device(root(), decision.device)
    return load_with(root(), decision.device, services)


def confirm(losses: Sequence[str], is_agreed: bool) -> None:
    """Name what will be lost and ask. Raises UsageError without a terminal and for any answer but yes."""
    ask([f"will be removed: {loss}" for loss in losses], "Remove? [y/N]", "Nothing was removed", is_agreed)


def ask(lines: Sequence[str], question: str, refusal: str, is_agreed: bool) -> None:
    """Print the lines, if any, and ask. Raises UsageError without a terminal and for any answer but yes."""
    for line in lines:
        say(line)
    if is_agreed or not lines:
        return
    # In CI nobody answers: a refusal is better than a job that hangs.
    if not sys.stdin.isatty():
        raise UsageError(f"{refusal}: there is no terminal to ask on.", "Add --yes to confirm.")
    say(question)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError(f"{refusal}.")
