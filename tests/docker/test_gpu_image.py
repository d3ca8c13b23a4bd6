"""The GPU image's Dockerfile, all of it, on a Debian root and tiny sources: its stages, its cache, its assertions.

What this does not prove stands in docs/gpu.md: no CUDA compiler, no PyTorch and no GPU has part in it.
"""

import os
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tiny_sources import write_contexts

from layerstack import command
from layerstack.audit.image_audit import audit_image
from layerstack.build.impact import find_impact
from layerstack.project import project

pytestmark = [pytest.mark.docker, pytest.mark.long]

ROOT = Path(__file__).parents[2]
CARDS = "8.0;9.0+PTX"
COMPILED = ("detectron2-wheel", "pytorch3d-wheel", "nmr-wheel")


@dataclass
class TinyImage:
    """Builds the GPU image from the contexts in `folder`."""

    folder: Path
    contexts: dict[str, Path]
    tag: str
    debian: str

    def build(self, *options: str) -> command.CommandResult:
        argv = ["docker", "buildx", "build", "--progress", "plain", "--target", "gpu", "--tag", self.tag, "--load"]
        for name in ("CUDA_DEVEL_IMAGE", "CUDA_RUNTIME_IMAGE"):
            argv += ["--build-arg", f"{name}={self.debian}"]
        argv += ["--build-arg", f"TORCH_CUDA_ARCH_LIST={CARDS}"]
        for name, place in self.contexts.items():
            argv += ["--build-context", f"{name}={place}"]
        return command.run((*argv, *options, str(ROOT / "docker/base-python-pose")), timeout_seconds=900)

    def edit(self, name: str, change: Callable[[str], str]) -> None:
        path = self.folder / name
        path.write_text(change(path.read_text()) if path.exists() else change(""))


@pytest.fixture(scope="module")
def tag(engine_client: Any) -> Iterator[str]:
    name = f"layerstack-test/gpu-image-{os.getpid()}"
    yield name
    engine_client.images.remove(name, force=True)


@pytest.fixture
def tiny(tag: str, tmp_path: Path) -> TinyImage:
    loaded = project.load(ROOT, "cpu")
    debian = loaded.image("base-python").args["PYTHON_IMAGE"]
    return TinyImage(tmp_path, write_contexts(tmp_path), tag, debian)


@pytest.fixture
def built(tiny: TinyImage) -> TinyImage:
    """The image from unchanged sources; all but the first time from BuildKit's cache."""
    tiny.build().require()
    return tiny


def ran(result: command.CommandResult) -> set[str]:
    """The stages of which a step was not cached."""
    names = dict(re.findall(r"^#(\d+) \[(\S+) +\d+/\d+\] (?!FROM)", result.stderr, re.MULTILINE))
    cached = set(re.findall(r"^#(\d+) CACHED$", result.stderr, re.MULTILINE))
    return {name for number, name in names.items() if number not in cached}


def never_seen(text: str) -> str:
    """The text with a comment that no build has seen before."""
    return f"{text}\n# {uuid.uuid4()}\n"


def test_it_runs_as_nobody_special_with_its_models_in_a_volume(built: TinyImage, engine_client: Any) -> None:
    config = engine_client.api.inspect_image(built.tag)["Config"]
    environment = dict(pair.split("=", 1) for pair in config["Env"])
    assert config["User"] == "app"
    assert (environment["HOME"], environment["PYTHONBREAKPOINT"]) == ("/models", "0")
    assert "graphics" in environment["NVIDIA_DRIVER_CAPABILITIES"]
    look = ("docker", "run", "--rm", built.tag, "sh", "-c", "stat -c '%U %a' /models; ls -A /models")
    assert command.run(look).require().stdout.split("\n") == ["app 755", ""]


def test_the_whole_lock_resolves_for_this_python_with_its_hashes(built: TinyImage) -> None:
    install = "uv pip install --dry-run --no-deps --require-hashes --target /tmp/none --requirement"
    (built.folder / "Dockerfile").write_text(
        f"FROM {built.tag}\nUSER root\n"
        "RUN --mount=type=cache,target=/var/cache/uv --mount=type=bind,from=requirements,target=/locks "
        f"{install} /locks/pose-base-gpu.txt --build-constraints /locks/pose-build.txt\n"
    )
    locks = f"requirements={ROOT / 'requirements'}"
    argv = (
        "docker",
        "buildx",
        "build",
        "--progress",
        "plain",
        "--no-cache",
        "--build-context",
        locks,
        str(built.folder),
    )
    result = command.run(argv, timeout_seconds=600).require()
    assert re.search(r"Would install 13\d packages", result.stderr), result.stderr[-2000:]


def test_audit_reads_what_was_compiled(built: TinyImage) -> None:
    good, poor = audit_image(built.tag, cards=(80, 90)), audit_image(built.tag, cards=(75,))
    assert "missing-architecture" not in {one.check for one in good.findings}
    assert "missing-architecture" in {one.check for one in poor.findings if one.severity == "error"}


def test_another_pin_compiles_nothing(built: TinyImage) -> None:
    built.edit("requirements/pose-base-gpu.txt", never_seen)
    again = ran(built.build().require())
    assert "venv" in again
    assert not again & {*COMPILED, "python-wheels", "torch", "compiler"}


def test_another_extension_installs_no_lock(built: TinyImage) -> None:
    built.edit("nmr-src/neural_renderer/__init__.py", never_seen)
    result = built.build().require()
    assert ran(result) == {"nmr-wheel", "wheels", "gpu"}
    (copied,) = re.findall(r"^#(\d+) \[gpu +\d+/\d+\] COPY --from=venv", result.stderr, re.MULTILINE)
    assert f"#{copied} CACHED" in result.stderr


def test_other_cards_compile_again_and_install_nothing(built: TinyImage) -> None:
    for source in ("detectron2-src", "pytorch3d-src", "nmr-src"):
        built.edit(f"{source}/setup.py", never_seen)
    assert ran(built.build().require()) >= set(COMPILED)
    again = ran(built.build("--build-arg", "TORCH_CUDA_ARCH_LIST=8.6").require())
    assert again >= set(COMPILED)
    assert not again & {"venv", "torch", "python-wheels"}


NO_CODE = "detectron2-src/setup.py", lambda text: text.replace('== "1"', '== "never"')
ONE_CARD = "pytorch3d-src/setup.py", lambda text: text.replace('.split(";")', '.split(";")[:1]')
NO_EXTENSION = "nmr-src/setup.py", lambda text: re.sub(r"ext_modules=.*\]", "ext_modules=[]", text)
OLD_CUDA = "chumpy-src/torch/__init__.py", lambda text: text.replace("12.1", "11.8")
OTHER_NUMPY = (
    "chumpy-src/torch/__init__.py",
    lambda text: text.replace("return numpy.asarray(array)", "raise RuntimeError('Numpy is not available')"),
)
NO_MODULE = "phalp-src/setup.py", lambda text: text.replace("find_packages()", "['phalp']")
SMPL = "phalp-src/phalp/SMPL_NEUTRAL.pkl", lambda _: "model"
WEIGHTS = "humans4d-src/hmr2/models/epoch.ckpt", lambda _: "x" * 3_000_000
FAULTS = {
    "an extension without GPU code": (NO_CODE, "detectron2/_C.* MISSING .*sass_80"),
    "a card is missing": (ONE_CARD, "pytorch3d/_C.* MISSING ptx_90 sass_90"),
    "no extension at all": (NO_EXTENSION, "neural_renderer: NO EXTENSION"),
    "another CUDA": (OLD_CUDA, r"PyTorch is built for CUDA 11\.8"),
    "another NumPy": (OTHER_NUMPY, "Numpy is not available"),
    "a module is missing": (NO_MODULE, r"No module named 'phalp\.configs'"),
    "a licensed model": (SMPL, "SMPL_NEUTRAL.pkl: the licence"),
    "weights": (WEIGHTS, "epoch.ckpt: 3000000 bytes of weights"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_image_is_not_built(built: TinyImage, name: str) -> None:
    (file, change), said = FAULTS[name]
    built.edit(file, change)
    result = built.build()
    assert not result.ok
    assert re.search(said, result.stderr), result.stderr[-2000:]


def test_two_cuda_versions_are_not_built(built: TinyImage) -> None:
    for place in ("chumpy-src/torch/libcudart.so.12", "phalp-src/phalp/libcudart.so.11.0"):
        built.edit(place, lambda _: "library")
    result = built.build()
    assert not result.ok
    assert "libcudart of several versions" in result.stderr


IMPACT = {
    "requirements/pose-base-gpu.txt": {"venv", "gpu"},
    "requirements/pose-compile.txt": {
        *("torch", "venv", "build-tools", "compiler", *COMPILED, "python-wheels", "wheels", "gpu")
    },
    "requirements/pose-build.txt": {
        *("venv", "build-tools", "compiler", *COMPILED, "python-wheels", "wheels", "gpu"),
    },
    "docker/base-python-pose/checks/check_imports.py": {"gpu"},
    "docker/base-python-pose/10_nvidia.json": {"gpu"},
    "requirements/pose-base-cpu.txt": set(),
}


@pytest.mark.parametrize("file", IMPACT)
def test_impact_names_the_stages_that_a_file_reaches(file: str) -> None:
    loaded = project.load(ROOT, "gpu")
    (found,) = find_impact(loaded, [ROOT / file])
    base = next((one for one in found.images if one.image == "base-python-pose"), None)
    stages = {step.step.split(" ", 1)[0] for step in base.steps} if base else set()
    assert stages == IMPACT[file]
