"""Usage: labelled_photos.py FOLDER. The service's finder and plain MediaPipe on the same labelled photos.

FOLDER holds photos and labels in COCO's format for keypoints (any *.json, any depth); photos are found by their names.
Found: object keypoint similarity of at least 0.3 with a labelled person, best pairs first. False: matches nobody, and
less than half of the points lie in a labelled box or crowd.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image, ImageOps

sys.path.insert(0, "/app")

from pose_service.contract.coco import NAMES

# COCO's own: how far off a labelled point of each kind typically is, in shares of the person's size.
SIGMAS = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
FOUND, TALL_PIXELS, NEAR_TRUNKS = 0.3, 60, 0.2
Points = Any
Finder = Callable[[Any], list]


def read_labels(folder: Path) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """Each photo once, with what is annotated in it."""
    photos = {path.name: path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png")}
    done = set()
    for file in sorted(folder.rglob("*.json")):
        content = json.loads(file.read_text())
        if not isinstance(content, dict) or not any("keypoints" in each for each in content.get("annotations", ())):
            continue
        by_image: dict[int, list[dict[str, Any]]] = {}
        for each in content["annotations"]:
            by_image.setdefault(each["image_id"], []).append(each)
        for image in content["images"]:
            path = photos.get(Path(image["file_name"]).name)
            if path is not None and path not in done:
                done.add(path)
                yield path, by_image.get(image["id"], [])


def service_finder() -> Finder:
    """What POST /pose does, without HTTP."""
    from pose_service.engines.mediapipe_engine import MediapipeEngine
    from pose_service.finding.people_finder import FindOptions, find_people

    engine = MediapipeEngine()
    engine.load()

    def find(rgb: Any) -> list[Points]:
        people = find_people(engine, rgb, FindOptions()).people
        return [person.keypoints[[person.names.index(name) for name in NAMES]] for person in people]

    return find


def plain_finder() -> Finder:
    """MediaPipe's own solution, which finds one person."""
    from mediapipe.python.solutions.pose import Pose, PoseLandmark

    rows = [PoseLandmark[name.upper()] for name in NAMES]
    pose = Pose(static_image_mode=True, model_complexity=1)

    def find(rgb: Any) -> list[Points]:
        found = pose.process(rgb).pose_landmarks
        size = (rgb.shape[1], rgb.shape[0])
        return [] if found is None else [np.array([(found.landmark[i].x, found.landmark[i].y) for i in rows]) * size]

    return find


def similarity(label: dict[str, Any], points: Points) -> float:
    """Object keypoint similarity over the labelled points, 0 with fewer than four."""
    known = np.array(label["keypoints"], float).reshape(-1, 3)[: len(NAMES)]
    is_there = known[:, 2] > 0
    if is_there.sum() < 4:
        return 0.0
    squares = np.square(known[:, :2] - points).sum(axis=1)[is_there]
    area = label.get("area") or label["bbox"][2] * label["bbox"][3] * 0.53
    return float(np.exp(-squares / (2 * (2 * SIGMAS[is_there]) ** 2 * (area + 1e-9))).mean())


def match(labels: list[dict[str, Any]], people: list[Points]) -> dict[int, int]:
    """Label by label which person it is, the most similar pairs first."""
    pairs = [(similarity(each, points), a, b) for a, each in enumerate(labels) for b, points in enumerate(people)]
    matched: dict[int, int] = {}
    for value, label, person in sorted(pairs, reverse=True):
        if value >= FOUND and label not in matched and person not in matched.values():
            matched[label] = person
    return matched


def near_points(label: dict[str, Any], points: Points) -> tuple[int, int]:
    """Points within a fifth of the trunk of their label, and how many are labelled; 0, 0 without a trunk."""
    known = np.array(label["keypoints"], float).reshape(-1, 3)[: len(NAMES)]
    if not (known[[5, 6, 11, 12], 2] > 0).all():
        return 0, 0
    trunk = np.linalg.norm(known[[5, 6], :2] - known[[12, 11], :2], axis=1).mean()
    is_there = known[:, 2] > 0
    return int((np.linalg.norm(known[:, :2] - points, axis=1)[is_there] < NEAR_TRUNKS * trunk).sum()), int(
        is_there.sum()
    )


def share_inside(box: list[float], points: Points) -> float:
    """Of the points in a box x, y, width, height."""
    low, size = np.array(box[:2]), np.array(box[2:])
    return float(((points >= low) & (points <= low + size)).all(axis=1).mean())


class Tally:
    """What one finder has found so far."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(
            ("people", "found", "tall", "found_tall", "answered", "false", "empty", "haunted"), 0
        )
        self.near, self.labelled = 0, 0
        self.milliseconds: list[float] = []

    def add(self, annotations: list[dict[str, Any]], people: list[Points], milliseconds: float) -> None:
        labels = [each for each in annotations if not each.get("iscrowd") and any(each.get("keypoints", ()))]
        matched = match(labels, people)
        strangers = set(range(len(people))) - set(matched.values())
        made_up = [one for one in strangers if all(share_inside(a["bbox"], people[one]) <= 0.5 for a in annotations)]
        tall = {number for number, each in enumerate(labels) if each["bbox"][3] >= TALL_PIXELS}
        more = {
            "people": len(labels),
            "found": len(matched),
            "tall": len(tall),
            "found_tall": len(tall & set(matched)),
            "answered": len(people),
            "false": len(made_up),
            "empty": not annotations,
            "haunted": not annotations and bool(people),
        }
        self.counts = {name: count + more[name] for name, count in self.counts.items()}
        self.milliseconds.append(milliseconds)
        for label, person in matched.items():
            near, labelled = near_points(labels[label], people[person])
            self.near, self.labelled = self.near + near, self.labelled + labelled

    def to_json(self) -> dict[str, Any]:
        pck = self.near / self.labelled if self.labelled else 0.0
        return {**self.counts, "pck": round(pck, 3), "milliseconds": round(median(self.milliseconds), 1)}


def main(folder: Path) -> None:
    """Print {"photos", "service", "plain"}: both in turn on each photo."""
    finders = {"service": service_finder(), "plain": plain_finder()}
    tallies = {name: Tally() for name in finders}
    count = 0
    for path, labels in read_labels(folder):
        rgb = np.ascontiguousarray(np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB")))
        count += 1
        for name, find in finders.items():
            began = time.perf_counter()
            people = find(rgb)
            tallies[name].add(labels, people, (time.perf_counter() - began) * 1000)
    if not count:
        sys.exit(f"{folder} holds no photo with labels in COCO's format for keypoints")
    print(json.dumps({"photos": count, **{name: each.to_json() for name, each in tallies.items()}}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
