"""The stacks of an engine as text."""

from collections.abc import Sequence

from layerstack.moment import local_time, read_time
from layerstack.report import line
from layerstack.stacks.stacks import Stack
from layerstack.wording import megabytes


def print_stacks(stacks: Sequence[Stack]) -> None:
    """On stdout, a paragraph per stack: folders are too long for a table."""
    for stack in stacks:
        headline, *lines = describe(stack)
        line(f"{headline}, {megabytes(stack.disk_bytes)}", "red" if stack.is_dead else "bold", is_whole=True)
        for text in lines:
            line(f"    {text}", is_whole=True)
    if not stacks:
        line("no stack on this engine")


def describe(stack: Stack) -> list[str]:
    """Name, folder and resources, and the command that removes a stack whose folder is gone."""
    where = stack.folder or "no container, only its data"
    lines = [f"{stack.name}{f' ({stack.branch})' if stack.branch else ''}"]
    if stack.is_dead:
        lines.append(f"{where} is gone → `invoke down --stack {stack.name}` ends it")
    else:
        lines.append(where)
    running = f"{len(stack.running)} of {len(stack.containers)} running"
    since = f" since {local_time(read_time(stack.since))}" if stack.since else ""
    lines.append(f"{running}{since}" if stack.containers else f"→ `invoke down --volumes --stack {stack.name}`")
    if stack.ports:
        lines.append(f"ports {', '.join(map(str, stack.ports))}")
    if stack.gpu_services:
        lines.append(f"GPU: {', '.join(stack.gpu_services)}")
    lines += [f"GPU lease: {held.owner}, {card.name}, process {held.pid}" for card, held in stack.leases]
    return lines
