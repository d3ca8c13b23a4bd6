"""The door to PHALP against a FAKE of it (fake_hmr2): what is overridden, what is read, what becomes of its errors."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fake_hmr2.phalp import make_phalp

from pose_service.engines.hmr2.phalp import Phalp, Stopped, TrackingError


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number:06d}.jpg").write_bytes(b"")
    return folder


def load(monkeypatch: pytest.MonkeyPatch, fails: str = "", use: str = "hmr2") -> Phalp:
    for name, module in make_phalp(fails).items():
        monkeypatch.setitem(sys.modules, name, module)
    return Phalp("the body model", use)


def test_it_follows_without_network_display_or_the_old_model(monkeypatch: pytest.MonkeyPatch, pictures: Path) -> None:
    calls: list[None] = []
    found = load(monkeypatch).track(pictures, pictures.parent / "output", lambda: calls.append(None))
    assert [Path(path).name for path in found] == ["000000.jpg", "000001.jpg", "000002.jpg"]
    assert len(calls) == 3
    # The boxes of the detector, and those that the model was trained with.
    first = next(iter(found.values()))
    assert (first["boxes"].tolist(), first["padded"].tolist()) == ([[10, 10, 20, 40]], [[11, 11, 21, 41]])


@pytest.mark.parametrize(("use", "detector"), [("hmr2", "vitdet"), ("hmr2-light", "maskrcnn")])
def test_the_settings_are_ours(monkeypatch: pytest.MonkeyPatch, use: str, detector: str) -> None:
    config = load(monkeypatch, use=use)._tracker.cfg
    assert (config.phalp.detector, config.render.enable, config.overwrite) == (detector, False, True)
    assert (config.phalp.small_w, config.phalp.small_h, config.phalp.low_th_c) == (20, 40, 0.6)


def test_posture_comes_from_hmr2_and_appearance_from_the_old_model(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    predictor = load(monkeypatch)._tracker.HMAR
    predictor.model = lambda batch: {"pred_smpl_params": batch["img"].shape, "pred_cam": batch["mask"].max()}
    images = np.full((2, 4, 256, 256), 3.0)
    seen = predictor.forward(images)
    assert seen["uv_vector"] is images
    assert (seen["pose_smpl"], seen["pred_cam"]) == ((2, 3, 256, 256), 1.0)


def test_what_it_swallows_is_raised(monkeypatch: pytest.MonkeyPatch, pictures: Path) -> None:
    with pytest.raises(TrackingError, match=r"RuntimeError: CUDA out of memory\."):
        load(monkeypatch, "CUDA out of memory.").track(pictures, pictures, lambda: None)


def test_stopping_is_not_swallowed(monkeypatch: pytest.MonkeyPatch, pictures: Path) -> None:
    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        load(monkeypatch).track(pictures, pictures, stop)


def test_nothing_is_printed(
    monkeypatch: pytest.MonkeyPatch, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load(monkeypatch).track(pictures, pictures, lambda: None)
    assert capsys.readouterr().out == ""
