"""Shares images with a team: pushes what its registry does not have yet."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any, Literal

from layerstack import command
from layerstack.build.elsewhere import own_builder
from layerstack.build.plan import PlannedImage
from layerstack.engine import abandoned_images, images
from layerstack.errors import CheckFailed
from layerstack.project.project import Project
from layerstack.registry import known_digests, transfer
from layerstack.registry.look_up import Answer, look_up
from layerstack.registry.origin import INPUTS_LABEL, ORIGIN_LABEL, here, read_origin
from layerstack.registry.team import TeamRegistry, require_team
from layerstack.registry.trouble import FAILS, RegistryFailed
from layerstack.report import Say
from layerstack.share.candidates import Candidate, find_candidates


@dataclass(frozen=True)
class Share:
    """The result for one image; `digest` is that of its manifest in the registry."""

    image: str
    action: Literal["pushed", "there", "skipped", "failed"]
    reference: str
    reason: str = ""
    digest: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class SharedImages:
    """The result for all; `is_ok`: every requested image is in the registry now."""

    registry: str
    is_ok: bool
    shares: tuple[Share, ...]

    def to_json(self) -> dict[str, Any]:
        return {"ok": self.is_ok, "registry": self.registry, "images": [asdict(one) for one in self.shares]}


def share(project: Project, names: Sequence[str], has_all: bool, is_again: bool, say: Say) -> SharedImages:
    """Push the named images, or the system images and bases, where the registry does not have them.

    `is_again` pushes in any case. Without names an image that cannot be shared is skipped. Raises UsageError,
    CheckFailed when the registry does not respond, EngineError.
    """
    team = require_team(project)
    found = find_candidates(project, team, names, has_all)
    ready = [one for one in found if not one.obstacle]
    answers = {} if not ready else _require_answers(team, look_up(one.reference for one in ready))
    # A share that was killed leaves the tag of the labelled copy behind.
    abandoned_images.remove_abandoned()
    pusher = _Pusher(team, say)
    shares: list[Share] = []
    for one in found:
        if one.obstacle:
            shares.append(Share(one.image, "failed" if names else "skipped", one.reference, one.obstacle))
        elif answers[one.reference].digest and not is_again:
            shares.append(_there(one, answers[one.reference]))
        else:
            shares.append(pusher.push(one))
    return SharedImages(team.address, all(one.action != "failed" for one in shares), tuple(shares))


def _require_answers(team: TeamRegistry, answers: Mapping[str, Answer]) -> Mapping[str, Answer]:
    for answer in answers.values():
        if answer.trouble:
            raise CheckFailed(
                f"Nothing is shared: the registry {team.host} {answer.trouble.what}.",
                answer.trouble.advice.format(host=team.host),
            )
    return answers


def _there(candidate: Candidate, answer: Answer) -> Share:
    reason = "" if candidate.planned else _difference(candidate, answer)
    return Share(candidate.image, "there", candidate.reference, reason, answer.digest)


def _difference(candidate: Candidate, answer: Answer) -> str:
    # The name of a system image does not identify its content: the registry may hold a different one.
    if known_digests.is_known(candidate.reference, answer.digest, candidate.image_id):
        return ""
    return f"may be another image there → `invoke share --again {candidate.image}` replaces it"


class _Pusher:
    """Pushes one image after the other and stops after the first refusal."""

    def __init__(self, team: TeamRegistry, say: Say) -> None:
        self._team = team
        self._say = say
        self._is_refused = False

    def push(self, candidate: Candidate) -> Share:
        # A refusal takes the engine 50 s, and its reason (read-only, full, no login) holds for the next image, too.
        if self._is_refused:
            return Share(candidate.image, "failed", candidate.reference, "not tried after the failure before")
        self._say(f"pushing {candidate.image} to {self._team.address}")
        began = time.monotonic()
        try:
            with _labelled(candidate) as image_id:
                digest = transfer.push(image_id, candidate.reference, self._say)
        except RegistryFailed as failure:
            # When two push the same name, the registry may refuse one.
            if failure.trouble is FAILS and (answer := look_up((candidate.reference,))[candidate.reference]).digest:
                return Share(candidate.image, "there", candidate.reference, "somebody else pushed it", answer.digest)
            self._is_refused = True
            return Share(candidate.image, "failed", candidate.reference, failure.trouble.sentence(self._team.host))
        # Only of system images: the name of a base says what it is made of.
        if candidate.planned is None:
            known_digests.remember(candidate.reference, digest, candidate.image_id)
        return Share(candidate.image, "pushed", candidate.reference, "", digest, round(time.monotonic() - began, 3))


@contextmanager
def _labelled(candidate: Candidate) -> Iterator[str]:
    """A base with labels for its inputs and where it was built; any other image as it is stored."""
    planned = candidate.planned
    stored = planned.stored if planned and planned.is_base else None
    # What was pulled keeps the label of the machine that built it.
    if planned is None or stored is None or read_origin(stored.labels):
        yield candidate.image_id
        return
    tag = abandoned_images.throw_away_tag("share", candidate.image)
    labels = _labels(planned, stored.created)
    flags = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
    try:
        # Labels make another image of the same layers; the Dockerfile on stdin comes without a context.
        command.run(
            ["docker", "build", "--quiet", "--tag", tag, *flags, "-"],
            stdin=f"FROM {stored.tags[0]}\n",
            env=own_builder(),
        ).require()
        made = images.find(tag)
        yield made.id if made else candidate.image_id
    finally:
        images.remove((tag,))


def _labels(planned: PlannedImage, created: str) -> dict[str, str]:
    digest, last = planned.manifest.digest, planned.last
    built = datetime.fromtimestamp(last.built_at, timezone.utc).isoformat() if last and last.built_at else created
    origin = here(digest, built, last.record.cause if last else "")
    return {INPUTS_LABEL: digest, ORIGIN_LABEL: origin.to_label()}
