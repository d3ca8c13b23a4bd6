"""What is said of an image as a whole, from its steps and their causes."""

from dataclasses import replace
from pathlib import Path

from image_folder import ImageFolder

from layerstack.build.bake import BakeCall
from layerstack.build.buildlog import EMPTY_REPORT, Step
from layerstack.build.plan import Plan, PlannedImage
from layerstack.build.record import ImageRecord
from layerstack.build.results import Outcome
from layerstack.build.state import ImageState
from layerstack.dockerfile.image import Image
from layerstack.engine.images import StoredImage

TEXT = "FROM system\nRUN install\nCOPY src src\n"


def test_a_change_whose_own_step_was_cached_is_the_cause_of_the_image(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path).dockerfile(TEXT)
    folder.write("src/main.py", "main")
    stored = StoredImage("sha256:1", (), 0, "", {}, ())
    last = ImageState(
        tag="app", image_id="sha256:1", manifest=folder.manifest(), record=ImageRecord(image="app", action="built")
    )
    now = folder.dockerfile(TEXT.replace("install", "install -v")).manifest()
    plan = Plan((PlannedImage(Image("app", "app", tags=("app",)), now, stored, last),))
    copied = Step("app", "", 3, 3, "COPY src src", is_cached=False, seconds=0.1, place="app/Dockerfile:3")
    report = replace(EMPTY_REPORT, steps=(copied,))
    (record,) = Outcome(plan, report, frozenset({"app"}), frozenset(), BakeCall(("app",)), {}).records()
    assert record.cause.startswith(
        "instruction: app/Dockerfile:2: RUN install → RUN install -v; BuildKit had that step's"
    )
