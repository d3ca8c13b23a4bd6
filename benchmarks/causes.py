"""The row about finding a cause: two states of 5,000 files, no engine."""

import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks import profile_text
from benchmarks.options import Options
from benchmarks.samples import Goal, Measurement, Samples, profile_if_missed
from layerstack.build.buildlog import Step
from layerstack.build.cause import ImageCauses
from layerstack.build.inputs import InputReader
from layerstack.build.record import Cause, ImageRecord
from layerstack.build.state import ImageState, StateStore
from layerstack.dockerfile.file_digests import SETTLED_NS
from layerstack.dockerfile.image import Image
from layerstack.errors import CheckFailed
from layerstack.project.project import Project

FILE_COUNT, FOLDER_COUNT = 5_000, 50
IMAGE = Image("many", ".", tags=("many:latest",))
COPY_STEP = Step("many", "", 1, 1, "COPY src /src", False, 1.0, place="Dockerfile:2")


def measure_causes(options: Options, goal: Goal) -> Measurement:
    """Read the last build's state, look at all files now, name the cause of the COPY step."""
    with tempfile.TemporaryDirectory(prefix="layerstack-benchmark-") as folder:
        root = Path(folder)
        write_project(root)
        remember(root)
        # Digests of files are trusted once the files are older than the resolution of their times.
        time.sleep(SETTLED_NS / 1e9)
        remember(root)
        seconds = tuple(_timed_change(root, number) for number in range(options.run_count))
        samples = Samples(seconds)
        profile = profile_if_missed(samples, goal, partial(profile_text.of_call, partial(find_cause, root)))
    return Measurement(
        samples, (f"{FILE_COUNT:,} files, one changed; the cause named was right in every run",), profile
    )


def write_project(root: Path, file_count: int = FILE_COUNT) -> None:
    """A Dockerfile that copies a folder of small files."""
    (root / "Dockerfile").write_text("FROM scratch\nCOPY src /src\n")
    for number in range(file_count):
        path = _path(root, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file {number}\n" * 20)


def remember(root: Path) -> None:
    """Leave what a build of the folder as it is now would leave."""
    store = StateStore(root)
    digests = store.read_digests()
    manifest = InputReader(_project(root), "", digests).read(IMAGE, {})
    record = ImageRecord(image=IMAGE.name, action="built")
    store.write(ImageState(tag=IMAGE.tag, image_id="sha256:0", manifest=manifest, record=record))
    store.write_digests(digests)


def find_cause(root: Path) -> Cause:
    """What `layerstack build` does to name a cause, without the build. Raises CheckFailed before `remember`."""
    store = StateStore(root)
    last = store.last_of(IMAGE.tag)
    if last is None:
        raise CheckFailed("nothing was remembered")
    manifest = InputReader(_project(root), "", store.read_digests()).read(IMAGE, {})
    return ImageCauses(manifest, last.manifest, [COPY_STEP], {}).of(COPY_STEP)


def _timed_change(root: Path, number: int) -> float:
    path = _path(root, number)
    path.write_text("changed\n")
    remembered = path.relative_to(root).as_posix()
    began = time.perf_counter()
    cause = find_cause(root)
    seconds = time.perf_counter() - began
    if cause.kind != "file-content" or remembered not in cause.detail:
        raise CheckFailed(f"the cause of a change in {remembered} should be that file, not {cause}")
    remember(root)
    return seconds


def _path(root: Path, number: int) -> Path:
    return root / "src" / f"folder{number % FOLDER_COUNT:02}" / f"file{number:05}.txt"


def _project(root: Path) -> Project:
    return Project(root, "many", "cpu", (), (), {IMAGE.name: IMAGE}, {})
