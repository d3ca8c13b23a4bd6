"""The GPU survey as text: the decision and its remedy, then the facts."""

from collections.abc import Iterator

from layerstack.gpu.gpu_survey import Survey
from layerstack.gpu.nvml import Gpu
from layerstack.moment import local_time
from layerstack.report import line, print_table
from layerstack.wording import gibibytes


def print_gpu(survey: Survey) -> None:
    """The survey on stdout."""
    from rich.markup import escape

    line(survey.decision.sentence, "bold")
    if survey.decision.remedy:
        line(f"  → {survey.decision.remedy}")
    print_table(("where", "found"), [(name, escape(words)) for name, words in _rows(survey)])


def _rows(survey: Survey) -> Iterator[tuple[str, str]]:
    decision = survey.decision
    yield "host", f"NVIDIA driver {decision.host.driver}" if decision.host else "no NVIDIA driver answers"
    for gpu in decision.host.devices if decision.host else ():
        yield f"card {gpu.index}", _card_words(gpu)
        for part in gpu.instances:
            yield "", f"instance {part.uuid}: {part.name}, {_memory(part.memory_total_bytes, part.memory_free_bytes)}"
    yield "docker", decision.docker.reason
    for one in decision.containers:
        seen = one.problem or f"sees {', '.join(one.uuids)}"
        yield "container", f"{one.container}: {seen}{', while the host has it' if one.is_lost else ''}"
    if not decision.containers:
        yield "containers", "none of this project runs with a GPU"
    for card, holder in survey.leases:
        size = "all of it" if holder.size_bytes is None else gibibytes(holder.size_bytes)
        since = local_time(holder.since)
        yield "lease", f"{holder.owner}: {size} of {card.uuid} since {since}, process {holder.pid} of {holder.user}"


def _card_words(gpu: Gpu) -> str:
    if gpu.problem:
        return f"cannot be used: {gpu.problem}"
    words = [gpu.name, gpu.uuid, _memory(gpu.memory_total_bytes, gpu.memory_free_bytes)]
    words += [f"compute capability {gpu.compute_capability}"] if gpu.compute_capability else []
    words += ["MIG is on"] if gpu.has_mig else []
    words += [f"process {one.pid} uses {gibibytes(one.used_bytes)}" for one in gpu.processes]
    return ", ".join(word for word in words if word)


def _memory(total_bytes: int | None, free_bytes: int | None) -> str:
    if total_bytes is None or free_bytes is None:
        return "memory unknown to the driver"
    return f"{gibibytes(free_bytes)} of {gibibytes(total_bytes)} free"
