"""Git sources and locks for the GPU image that build in seconds: the same file names and build interface, nothing else.

Their extensions are C with the section that nvcc writes, for the architectures that TORCH_CUDA_ARCH_LIST asks for when
FORCE_CUDA is set. What the real lock takes gigabytes for (PyTorch, OpenCV, …) is a few lines in `chumpy-src`.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCKS = {
    "pose-compile.txt": ("numpy", "packaging", "setuptools", "wheel"),
    "pose-base-gpu.txt": ("numpy", "packaging", "setuptools", "six", "wheel"),
}
EXTENSION = """
import os, struct
from setuptools import Extension, find_packages, setup

def container(kind, number):
    payload = b"code" * 16
    entry = struct.pack("<HHIQIIII", kind, 0x101, 64, len(payload), 0, 0, 0, number).ljust(64, b"\\0") + payload
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(entry)) + entry

code = b""
if os.environ.get("FORCE_CUDA") == "1":
    for item in os.environ["TORCH_CUDA_ARCH_LIST"].split(";"):
        number = int(item.replace("+PTX", "").replace(".", ""))
        code += container(2, number) + (container(1, number) if "+PTX" in item else b"")
numbers = ",".join(map(str, code))
section = '__attribute__((section(".nv_fatbin"), used)) static const unsigned char code[] = {' + numbers + "};"
with open("code.h", "w") as stream:
    stream.write(section if code else "")
setup(name="@NAME@", version="0.1", packages=find_packages(),
      ext_modules=[Extension("@MODULE@", ["@FILE@"], include_dirs=["."], extra_compile_args=@FLAGS@)])
"""
SOURCE = """
#include <Python.h>
#include "code.h"
@GUARD@
static PyObject *version(PyObject *self, PyObject *none) { return PyUnicode_FromString("CUDA 12.1"); }
static PyObject *yes(PyObject *self, PyObject *none) { Py_RETURN_TRUE; }
static PyMethodDef methods[] = {{"get_cuda_version", version, METH_NOARGS, ""}, {"has_cuda", yes, METH_NOARGS, ""},
    {"knn_points_idx", yes, METH_NOARGS, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "@LAST@", "", -1, methods};
PyMODINIT_FUNC PyInit_@LAST@(void) { return PyModule_Create(&module); }
"""
# Fails when C++14 is asked for, as PyTorch 2.3 does.
CPP17 = '#if __cplusplus < 201703L\n#error "C++17 or later compatible compiler is required to use PyTorch."\n#endif'
PLAIN = """
from setuptools import find_packages, setup
setup(name="{name}", version="0.1", packages=find_packages(), package_data={{"": ["*"]}})
"""
# Python 3.9 evaluates this annotation unless told not to.
ANNOTATED = "def read(image: str | list):\n    return image\n"
TORCH = """
import numpy
class version:
    cuda = "12.1"
def from_numpy(array):
    return numpy.asarray(array)
"""
HEAVY = (
    "torchvision",
    "torchaudio",
    "smplx",
    "pyrender",
    "cv2",
    "pandas",
    "pycocotools/mask",
    "scipy/sparse",
    "skimage/transform",
    "sklearn/linear_model",
    "mediapipe/python/solutions/pose",
)


def write_contexts(folder: Path) -> dict[str, Path]:
    """Named contexts of the GPU image → their folders, `requirements` too."""
    contexts = {**_compiled(), **_plain()}
    for name, files in contexts.items():
        for path, text in files.items():
            target = folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    return {name: folder / name for name in contexts}


def _compiled() -> dict[str, dict[str, str]]:
    """Packages with an extension that CUDA's compiler makes."""
    return {
        "detectron2-src": {
            **_extension("detectron2", "detectron2._C", "vision.c"),
            "detectron2/model_zoo/__init__.py": "import pkg_resources\n",
            "detectron2/modeling/__init__.py": "",
            "detectron2/modeling/backbone/__init__.py": "",
            "detectron2/modeling/backbone/vit.py": "",
        },
        "pytorch3d-src": {
            **_extension("pytorch3d", "pytorch3d._C", "ext.cpp", ["-std=c++14"], CPP17),
            "pytorch3d/ops/__init__.py": "from pytorch3d import _C\n",
        },
        "nmr-src": {
            **_extension("neural_renderer", "neural_renderer.cuda.rasterize", "rasterize.c"),
            "neural_renderer/cuda/__init__.py": "from neural_renderer.cuda import rasterize\n",
        },
    }


def _plain() -> dict[str, dict[str, str]]:
    return {
        "humans4d-src": {
            "setup.py": PLAIN.format(name="hmr2"),
            "hmr2/__init__.py": "",
            "hmr2/models/__init__.py": "import numpy, pyrender, torch\n",
            "hmr2/datasets/__init__.py": "",
            "hmr2/datasets/utils.py": ANNOTATED,
            "hmr2/datasets/image_dataset.py": ANNOTATED,
            "hmr2/datasets/vitdet_dataset.py": "from hmr2.datasets import image_dataset, utils\n",
        },
        "phalp-src": {
            "setup.py": PLAIN.format(name="phalp"),
            "phalp/__init__.py": "",
            "phalp/configs/__init__.py": "",
            "phalp/configs/base.py": "",
            "phalp/trackers/__init__.py": "",
            "phalp/trackers/PHALP.py": "from hmr2.datasets import utils\n",
        },
        "chumpy-src": {
            # As the real one: it cannot be built without pip.
            "setup.py": "import pip\n" + PLAIN.format(name="chumpy"),
            "chumpy/__init__.py": "",
            "torch/__init__.py": TORCH,
            **{name: "" for heavy in HEAVY for name in _packages(heavy)},
        },
        "requirements": {
            **{name: _part_of(name, wanted) for name, wanted in LOCKS.items()},
            "pose-build.txt": (ROOT / "requirements/pose-build.txt").read_text(),
        },
    }


def _extension(name: str, module: str, file: str, flags: list[str] | None = None, guard: str = "") -> dict[str, str]:
    values = {"@NAME@": name, "@MODULE@": module, "@FILE@": file, "@FLAGS@": repr(flags or [])}
    source = {"@GUARD@": guard, "@LAST@": module.rpartition(".")[2]}
    return {
        "setup.py": _filled(EXTENSION, values),
        file: _filled(SOURCE, source),
        f"{name}/__init__.py": "",
    }


def _filled(text: str, values: dict[str, str]) -> str:
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text


def _packages(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join([*parts[: index + 1], "__init__.py"]) for index in range(len(parts))]


def _part_of(lock: str, names: tuple[str, ...]) -> str:
    """The real pins and hashes of a few packages."""
    text = (ROOT / "requirements" / lock).read_text()
    return "".join(re.findall(rf"^(?:{'|'.join(names)})==.*\n(?:    --hash.*\n)+", text, re.MULTILINE))
