"""`audit` reads images without an engine here: archives made of small ELF files and wheels."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tasks
from layerstack.audit import cuda_checks, weight_checks
from layerstack.audit.elf_file import GpuCode, read_elf
from layerstack.audit.image_audit import ImageAudit, audit_image, parse_cards
from layerstack.errors import UsageError
from tests.unit.elf_builder import cubin, shared_object
from tests.unit.saved_image import SITE, Files, wheel, write_image

CUDA_TORCH = b"__version__ = '2.3.1+cu121'\ncuda: Optional[str] = '12.1'\n"
CPU_TORCH = b"__version__ = '2.3.1+cpu'\ncuda: Optional[str] = None\n"
ALL_CARDS = [("sass", 70), ("sass", 75), ("sass", 80), ("sass", 86), ("sass", 89), ("sass", 90), ("ptx", 90)]
FOR_GPU = ("NVIDIA_VISIBLE_DEVICES=all",)
NUMPY_1 = b"\0numpy.core._multiarray_umath\0"
NUMPY_2 = b"\0numpy.core._multiarray_umath\0numpy._core._multiarray_umath\0"
BODY_MODEL = {name: bytes(500_000) for name in ("v_template", "shapedirs", "posedirs", "J_regressor")}

Audit = Callable[..., ImageAudit]


def torch(version: bytes = CUDA_TORCH) -> dict[str, bytes]:
    code = [] if version == CPU_TORCH else ALL_CARDS
    return wheel("torch", "2.3.1", {"torch/version.py": version, "torch/lib/libtorch_cuda.so": shared_object((), code)})


def extension(code: Sequence[tuple[str, int]] = ALL_CARDS, cudart: str = "") -> dict[str, bytes]:
    needed = ["libc10.so", "libtorch_cpu.so", *([cudart] if cudart else [])]
    return wheel("detectron2", "0.6", {"detectron2/_C.so": shared_object(needed, code)}, ["torch>=2"])


def cuda_runtime(major: int, folder: str = f"{SITE}/nvidia/cuda_runtime/lib") -> dict[str, bytes]:
    return {f"{folder}/libcudart.so.{major}": shared_object(data=bytes(1000))}


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Audit an image of these layers; names of checks come back with `checks_of`."""

    def run(*layers: Files, cards: str = "", environment: Sequence[str] = FOR_GPU, **how: Any) -> ImageAudit:
        path = write_image(tmp_path / "image.tar", layers, environment, **how)
        return audit_image(path, parse_cards(cards), licensed=[tasks.smpl()])

    return run


def checks_of(found: ImageAudit) -> list[str]:
    return [finding.check for finding in found.findings]


GOOD = {
    **torch(),
    **extension(cudart="libcudart.so.12"),
    **cuda_runtime(12),
    **wheel("numpy", "2.1.0"),
    **wheel("scipy", "1.14", {"scipy/fast.so": shared_object(data=NUMPY_2)}, ["numpy>=1.23"]),
}


@pytest.mark.parametrize("how", [{}, {"is_packed": True}, {"is_oci": True}])
def test_a_good_image_has_no_finding(audit: Audit, how: dict[str, bool]) -> None:
    found = audit(GOOD, cards="sm_70,sm_75,sm_80,sm_86,sm_89,sm_90,sm_120", **how)
    assert checks_of(found) == []
    assert (found.is_ok, found.torch_cuda) == (True, "12.1")
    assert {one.name: one.code[-1:] for one in found.packages}["detectron2"] == ("sm_90",)
    assert json.loads(json.dumps(found.to_json()))["layers"][0]["created_by"] == "RUN step 0"


@pytest.mark.parametrize(
    ("files", "cards", "check", "evidence"),
    [
        (torch(CPU_TORCH), "", "cpu-only-torch", "torch 2.3.1"),
        ({**torch(), **extension(code=())}, "", "cpu-only-extension", "detectron2 0.6: _C.so"),
        ({**torch(), **extension([("sass", 80)])}, "sm_75", "missing-architecture", "_C.so has sm_80"),
        ({**torch(), **extension([("ptx", 90)])}, "sm_89", "missing-architecture", "_C.so has compute_90"),
        ({**GOOD, **wheel("nvidia-cublas-cu11", "11.7")}, "", "mixed-cuda", "nvidia-cublas-cu11 11.7"),
        ({**GOOD, **cuda_runtime(11, "usr/local/cuda/lib64")}, "", "mixed-cuda", "11: usr/local/cuda"),
        ({**torch(), **extension(cudart="libcudart.so.11.0")}, "", "missing-cuda-library", "libcudart.so.11.0"),
        (
            {**wheel("numpy", "2.0.1"), **wheel("old", "1", {"old/fast.so": shared_object(data=NUMPY_1)})},
            "",
            "numpy-abi",
            "old 1",
        ),
        ({"models/any-name.pkl": pickle.dumps(BODY_MODEL)}, "", "licensed-model", "/models/any-name.pkl"),
        ({"models/SMPL_NEUTRAL.pkl": bytes(2_000_000)}, "", "licensed-model", "/models/SMPL_NEUTRAL.pkl"),
        (wheel("ours", "1", editable="app/ours"), "", "editable", "/app/ours, which is not in the image"),
    ],
)
def test_each_fault_is_an_error_with_its_evidence(
    audit: Audit, files: Files, cards: str, check: str, evidence: str
) -> None:
    found = audit(files, cards=cards)
    assert [(one.check, one.severity) for one in found.findings] == [(check, "error")]
    assert evidence in found.findings[0].detail
    assert found.findings[0].remedy
    assert not found.is_ok


@pytest.mark.parametrize(
    ("files", "check"),
    [
        (wheel("web", "1", requires=["flask>=3"]), "requirements"),
        ({**wheel("web", "1", requires=["flask>=3"]), **wheel("Flask", "2.0")}, "requirements"),
        ({**wheel("ours", "1", editable="app/ours"), "app/ours/x.py": b""}, "editable"),
        ({"models/hmr2.ckpt": bytes(20_000)}, "weights"),
        ({"models/llama.gguf": bytes(20_000)}, "weights"),
        (
            {
                f"{folder}/libcublas.so.12": bytes(20_000)
                for folder in ("usr/local/cuda-12.1/lib64", f"{SITE}/nvidia/cublas/lib")
            },
            "duplicate-cuda",
        ),
    ],
)
def test_lesser_faults_are_warnings(audit: Audit, files: Files, check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_checks, "NOTABLE_BYTES", 10_000)
    monkeypatch.setattr(weight_checks, "WEIGHT_BYTES", 10_000)
    found = audit(files)
    assert [(one.check, one.severity) for one in found.findings] == [(check, "warning")]
    assert found.is_ok


def test_requirements_that_do_not_apply_are_not_missing(audit: Audit) -> None:
    lines = ['colorama; sys_platform == "win32"', 'tests; extra == "dev"', 'zipp; python_version < "3.8"', "Flask~=3.0"]
    assert checks_of(audit({**wheel("web", "1", requires=lines), **wheel("flask", "3.1")})) == []


def test_requirements_are_judged_for_the_python_and_the_processor_of_the_image(audit: Audit) -> None:
    early = wheel("redis", "5", requires=['async-timeout>=4; python_full_version < "3.9.3"'])
    assert checks_of(audit(early)) == []
    assert "requirements" not in checks_of(audit(early, environment=["PYTHON_VERSION=3.9.19"]))
    assert "requirements" in checks_of(audit(early, environment=["PYTHON_VERSION=3.9.2"]))
    intel = wheel("solver", "2", requires=['mkl; platform_machine == "x86_64"'])
    assert checks_of(audit(intel, environment=(), architecture="arm64")) == []
    assert checks_of(audit(intel, environment=())) == ["requirements"]


@pytest.mark.parametrize("version", ["?", "2013b-final", "1.0-dev-ab12"])
def test_a_version_that_cannot_be_compared_is_no_conflict(audit: Audit, version: str) -> None:
    assert checks_of(audit({**wheel("web", "1", requires=["flask>=3"]), **wheel("flask", version)})) == []


def test_a_marker_that_nobody_understands_is_no_requirement(audit: Audit) -> None:
    assert checks_of(audit(wheel("web", "1", requires=['flask; platform_machine ~= "1"']))) == []


def test_an_editable_package_may_lie_in_a_folder_with_blanks(audit: Audit) -> None:
    (found,) = audit({**wheel("web", "1", editable="my app/src"), "my app/src/web.py": b""}).findings
    assert (found.check, found.severity) == ("editable", "warning")


@pytest.mark.parametrize(("file", "content"), [("direct_url.json", b"[]"), ("RECORD", b"web.py,,\n\0\n")])
def test_damaged_metadata_is_read_as_far_as_it_goes(audit: Audit, file: str, content: bytes) -> None:
    found = audit({**wheel("web", "1", {"web.py": b"x"}), f"{SITE}/web-1.dist-info/{file}": content})
    assert [one.name for one in found.packages] == ["web"]


def test_what_a_label_leaves_out_is_no_fault(audit: Audit) -> None:
    files = {**wheel("mediapipe", "1", requires=["jax>=0.4", "numpy"]), **wheel("web", "1", requires=["flask>=3"])}
    found = audit(files, labels={"io.layerstack.left-out": "Jax numpy"})
    assert [(one.check, one.severity) for one in found.findings] == [
        ("requirements", "ok"),
        ("requirements", "warning"),
    ]
    assert "jax, numpy" in found.findings[0].detail
    assert "flask" in found.findings[1].detail
    assert "jax" not in found.findings[1].detail


def test_a_cpu_build_is_no_fault_where_no_gpu_is_meant(audit: Audit) -> None:
    assert checks_of(audit(torch(CPU_TORCH), environment=())) == []


def test_a_deleted_model_is_still_in_the_image(audit: Audit) -> None:
    model = {"models/model.pkl": pickle.dumps(BODY_MODEL)}
    found = audit(model, {"models/.wh.model.pkl": b""})
    assert checks_of(found) == ["licensed-model"]
    assert "layer 1, deleted or replaced later and still in the image" in found.findings[0].detail


def test_a_body_model_among_arrays_is_found(audit: Audit) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in BODY_MODEL.items():
            archive.writestr(f"{name}.npy", content)
    assert checks_of(audit({"data/shape.npz": stream.getvalue()})) == ["licensed-model"]


def test_a_damaged_library_is_named_and_the_rest_is_read(audit: Audit) -> None:
    found = audit({"usr/lib/broken.so": b"\x7fELF then nothing", **torch(CPU_TORCH)})
    assert checks_of(found) == ["cpu-only-torch", "unreadable"]


def test_what_is_no_image_is_told(tmp_path: Path) -> None:
    path = tmp_path / "notes.tar"
    path.write_text("hello")
    with pytest.raises(UsageError, match="docker save"):
        audit_image(str(path))


def test_unknown_checks_and_cards_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mixed-kuda"):
        audit_image("any", ignored=["mixed-kuda"])
    assert parse_cards(" sm_89, 7.5") == (75, 89)
    with pytest.raises(UsageError, match="--cards"):
        parse_cards("rtx4090")


def test_code_without_a_function_counts_as_none() -> None:
    empty, real = cubin(".nv.callgraph"), cubin(".text.kernel")
    assert read_elf(io.BytesIO(shared_object(code=[("sass", 52)], payload=empty))).code == frozenset()
    assert read_elf(io.BytesIO(shared_object(code=[("sass", 52)], payload=real))).code == {GpuCode(52, "sass")}


PIECES = st.lists(st.tuples(st.sampled_from(["sass", "ptx"]), st.sampled_from([52, 70, 75, 80, 86, 90, 120])))


@given(code=PIECES, needed=st.lists(st.sampled_from(["libc.so.6", "libcudart.so.12", "libtorch.so"]), unique=True))
def test_every_piece_of_gpu_code_and_every_needed_library_is_read(
    code: list[tuple[str, int]], needed: list[str]
) -> None:
    facts = read_elf(io.BytesIO(shared_object(needed, code, payload=b"x" * (len(code) * 37 + 1))))
    assert facts.problem == ""
    assert list(facts.needed) == needed
    assert {(one.kind, one.architecture) for one in facts.code} == set(code)


@pytest.mark.parametrize(
    ("kind", "architecture", "card", "runs"),
    [
        ("sass", 80, 86, True),
        ("sass", 86, 80, False),
        ("sass", 80, 90, False),
        ("ptx", 80, 120, True),
        ("ptx", 90, 89, False),
        ("sass", 120, 120, True),
        ("sass", 100, 103, True),
    ],
)
def test_what_code_runs_on_which_card(kind: str, architecture: int, card: int, runs: bool) -> None:
    assert GpuCode(architecture, kind).runs_on(card) is runs  # type: ignore[arg-type]
