"""Rows about photos that whoever measures brings: who is found and made up, and how steady the measures are."""

from typing import Any

from benchmarks.options import Options
from benchmarks.pose_stack import SCRIPTS, built_pose
from benchmarks.samples import Goal, Measurement, Samples
from layerstack.errors import CheckFailed


def refuse_photos(options: Options) -> str:
    """Labelled photos are nobody's to ship: whoever measures brings a folder."""
    return "" if options.photos else "it needs labelled photos: --photos FOLDER, labels in COCO's format for keypoints"


def measure_photos(options: Options, _goal: Goal) -> Measurement:
    """People of 60 pixels and more whom each misses, and people whom each makes up, added."""
    figures = _run("labelled_photos.py", options)
    sides = figures["service"], figures["plain"]
    ours, theirs = (float(side["tall"] - side["found_tall"] + side["false"]) for side in sides)
    notes = (f"{figures['photos']} photos", *(f"{name}: {describe(figures[name])}" for name in ("service", "plain")))
    return Measurement(Samples((ours,), (theirs,)), notes)


def measure_steadiness(options: Options, _goal: Goal) -> Measurement:
    """Percent of the values that move by more than their stated error when a photo is changed."""
    figures = _run("changed_photos.py", options)
    within, count = (sum(part) for part in zip(*figures["changes"].values(), strict=True))
    notes = (
        f"{figures['people']} people with a stated error on {figures['photos']} photos, {count} values compared, "
        f"{figures['lost']} times the person was not found again",
        *(f"within the error by {table[:-1]}: {shares(figures[table])}" for table in ("changes", "measures")),
    )
    return Measurement(Samples((100 * (1 - within / count),)), notes)


def shares(table: dict[str, list[int]]) -> str:
    """`mirror 93 %, border 97 %`, the least steady first."""
    percent = {name: 100 * within / count for name, (within, count) in table.items()}
    return ", ".join(f"{name} {percent[name]:.0f} %" for name in sorted(percent, key=percent.__getitem__))


def _run(script: str, options: Options) -> dict[str, Any]:
    """The last line that a script of `inside` prints about the folder of photos."""
    if options.photos is None:
        raise CheckFailed("no folder of photos")
    with built_pose() as stack:
        mounts = ("-v", f"{SCRIPTS}:/inside:ro", "-v", f"{options.photos.resolve()}:/labelled:ro")
        argv = ("docker", "run", "--rm", "--network", "none", *mounts, stack.image, "python", f"/inside/{script}")
        figures: dict[str, Any] = stack.last_line(*argv, "/labelled")
    return figures


def describe(side: dict[str, Any]) -> str:
    """One side's figures in a line."""
    return (
        f"{side['found_tall']} of {side['tall']} people of 60 pixels and more found, {side['false']} false of "
        f"{side['answered']}, {side['haunted']} of {side['empty']} empty photos with somebody, "
        f"{side['pck']:.3f} of the points of those found within a fifth of the trunk, "
        f"{side['milliseconds']:.0f} ms a photo"
    )
