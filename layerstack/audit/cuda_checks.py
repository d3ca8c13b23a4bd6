"""Checks of an image's CUDA: GPU code for the cards, one CUDA version, nothing built for the CPU only."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from layerstack.audit.elf_file import GpuCode
from layerstack.audit.gpu_libraries import CudaCopy, Library
from layerstack.audit.image_files import ImageFiles
from layerstack.audit.python_packages import Environment, Package
from layerstack.finding import Finding, error, warning
from layerstack.wording import listed, megabytes

# In torch/version.py: `cuda: Optional[str] = '12.1'`, `cuda = None` in a build for the CPU.
TORCH_CUDA = re.compile(rb"^cuda(?:\s*:[^=]+)?\s*=\s*(?:'([\d.]+)'|\"([\d.]+)\"|None)", re.MULTILINE)
# A second copy of a small library does no harm; copies of all of CUDA add up to gigabytes.
NOTABLE_BYTES = 100 * 10**6
SHOWN = 6


def torch_cuda(image: ImageFiles, environment: Environment) -> str | None:
    """The CUDA version that torch was built for, "" for a CPU build, None without torch."""
    if "torch" not in environment.packages:
        return None
    match = TORCH_CUDA.search(image.read(f"{environment.folder}/torch/version.py") or b"")
    return (match[1] or match[2] or b"").decode() if match else ""


def expects_gpu(image: ImageFiles, libraries: Iterable[Library], copies: Sequence[CudaCopy]) -> bool:
    """Whether the image is meant for a GPU: it contains CUDA or GPU code, or asks the runtime for a card."""
    variables = [str(one).partition("=")[0] for one in image.config.get("Env") or ()]
    # NVIDIA's CUDA images set these variables, and images built on them inherit them.
    asks = bool({"NVIDIA_VISIBLE_DEVICES", "NVIDIA_REQUIRE_CUDA", "CUDA_VERSION"} & set(variables))
    return asks or bool(copies) or any(library.facts.code for library in libraries)


def check_torch(environment: Environment, cuda: str | None) -> Iterator[Finding]:
    """A CPU build of torch in an image for a GPU."""
    if cuda == "":
        yield error(
            "cpu-only-torch",
            f"{environment.packages['torch'].label} is built without CUDA, in an image meant for a GPU",
            "Install the CUDA build: its wheels carry no `+cpu` in their version.",
        )


def check_extensions(environment: Environment, libraries: Mapping[str, Library]) -> Iterator[Finding]:
    """Distributions that extend a CUDA torch and were compiled without CUDA: they fail, or quietly use the CPU."""
    for package in environment.packages.values():
        own = [libraries[path] for path in package.files if path in libraries]
        extensions = [library for library in own if library.uses_torch]
        # One file with CUDA is enough: a package may keep its code for the CPU and for CUDA in separate files.
        if package.name == "torch" or not extensions or any(library.uses_cuda for library in own):
            continue
        names = ", ".join(library.name for library in extensions)
        yield error(
            "cpu-only-extension",
            f"{package.label}: {names} uses PyTorch and holds no GPU code",
            "Compile it in a -devel image with FORCE_CUDA=1 and TORCH_CUDA_ARCH_LIST set.",
        )


def check_cards(libraries: Iterable[Library], cards: Sequence[int]) -> Iterator[Finding]:
    """Files whose GPU code a card of these compute capabilities (86 for 8.6) cannot run."""
    for card in cards:
        lacking = [one for one in libraries if one.facts.code and not any(c.runs_on(card) for c in one.facts.code)]
        if lacking:
            shown = listed([f"{one.name} has {code_text(one.facts.code)}" for one in lacking], SHOWN, "; ")
            yield error(
                "missing-architecture",
                f"nothing that a card of {card // 10}.{card % 10} can run in {len(lacking)} files: {shown}",
                f"Compile with TORCH_CUDA_ARCH_LIST including {card // 10}.{card % 10}, or take newer wheels.",
            )


def check_unreadable(libraries: Iterable[Library]) -> Iterator[Finding]:
    """Shared objects that could not be read, so that their content is unknown."""
    broken = [f"{library.path} ({library.facts.problem})" for library in libraries if library.facts.problem]
    if broken:
        yield warning("unreadable", f"{len(broken)} damaged or unknown: {'; '.join(broken[:SHOWN])}", "")


def check_majors(copies: Sequence[CudaCopy], environments: Iterable[Environment]) -> Iterator[Finding]:
    """Two major versions of CUDA or of cuDNN side by side."""
    cudas = defaultdict(list)
    cudnns = defaultdict(list)
    for copy in copies:
        # Only cudart has CUDA's own version number: others have their own, such as libcufft.so.11 in CUDA 12.
        if copy.name == "cudart":
            cudas[copy.major].append(copy.path)
        elif copy.name == "cudnn":
            cudnns[copy.major].append(copy.path)
    for package in (package for environment in environments for package in environment.packages.values()):
        # nvidia-cudnn-cu12, the wheels that torch depends on
        if match := re.match(r"nvidia-.+-cu(\d+)$", package.name):
            cudas[int(match[1])].append(package.label)
    for name, majors in (("CUDA", cudas), ("cuDNN", cudnns)):
        if len(majors) > 1:
            shown = "; ".join(f"{major}: {sorted(where)[0]}" for major, where in sorted(majors.items()))
            yield error(
                "mixed-cuda",
                f"{name} of {len(majors)} major versions side by side, {shown}",
                "Take every package for one CUDA version: torch's own decides.",
            )


def check_needed(libraries: Iterable[Library], copies: Sequence[CudaCopy]) -> Iterator[Finding]:
    """Extensions that need a CUDA library which the image does not have in that version."""
    there = {(copy.name, copy.major) for copy in copies}
    missing: dict[str, list[str]] = defaultdict(list)
    for library in libraries:
        for needed in library.facts.needed:
            # Not libcuda, which belongs to the driver: the container gets it from the host. A name such as
            # libcudart-9335f6a2.so.12 does not match: a wheel that uses one contains the file.
            match = re.match(r"lib(cudart|cublas|cudnn|cufft|cusparse|cusolver|nvrtc)\.so\.(\d+)", needed)
            if match and (match[1], int(match[2])) not in there:
                missing[needed].append(library.path)
    for needed, users in sorted(missing.items()):
        yield error(
            "missing-cuda-library",
            f"{needed} is not in the image, and {len(users)} files need it: {users[0]}",
            "Install the packages of the CUDA version that they were compiled for.",
        )


def check_duplicates(copies: Sequence[CudaCopy]) -> Iterator[Finding]:
    """Libraries of CUDA that exist more than once, and the size of the additional copies."""
    by_name: dict[tuple[str, int], list[CudaCopy]] = defaultdict(list)
    for copy in copies:
        by_name[copy.name, copy.major].append(copy)
    # The largest copy of each is not counted: the sum is the least that is saved, whichever copy stays.
    extra = [copy for found in by_name.values() for copy in _without_largest(found)]
    weight = sum(copy.size_bytes for copy in extra)
    if weight >= NOTABLE_BYTES:
        twice = [copy for found in by_name.values() if len(found) > 1 for copy in found]
        folders = ", ".join(sorted({copy.path.rpartition("/")[0] for copy in twice})[:SHOWN])
        yield warning(
            "duplicate-cuda",
            f"{len(extra)} CUDA libraries exist twice, {megabytes(weight)}: in {folders}",
            "Torch's wheels bring their own: build on an image without CUDA (a plain Ubuntu, or nvidia/cuda's -base).",
        )


def code_text(code: Iterable[GpuCode]) -> str:
    return " ".join(one.text for one in sorted(code))


def package_code(libraries: Mapping[str, Library], package: Package) -> tuple[GpuCode, ...]:
    """All GPU code of a distribution, sorted."""
    return tuple(sorted({code for path in package.files if path in libraries for code in libraries[path].facts.code}))


def _without_largest(copies: Sequence[CudaCopy]) -> Sequence[CudaCopy]:
    return sorted(copies, key=lambda copy: copy.size_bytes)[:-1]
