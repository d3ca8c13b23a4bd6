"""Random images whose cache is gone, judged by builds without any: `python -m benchmarks.pruned_dockerfiles`.

Each scene is built by layerstack and changed, or not; then **the whole build cache of the engine is emptied** and it is
built again. An image that is kept must be, file by file, what a build makes: `wrong` has to be 0. `needless` were built
although nothing had changed. Meant for an engine of its own (DOCKER_HOST).
"""

import argparse
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.random_dockerfiles import SEED
from benchmarks.random_scenes import Scene, random_change, random_scene
from layerstack import command
from layerstack.build.bake import BakeCall, bake
from layerstack.build.build import build
from layerstack.build.layer_content import read_content
from layerstack.build.progress import BuildObserver
from layerstack.engine.images import StoredImage, find_all
from layerstack.errors import BuildFailed
from layerstack.project.project import Project
from layerstack.project.targets import read_target

TURNS = 4
UNCHANGED = 0.4


def judge(pairs: int, seed: int, folder: Path, counts: Counter[str]) -> None:
    """Judge `pairs` builds after the cache was emptied."""
    number = 0
    while counts["pairs"] < pairs:
        scene = random_scene(random.Random(f"{seed} {number}"), folder, number)
        try:
            _judge_scene(folder, scene, random.Random(f"{seed} {number} turns"), counts)
        except BuildFailed:
            counts["refused"] += 1
        number += 1
        if number % 10 == 0:
            _say(json.dumps(counts))


def _judge_scene(root: Path, scene: Scene, dice: random.Random, counts: Counter[str]) -> None:
    build(_project(root, scene), [scene.name])
    for turn in range(TURNS):
        change = None if dice.random() < UNCHANGED else random_change(dice, scene)
        command.run(("docker", "buildx", "prune", "--all", "--force")).require()
        project = _project(root, scene)
        actions = {one.image: one.action for one in build(project, [scene.name]).images}
        kept = [name for name, action in actions.items() if action == "kept"]
        counts["pairs"] += 1
        counts["kept"] += len(kept)
        if change is None and "built" in actions.values():
            counts["needless"] += 1
            _say(f"needless: scene {scene.number}, turn {turn}: {actions}")
        for difference in _differences(project, kept):
            counts["wrong"] += 1
            _say(f"wrong: scene {scene.number}, turn {turn}, {change}: {difference}")


def _differences(project: Project, kept: Sequence[str]) -> list[str]:
    """Kept images that a build would make otherwise."""
    if not kept:
        return []
    tags = {name: f"truth-{name}" for name in kept}
    names = tuple(image.name for image in project.with_parents(kept))
    bake(project, BakeCall(names, sets=tuple(f"{name}.tags=truth-{name}" for name in names)), BuildObserver())
    stored = find_all((*tags.values(), *(project.images[name].tag for name in kept)))
    found = []
    for name, tag in tags.items():
        both = [_content(stored[one]) for one in (project.images[name].tag, tag)]
        if both[0] != both[1]:
            found.append(name)
    command.run(("docker", "image", "rm", "--force", *(f"truth-{name}" for name in names)))
    return found


def _content(image: StoredImage) -> tuple[list[Mapping[str, str]], object]:
    layers = read_content(image.id, image.layers).layers
    config = command.run(("docker", "image", "inspect", "--format", "{{json .Config}}", image.id)).require()
    document = json.loads(config.stdout)
    labels = document.get("Labels") or {}
    document["Labels"] = {name: value for name, value in labels.items() if not name.startswith("layerstack.")}
    return [layers.get(layer, {}) for layer in image.layers], document


def _project(root: Path, scene: Scene) -> Project:
    escaped = json.loads(json.dumps(scene.targets).replace("${", "$${"))  # bake would fill it in
    images = {name: read_target(root, name, definition) for name, definition in escaped.items()}
    return Project(root, "pruned", "cpu", (), (), images, {})


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(words: Sequence[str] | None = None) -> int:
    """Exit code 1 when an image was kept that a build makes otherwise."""
    parser = argparse.ArgumentParser(prog="pruned_dockerfiles", description=__doc__)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args(words)
    counts: Counter[str] = Counter(wrong=0, needless=0)
    with tempfile.TemporaryDirectory(prefix="layerstack-pruned-") as folder:
        os.environ["XDG_STATE_HOME"] = str(Path(folder, "state"))
        judge(asked.pairs, asked.seed, Path(folder).resolve(), counts)
    _say(json.dumps(counts))
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
