"""Inspects an image without starting it: CUDA code, package conflicts, model weights, end of life, size."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerstack.audit import cuda_checks, package_checks, runtime_checks
from layerstack.audit.gpu_libraries import Library, cuda_copies, read_libraries
from layerstack.audit.image_files import ImageFiles, LayerFacts, open_image
from layerstack.audit.python_packages import Environment, find_environments
from layerstack.audit.weight_checks import LicensedModel, check_weights
from layerstack.errors import StackError, UsageError
from layerstack.finding import Finding, has_errors

CHECKS = (
    *("cpu-only-torch", "cpu-only-extension", "missing-architecture", "mixed-cuda", "missing-cuda-library"),
    *("duplicate-cuda", "unreadable", "requirements", "numpy-abi", "editable", "licensed-model", "weights"),
    runtime_checks.CHECK,
)


@dataclass(frozen=True)
class PackageFacts:
    """One installed distribution; `code` are its GPU architectures, such as sm_80."""

    name: str
    version: str
    size_bytes: int
    code: tuple[str, ...]


@dataclass(frozen=True)
class ImageAudit:
    """The findings for one image. `torch_cuda` is "" for a CPU build, None without torch; `cards` as in 86 for 8.6."""

    image: str
    seconds: float
    torch_cuda: str | None
    cards: tuple[int, ...]
    findings: tuple[Finding, ...]
    ignored: tuple[Finding, ...]
    packages: tuple[PackageFacts, ...]
    layers: tuple[LayerFacts, ...]

    @property
    def is_ok(self) -> bool:
        return not has_errors(self.findings)

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": self.is_ok,
            "image": self.image,
            "seconds": round(self.seconds, 3),
            "torch_cuda": self.torch_cuda,
            "cards": [f"sm_{card}" for card in self.cards],
            "findings": [finding.to_json() for finding in self.findings],
            "ignored": [finding.to_json() for finding in self.ignored],
            "packages": [vars(package) | {"code": list(package.code)} for package in self.packages],
            "layers": [vars(layer) for layer in self.layers],
        }


def audit_image(
    reference: str,
    cards: Sequence[int] = (),
    ignored: Sequence[str] = (),
    licensed: Sequence[LicensedModel] = (),
) -> ImageAudit:
    """Read an image of the engine, or a file that `docker save` wrote, and judge it for these compute capabilities.

    `licensed` describes the models that it must not hold. Raises UsageError for an unknown image or check name, and
    CommandFailed.
    """
    if unknown := sorted(set(ignored) - set(CHECKS)):
        raise UsageError(f"There is no check {', '.join(unknown)}.", f"The checks: {', '.join(CHECKS)}.")
    started = time.monotonic()
    with open_image(reference) as image:
        environments = find_environments(image)
        libraries = {library.path: library for library in read_libraries(image)}
        # All checks end within this block: files of an image can be read only while it is open.
        weights = tuple(check_weights(image, licensed))
        findings = (*weights, *_findings(image, environments, libraries, cards))
        cudas = [cuda_checks.torch_cuda(image, environment) for environment in environments]
        packages = tuple(sorted(_packages(environments, libraries), key=lambda one: -one.size_bytes))
        return ImageAudit(
            image=reference,
            seconds=time.monotonic() - started,
            # The environments come in the order of their size: the largest one with PyTorch counts.
            torch_cuda=next((cuda for cuda in cudas if cuda is not None), None),
            cards=tuple(cards),
            findings=tuple(one for one in findings if one.check not in ignored),
            ignored=tuple(one for one in findings if one.check in ignored),
            packages=packages,
            layers=image.layers,
        )


def reference_of(folder: Path, name: str) -> str:
    """The tag of an image or service of the project around this folder; any other name is returned unchanged."""
    from layerstack.project.project import find_root, load

    if (folder / name).is_file():
        return str(folder / name)
    try:
        project = load(find_root(folder), "cpu")
        return project.image(name).tag
    except StackError:
        return name


def parse_cards(text: str) -> tuple[int, ...]:
    """`sm_75,sm_89` or `7.5,8.9` to (75, 89). Raises UsageError."""
    words = [word.strip().lower().removeprefix("sm_").replace(".", "") for word in text.split(",") if word.strip()]
    if any(not word.isdigit() or not 20 <= int(word) < 1000 for word in words):
        raise UsageError(f"--cards does not understand `{text}`.", "For example: --cards sm_75,sm_89")
    return tuple(sorted({int(word) for word in words}))


def host_cards() -> tuple[int, ...]:
    """The compute capabilities of this machine's cards; () without a driver."""
    from layerstack.gpu.nvml import read_host

    host = read_host()
    capabilities = [device.compute_capability for device in host.devices] if host else []
    return tuple(sorted({int(one.replace(".", "")) for one in capabilities if one}))


def _findings(
    image: ImageFiles, environments: Sequence[Environment], libraries: Mapping[str, Library], cards: Sequence[int]
) -> Iterator[Finding]:
    copies = cuda_copies(image)
    is_for_gpu = bool(cards) or cuda_checks.expects_gpu(image, libraries.values(), copies)
    for environment in environments:
        cuda = cuda_checks.torch_cuda(image, environment)
        if is_for_gpu:
            yield from cuda_checks.check_torch(environment, cuda)
        # On PyTorch for the CPU no extension can have CUDA code: the finding on PyTorch says it already.
        if is_for_gpu and cuda != "":
            yield from cuda_checks.check_extensions(environment, libraries)
        yield from package_checks.check_numpy(image, environment)
        yield from package_checks.check_editable(image, environment)
    yield from cuda_checks.check_cards(libraries.values(), cards)
    yield from cuda_checks.check_majors(copies, environments)
    yield from cuda_checks.check_needed(libraries.values(), copies)
    yield from cuda_checks.check_duplicates(copies)
    yield from cuda_checks.check_unreadable(libraries.values())
    yield from runtime_checks.check_end_of_life(image)
    for environment in environments:
        yield from package_checks.check_requirements(image, environment)


def _packages(environments: Sequence[Environment], libraries: Mapping[str, Library]) -> Iterator[PackageFacts]:
    for environment in environments:
        for package in environment.packages.values():
            code = tuple(one.text for one in cuda_checks.package_code(libraries, package))
            yield PackageFacts(package.name, package.version, package.size_bytes, code)
