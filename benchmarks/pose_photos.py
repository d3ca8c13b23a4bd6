"""The row about people on labelled photos: the service against plain MediaPipe, both in one run."""

from typing import Any

from benchmarks.options import Options
from benchmarks.pose_stack import SCRIPTS, built_pose
from benchmarks.samples import Goal, Measurement, Samples
from layerstack.errors import CheckFailed

SCRIPT = "labelled_photos.py"


def refuse_photos(options: Options) -> str:
    """Labelled photos are nobody's to ship: whoever measures brings a folder."""
    return "" if options.photos else "it needs labelled photos: --photos FOLDER, labels in COCO's format for keypoints"


def measure_photos(options: Options, _goal: Goal) -> Measurement:
    """People of 60 pixels and more whom each misses, and people whom each makes up, added."""
    if options.photos is None:
        raise CheckFailed("no folder of labelled photos")
    with built_pose() as stack:
        mounts = ("-v", f"{SCRIPTS}:/inside:ro", "-v", f"{options.photos.resolve()}:/labelled:ro")
        argv = ("docker", "run", "--rm", "--network", "none", *mounts, stack.image, "python", f"/inside/{SCRIPT}")
        figures = stack.last_line(*argv, "/labelled")
    sides = figures["service"], figures["plain"]
    ours, theirs = (float(side["tall"] - side["found_tall"] + side["false"]) for side in sides)
    notes = (f"{figures['photos']} photos", *(f"{name}: {describe(figures[name])}" for name in ("service", "plain")))
    return Measurement(Samples((ours,), (theirs,)), notes)


def describe(side: dict[str, Any]) -> str:
    """One side's figures in a line."""
    return (
        f"{side['found_tall']} of {side['tall']} people of 60 pixels and more found, {side['false']} false of "
        f"{side['answered']}, {side['haunted']} of {side['empty']} empty photos with somebody, "
        f"{side['pck']:.3f} of the points of those found within a fifth of the trunk, "
        f"{side['milliseconds']:.0f} ms a photo"
    )
