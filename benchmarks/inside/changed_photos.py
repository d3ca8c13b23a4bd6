"""Usage: changed_photos.py FOLDER. How often a measure moves by more than its stated error when a photo is changed.

Photos at any depth of FOLDER, labelled or not. Every person whose measures state an error is looked for again in each
changed photo, and every value that both have is compared. Nothing is corrected for the change itself, although a turn
of 5 degrees moves what is measured against the vertical.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Optional

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

sys.path.insert(0, "/app")

from pose_service.engines.mediapipe_engine import MediapipeEngine
from pose_service.finding.people_finder import FindOptions, find_people
from pose_service.measuring.measures import measure
from pose_service.measuring.stance import Stance

# Counter-clockwise seen from above, so that the mirror image has the other sign.
TURNS = ("shoulder_rotation", "hip_rotation", "shoulder_hip_separation")
OTHER = {"left": "right", "right": "left"}
BORDER, TURN_DEGREES, JPEG_QUALITY, SMALL, LARGE = 0.2, 5, 30, 0.6, 1.5
SAME_PLACE = 0.3
REGULAR, GOOFY = Stance("regular", "given"), Stance("goofy", "given")
# Points of the changed photo -> of the photo itself.
Back = Callable[[Any], Any]
Changed = tuple[str, Image.Image, Back]


def change(photo: Image.Image) -> Iterator[Changed]:
    """Each change by its name, the changed photo, and the way back."""
    width, height = photo.size
    middle = np.array([width, height]) / 2
    yield "mirror", ImageOps.mirror(photo), lambda points: points * (-1, 1) + (width, 0)
    for name, factor in (("smaller", SMALL), ("larger", LARGE)):
        size = (round(width * factor), round(height * factor))
        yield name, photo.resize(size, Image.LANCZOS), lambda points, factor=factor: points / factor
    margin = round(BORDER * max(photo.size))
    yield "border", ImageOps.expand(photo, margin, "black"), lambda points: points - margin
    for degrees in (TURN_DEGREES, -TURN_DEGREES):
        cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        matrix = np.array([[cosine, sine], [-sine, cosine]])
        yield (
            f"turn {degrees:+d}°",
            photo.rotate(degrees, Image.BICUBIC),
            lambda points, matrix=matrix: (points - middle) @ matrix + middle,
        )
    stream = BytesIO()
    photo.save(stream, "JPEG", quality=JPEG_QUALITY)
    yield f"JPEG {JPEG_QUALITY}", Image.open(stream).convert("RGB"), lambda points: points
    for name, factor in (("darker", 0.6), ("brighter", 1.5)):
        yield name, ImageEnhance.Brightness(photo).enhance(factor), lambda points: points


def find(engine: MediapipeEngine, photo: Image.Image) -> list[Any]:
    return list(find_people(engine, np.ascontiguousarray(np.asarray(photo)), FindOptions()).people)


def same_person(person: Any, people: list[Any], back: Back) -> Any:
    """Who of the changed photo is at the person's place: the nearest by hips and shoulders; None when nobody is."""
    reach = SAME_PLACE * float(np.linalg.norm(person.box[2:] - person.box[:2]))
    middle = middle_of(person)
    places = [(float(np.linalg.norm(back(middle_of(each)) - middle)), each) for each in people]
    near = [place for place in places if place[0] < reach]
    return min(near, key=lambda place: place[0])[1] if near else None


def middle_of(person: Any) -> Any:
    """Of the trunk."""
    rows = [person.names.index(f"{side}_{joint}") for side in OTHER for joint in ("hip", "shoulder")]
    return person.keypoints[rows].mean(axis=0)


def in_mirror(name: str) -> str:
    return "_".join(OTHER.get(word, word) for word in name.split("_"))


def compare(before: dict[str, Any], after: dict[str, Any], is_mirror: bool) -> Iterator[tuple[str, bool]]:
    """Measure by measure whether it stayed within the error stated before; what one of them lacks is left out."""
    for name, own in before.items():
        other = after[in_mirror(name) if is_mirror else name]
        if own["value"] is None or own.get("error") is None or other["value"] is None:
            continue
        value = -other["value"] if is_mirror and name in TURNS else other["value"]
        distance = abs(value - own["value"])
        if own["unit"] == "degrees":
            distance = min(distance, 360 - distance)
        yield name, distance <= own["error"]


def outcomes(engine: MediapipeEngine, photo: Image.Image, sure: list[Any]) -> Iterator[tuple[str, Optional[list[Any]]]]:
    """For each change and each of `sure` (person, measures): what `compare` gives, None when nobody is there again."""
    for name, changed, back in change(photo):
        again = find(engine, changed)
        is_mirror = name == "mirror"
        for one, values in sure:
            other = same_person(one, again, back)
            later = None if other is None else measure(other, GOOFY if is_mirror else REGULAR)
            yield name, None if later is None else list(compare(values, later, is_mirror))


def main(folder: Path) -> None:
    """Print {"photos", "people", "lost", "changes": {name: [within, all]}, "measures": {name: [within, all]}}."""
    engine = MediapipeEngine()
    engine.load()
    photos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    tables: dict[str, dict[str, list[int]]] = {"changes": {}, "measures": {}}
    people = lost = 0
    for path in photos:
        photo = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        found = [(one, measure(one, REGULAR)) for one in find(engine, photo)]
        sure = [each for each in found if any(one.get("error") is not None for one in each[1].values())]
        people += len(sure)
        for change_name, compared in outcomes(engine, photo, sure) if sure else ():
            lost += compared is None
            for measure_name, is_within in compared or ():
                for table, name in (("changes", change_name), ("measures", measure_name)):
                    row = tables[table].setdefault(name, [0, 0])
                    row[0] += is_within
                    row[1] += 1
    if not people:
        sys.exit(f"{folder} holds no photo of a person who is seen clearly enough for an error")
    print(json.dumps({"photos": len(photos), "people": people, "lost": lost, **tables}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
