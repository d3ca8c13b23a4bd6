"""Model weights in an image: gigabytes that move with every pull, and files that must not be given away."""

import re
import zipfile
from collections.abc import Iterator

from layerstack.audit.elf_file import holds
from layerstack.audit.image_files import ImageFiles, StoredFile
from layerstack.finding import Finding, error, warning

SUFFIXES = (".pth", ".pt", ".ckpt", ".safetensors", ".onnx", ".pb", ".tflite", ".h5", ".bin", ".pkl", ".npz", ".task")
WEIGHT_BYTES = 20 * 10**6
# A body model cannot be smaller: 6,890 vertices with 10 shapes are 1.6 MB as 64-bit numbers.
BODY_MODEL_BYTES = 10**6
MOST_BODY_MODEL_BYTES = 2 * 10**9
# The names of its arrays, which a pickle and an archive of arrays both spell out.
BODY_MODEL_MARKS = (b"v_template", b"shapedirs", b"posedirs", b"J_regressor")
BODY_MODEL_NAME = re.compile(
    r"(SMPL|SMPLX|SMPLH|MANO|basicmodel)_?(neutral|male|female|left|right).*\.(pkl|npz)$", re.I
)
MEGABYTE = 10**6
SHOWN = 6


def check_weights(image: ImageFiles) -> Iterator[Finding]:
    """Weights in any layer, also those that a later layer deletes; body models under their licence are errors."""
    files = [
        file for file in (*image.files.values(), *image.buried) if not file.target and file.name.endswith(SUFFIXES)
    ]
    licensed = [file for file in files if _is_body_model(file)]
    for file in licensed:
        yield error(
            "licensed-model",
            f"{_place(image, file)} is an SMPL body model: its licence forbids handing it on, image included",
            "Take it out of the build, build without the cache, and mount it from a volume.",
        )
    heavy = [file for file in files if file.size_bytes >= WEIGHT_BYTES and file not in licensed]
    if heavy:
        weight = sum(file.size_bytes for file in heavy) / MEGABYTE
        shown = "; ".join(_place(image, file) for file in sorted(heavy, key=lambda one: -one.size_bytes)[:SHOWN])
        yield warning(
            "weights", f"{weight:.0f} MB of model weights in the layers: {shown}", "Keep weights in a volume."
        )


def _is_body_model(file: StoredFile) -> bool:
    if not file.name.endswith((".pkl", ".npz")) or not BODY_MODEL_BYTES <= file.size_bytes <= MOST_BODY_MODEL_BYTES:
        return False
    if BODY_MODEL_NAME.search(file.name):
        return True
    with file.open() as stream:
        if file.name.endswith(".npz") and zipfile.is_zipfile(stream):
            stream.seek(0)
            names = " ".join(zipfile.ZipFile(stream).namelist()).encode()
            return all(mark in names for mark in BODY_MODEL_MARKS)
        return holds(stream, *BODY_MODEL_MARKS) == set(BODY_MODEL_MARKS)


def _place(image: ImageFiles, file: StoredFile) -> str:
    deleted = "" if image.files.get(file.path) == file else ", deleted or replaced later and still in the image"
    return f"/{file.path} ({file.size_bytes / MEGABYTE:.0f} MB, layer {file.layer + 1}{deleted})"
