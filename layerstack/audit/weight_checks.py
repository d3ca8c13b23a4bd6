"""Model weights in an image: gigabytes in every pull, and files whose licence forbids passing them on."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layerstack import model_file
from layerstack.audit.elf_file import holds
from layerstack.audit.image_files import ImageFiles, StoredFile
from layerstack.finding import Finding, error, warning
from layerstack.wording import megabytes

# Small files with these endings are often something else.
WEIGHT_BYTES = 20 * 10**6
SHOWN = 6


@dataclass(frozen=True)
class LicensedModel:
    """A kind of file whose licence forbids passing it on, described by the project that uses it.

    A file matches by suffix and size, and either by its name or by containing all `marks`: names of arrays, which a
    pickle and an archive of arrays both contain as plain text.
    """

    what: str
    suffixes: tuple[str, ...]
    name: re.Pattern[str]
    marks: tuple[bytes, ...]
    least_bytes: int
    most_bytes: int

    def is_met_by(self, file: StoredFile) -> bool:
        """Reads the file only when its name does not match."""
        if not file.name.endswith(self.suffixes) or not self.least_bytes <= file.size_bytes <= self.most_bytes:
            return False
        if self.name.search(file.name):
            return True
        with file.open() as stream:
            # The directory of the archive has the names: the arrays themselves need not be read.
            if file.name.endswith(".npz") and zipfile.is_zipfile(stream):
                stream.seek(0)
                names = " ".join(zipfile.ZipFile(stream).namelist()).encode()
                return all(mark in names for mark in self.marks)
            return holds(stream, *self.marks) == set(self.marks)


def check_weights(image: ImageFiles, licensed: Sequence[LicensedModel] = ()) -> Iterator[Finding]:
    """Weights in any layer, also those that a later layer deletes; licensed models are errors."""
    every = (file for file in (*image.files.values(), *image.buried) if not file.target)
    files = [file for file in every if file.name.endswith(model_file.ENDINGS)]
    forbidden: list[StoredFile] = []
    for model in licensed:
        for file in filter(model.is_met_by, files):
            forbidden.append(file)
            yield error(
                "licensed-model",
                f"{_place(image, file)} is {model.what}: its licence forbids passing it on, in an image too",
                "Take it out of the build, build without the cache, and mount it from a volume.",
            )
    # A licensed model is reported as an error already.
    heavy = [file for file in files if file.size_bytes >= WEIGHT_BYTES and file not in forbidden]
    if heavy:
        weight = megabytes(sum(file.size_bytes for file in heavy))
        shown = "; ".join(_place(image, file) for file in sorted(heavy, key=lambda one: -one.size_bytes)[:SHOWN])
        yield warning("weights", f"{weight} of model weights in the layers: {shown}", "Keep weights in a volume.")


def _place(image: ImageFiles, file: StoredFile) -> str:
    deleted = "" if image.files.get(file.path) == file else ", deleted or replaced later and still in the image"
    return f"/{file.path} ({megabytes(file.size_bytes)}, layer {file.layer + 1}{deleted})"
