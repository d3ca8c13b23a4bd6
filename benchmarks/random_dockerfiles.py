"""Random images and random changes, judged by the real builder: `python -m benchmarks.random_dockerfiles [--pairs N]`.

Each scene is built, changed and built again. BuildKit has noticed the change when a step ran or the image is another
one; our reading has when the digest of its inputs is another one. `misread` is a change that only BuildKit noticed in
an image that we call fully understood: the number that has to be 0.
"""

import argparse
import json
import os
import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.options import Options
from benchmarks.random_scenes import Change, Scene, random_change, random_scene
from benchmarks.samples import Goal, Measurement, Samples
from layerstack import command
from layerstack.build.buildlog import BuildLog, Step
from layerstack.build.cause import ImageCauses
from layerstack.build.impact import AffectedImage, Impact, find_impact
from layerstack.build.inputs import InputReader, Manifest
from layerstack.build.placement import Placement
from layerstack.dockerfile.file_digests import FileDigests
from layerstack.dockerfile.image import read_image
from layerstack.engine.images import find_all
from layerstack.errors import UsageError
from layerstack.project.project import Project

SEED = 20261127
PAIRS = 2000
BATCH = 16
TURNS = 5
MISSED = "missed, but not understood"
# Verdicts that need no second build.
UNDISPUTED = {MISSED, "wrong cause"}
_REFUSED = re.compile(r"target scene(\d+)(?:base)?:")
_STEP = re.compile(r"^\[(?P<where>[^\]]*?)\s*\d+/\d+\] (?P<text>.*)$", re.DOTALL)


@dataclass(frozen=True)
class Built:
    """What one bake call did to one image."""

    image_id: str
    executed: tuple[str, ...]
    steps: tuple[Step, ...] = ()


@dataclass
class Count:
    """`details` has a line for every pair that is counted as wrong in some way."""

    counts: Counter[str] = field(default_factory=Counter)
    details: list[str] = field(default_factory=list)

    def add(self, name: str, detail: str = "") -> None:
        self.counts[name] += 1
        if detail:
            self.details.append(f"{name}: {detail}")
            _say(self.details[-1])


def judge(pairs: int, seed: int, folder: Path, count: Count) -> None:
    """Build, change and build again until `pairs` pairs are judged.

    A verdict against our reading is tried once more in builds of its own: BuildKit now and then repeats a step whose
    result another process collected.
    """
    number = 0
    while count.counts["pairs"] < pairs:
        batch = list(_judge_batch(folder / f"batch{number}", range(number, number + BATCH), seed, count))
        for scene_number, turn, verdict in batch:
            again = verdict
            if verdict.faults.keys() - UNDISPUTED:
                place = folder / f"alone{scene_number}-{turn}"
                alone = list(_judge_batch(place, [scene_number], seed, Count(), turn + 1))
                again = next((one for _, found, one in alone if found == turn), verdict)
                count.counts["not repeated"] += not again.faults
            again.add_to(count)
        number += BATCH
        _say(json.dumps(summary(count)))


@dataclass(frozen=True)
class Verdict:
    """What came of one pair; `faults` are the names under which it counts."""

    told: str
    is_noticed: bool
    is_understood: bool
    has_impact: bool
    faults: Mapping[str, str]

    def add_to(self, count: Count) -> None:
        count.counts["pairs"] += 1
        count.counts["changed"] += self.is_noticed
        count.counts["not understood"] += not self.is_understood
        count.counts["impacts"] += self.has_impact
        for name, detail in self.faults.items():
            count.add(name, f"{self.told}: {detail}")


def _judge_batch(
    root: Path, numbers: Sequence[int], seed: int, count: Count, turns: int = TURNS
) -> Iterator[tuple[int, int, Verdict]]:
    """(scene, turn, verdict) of every pair: each scene is built, and then changed and built `turns` times."""
    root.mkdir()
    # Impact asks which files define the project.
    (root / "compose.yaml").write_text("services: {}\n")
    scenes = [random_scene(random.Random(f"{seed} {number}"), root, number) for number in numbers]
    builds = build_scenes(root, scenes)
    count.counts["refused"] += len(scenes) - len(builds)
    left = [scene for scene in scenes if scene.name in builds]
    manifests = {scene.name: read_manifest(root, scene) for scene in left}
    for turn in range(turns):
        changes = {one.name: random_change(random.Random(f"{seed} {one.number} {turn}"), one) for one in left}
        impacts = {scene.name: _impact(root, scene, changes[scene.name]) for scene in left}
        built, read = build_scenes(root, left), {scene.name: read_manifest(root, scene) for scene in left}
        count.counts["refused"] += len(left) - len(built)
        left = [scene for scene in left if scene.name in built]
        for scene in left:
            name, change = scene.name, changes[scene.name]
            told = f"scene {scene.number}, turn {turn}, {change.kind} {change.detail}"
            both = (builds[name], built[name])
            yield scene.number, turn, _verdict(scene, told, (manifests[name], read[name]), both, impacts[name])
        builds, manifests = built, read
    remove_images(scenes)
    shutil.rmtree(root)


def _verdict(
    scene: Scene,
    told: str,
    manifests: tuple[Manifest | None, Manifest | None],
    builds: tuple[Built, Built],
    impact: Impact | None,
) -> Verdict:
    old, new = manifests
    executed = builds[1].executed
    is_other = builds[0].image_id != builds[1].image_id
    is_noticed = bool(executed) or is_other
    if old is None or new is None:
        return Verdict(told, is_noticed, False, False, {"unreadable": "BuildKit builds it"})
    is_seen, is_understood = old.digest != new.digest, not (old.unknown or new.unknown)
    faults = {}
    if is_noticed and not is_seen:
        faults["misread" if is_understood else MISSED] = f"other image: {is_other}, ran {executed}"
    elif is_seen and not is_noticed:
        faults["needless"] = "our digest changed, the image did not"
    if is_understood and (causes := _cause_faults(scene, (old, new), builds[1].steps)):
        faults["wrong cause"] = causes
    own = [one for one in impact.images if one.image == scene.name] if impact else []
    # What is not understood may run in every build, whatever changed.
    if impact and (own or is_understood) and (fault := _impact_fault(own, is_noticed, executed)):
        faults["wrong impact"] = fault
    return Verdict(told, is_noticed, is_understood, impact is not None, faults)


def _cause_faults(scene: Scene, manifests: tuple[Manifest, Manifest], steps: Sequence[Step]) -> str:
    """Steps whose cause is not named, though one change is all that happened and the cache is there."""
    old, new = manifests
    changed = {name: "changed" for name in new.parents if old.parents.get(name) != new.parents[name]}
    causes = ImageCauses(new, old, steps, changed)
    named = [(step, causes.of(step)) for step in steps if step.image == scene.name]
    faults = [f"{step.name}: {cause}" for step, cause in named if cause.kind in ("unknown", "cache-evicted")]
    return "; ".join(faults)


def _impact_fault(own: Sequence[AffectedImage], is_noticed: bool, executed: Sequence[str]) -> str:
    """What is wrong about the answer that was given before the build; empty when nothing is."""
    if any(one.unknown for one in own):
        return ""
    steps = [step for one in own for step in one.steps]
    # BuildKit runs a step once that two stages have in common.
    certain, possible = len({step.step.partition(" ")[2] for step in steps if step.is_certain}), len(steps)
    if not certain <= len(executed) <= possible:
        names = [step.step for step in steps]
        return f"said {certain} to {possible} steps {names}, {len(executed)} ran: {list(executed)}"
    return "" if is_noticed or not certain else "said that steps run, nothing changed"


def _impact(root: Path, scene: Scene, change: Change) -> Impact | None:
    if not change.path:
        return None
    try:
        return find_impact(_project(root, scene), [change.path])[0]
    except UsageError:
        return None


def _project(root: Path, scene: Scene) -> Project:
    images = {name: read_image(name, definition) for name, definition in scene.targets.items()}
    return Project(root, "random", "cpu", (), (), images, {})


def read_manifest(root: Path, scene: Scene) -> Manifest | None:
    """What we read of a scene; None when we refuse it."""
    project = _project(root, scene)
    reader = InputReader(project, "", FileDigests())
    image = project.images[scene.name]
    try:
        stored = reader.find_external(list(project.images.values()), find_all)
        return reader.read(image, {name: one.identity for name, one in stored.items()})
    except UsageError:
        return None


def build_scenes(root: Path, scenes: Sequence[Scene]) -> dict[str, Built]:
    """All scenes in one call. Those that BuildKit refuses are left out, and the others asked for again.

    What a refused call ran before it ended counts: the next call finds it in the cache.
    """
    left, streams = list(scenes), ""
    while left:
        result = _bake(root, left)
        streams += result.stderr
        if result.ok:
            return _read_builds(root, left, list(_executed(streams)), _steps(root, left, result.stderr))
        refused = {number for number in _REFUSED.findall(result.stderr)}
        left = [scene for scene in left if str(scene.number) not in refused] if refused else left[1:]
    return {}


def _bake(root: Path, scenes: Sequence[Scene]) -> command.CommandResult:
    targets = {name: target for scene in scenes for name, target in scene.targets.items()}
    targets["nothing"] = {"context": str(root), "dockerfile-inline": "FROM scratch", "output": ["type=cacheonly"]}
    bake = root / "bake.json"
    # With one target more every message names the target that it is about.
    wanted = [*(scene.name for scene in scenes), "nothing"]
    definition = json.dumps({"target": targets, "group": {"default": {"targets": wanted}}})
    bake.write_text(definition.replace("${", "$${"))  # bake would fill it in
    words = ["docker", "buildx", "bake", "--file", str(bake), "--progress=rawjson"]
    environment = {**os.environ, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1", "BUILDX_BAKE_ENTITLEMENTS_FS": "0"}
    return command.run([*words, "--metadata-file", str(root / "metadata.json")], cwd=root, env=environment)


def _read_builds(
    root: Path, scenes: Sequence[Scene], executed: Sequence[tuple[str, str]], steps: Mapping[str, tuple[Step, ...]]
) -> dict[str, Built]:
    ids = json.loads((root / "metadata.json").read_text())
    return {
        scene.name: Built(
            image_id=ids[scene.name]["containerimage.config.digest"],
            executed=tuple(text for target, text in executed if target.split()[0] in scene.targets),
            steps=steps[scene.name],
        )
        for scene in scenes
    }


def _steps(root: Path, scenes: Sequence[Scene], stream: str) -> dict[str, tuple[Step, ...]]:
    """Scene → its executed steps as a build of ours would read them from the log."""
    images = [image for scene in scenes for image in [*_project(root, scene).images.values()][::-1]]
    log = BuildLog([*(image.name for image in images), "nothing"], Placement(root, images).place)
    for line in stream.splitlines():
        log.feed(line)
    executed = log.report(True, 0.0).executed
    return {scene.name: tuple(step for step in executed if step.image in scene.targets) for scene in scenes}


def _executed(stream: str) -> Iterator[tuple[str, str]]:
    """(`target stage`, instruction) of every numbered step but FROM that ran."""
    vertices: dict[str, dict[str, Any]] = {}
    for line in stream.splitlines():
        if line.startswith("{"):
            for vertex in json.loads(line).get("vertexes") or ():
                vertices.setdefault(vertex["digest"], {}).update(vertex)
    for vertex in vertices.values():
        match = _STEP.match(vertex["name"])
        has_run = vertex.get("completed") and not vertex.get("cached") and not vertex.get("error")
        if match and has_run and not match["text"].startswith("FROM "):
            yield match["where"], match["text"]


def remove_images(scenes: Sequence[Scene]) -> None:
    """Take the tags of these scenes away."""
    tags = (tag for scene in scenes for target in scene.targets.values() for tag in target["tags"])
    command.run(("docker", "image", "rm", "--force", *tags))


def summary(count: Count) -> Mapping[str, int]:
    """The figures that are reported, zeros included."""
    names = (
        "pairs",
        "changed",
        "misread",
        "needless",
        "wrong cause",
        "wrong impact",
        "impacts",
        "not understood",
        "unreadable",
    )
    rest = sorted(count.counts.keys() - set(names))
    return {name: count.counts[name] for name in (*names, *rest)}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def measure_misread(_options: Options, _goal: Goal) -> Measurement:
    """Changes of 2,000 random pairs that BuildKit noticed and our reading did not."""
    count = Count()
    with tempfile.TemporaryDirectory(prefix="layerstack-random-") as folder:
        judge(PAIRS, SEED, Path(folder), count)
    figures = ", ".join(f"{name} {value:,}" for name, value in summary(count).items())
    return Measurement(Samples((float(count.counts["misread"]),)), (figures,), "\n".join(count.details))


def main(words: Sequence[str] | None = None) -> int:
    """Exit code 1 when a change was misread."""
    parser = argparse.ArgumentParser(prog="random_dockerfiles", description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args(words)
    count = Count()
    with tempfile.TemporaryDirectory(prefix="layerstack-random-") as folder:
        judge(asked.pairs, asked.seed, Path(folder), count)
    _say(json.dumps(summary(count)))
    return 1 if count.counts["misread"] else 0


if __name__ == "__main__":
    sys.exit(main())
