"""The shared objects of an image and their use of CUDA."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from layerstack.audit.elf_file import ElfFacts, is_elf, read_elf
from layerstack.audit.image_files import ImageFiles, StoredFile

# `libtorch_cuda.so`, `libcudart.so.12`
SHARED_OBJECT = re.compile(r"\.so(\.\d+)*$")
# libcublas.so.12, libcudart-9335f6a2.so.12 (as auditwheel renames it), libcudnn_ops_infer.so.8
CUDA_LIBRARY = re.compile(
    r"^lib(?P<name>cudart|cublas|cublasLt|cudnn\w*|cufft|curand|cusolver|cusparse|nccl|nvrtc|nvJitLink|npp\w+|cupti)"
    r"(?:-[0-9a-f]{8})?\.so\.(?P<major>\d+)"
)


@dataclass(frozen=True)
class Library:
    """One shared object of an image."""

    path: str
    facts: ElfFacts

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def uses_torch(self) -> bool:
        return any(needed.startswith(("libtorch", "libc10")) for needed in self.facts.needed)

    @property
    def uses_cuda(self) -> bool:
        """Whether it contains GPU code or needs a library of CUDA."""
        words = ("cuda", "cublas", "cudnn", "nvrtc")
        return bool(self.facts.code) or any(word in needed for needed in self.facts.needed for word in words)


@dataclass(frozen=True)
class CudaCopy:
    """One copy of a library of CUDA: `major` is the version in its soname."""

    name: str
    major: int
    path: str
    size_bytes: int


def read_libraries(image: ImageFiles) -> tuple[Library, ...]:
    """Every shared object a container sees, links left out."""
    candidates = [file for file in image.files.values() if not file.target and SHARED_OBJECT.search(file.name)]
    # Archives share one position in one file: they can only be read one after the other.
    return tuple(library for file in candidates if (library := _read(file)))


def cuda_copies(image: ImageFiles) -> tuple[CudaCopy, ...]:
    """Every copy of the libraries of CUDA and cuDNN, by path."""
    return tuple(sorted(_copies(image.files.values()), key=lambda copy: copy.path))


def _copies(files: Iterable[StoredFile]) -> Iterator[CudaCopy]:
    for file in files:
        match = CUDA_LIBRARY.match(file.name)
        # Stubs of a -devel image are for the linker only: no program loads them.
        if match and not file.target and "/stubs/" not in file.path:
            yield CudaCopy(match["name"], int(match["major"]), file.path, file.size_bytes)


def _read(file: StoredFile) -> Library | None:
    # A `.so` may also be a linker script, which is text.
    with file.open() as stream:
        return Library(file.path, read_elf(stream)) if is_elf(stream) else None
