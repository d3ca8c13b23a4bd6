"""Pulls system images from a team's registry and gives them the names that the project uses."""

from collections.abc import Iterable, Sequence

from layerstack.engine import engine
from layerstack.errors import EngineError
from layerstack.project.image_name import full_name
from layerstack.registry import known_digests, transfer
from layerstack.registry.look_up import Answer, look_up
from layerstack.registry.team import TeamRegistry
from layerstack.registry.trouble import RegistryFailed
from layerstack.report import Say


def fetch(team: TeamRegistry, wanted: Iterable[Sequence[str]], say: Say) -> frozenset[str]:
    """Pull and tag the first name of each group that the registry has; returns those names.

    A registry that fails is reported in one line. Raises EngineError when the engine itself fails.
    """
    groups = [[name for name in names if team.system_reference(name)] for names in wanted]
    answers = look_up(team.system_reference(name) for names in groups for name in names) if any(groups) else {}
    # One failure counts for all, as all are looked up in the same registry.
    if trouble := next((answer.trouble for answer in answers.values() if answer.trouble), None):
        say(f"{trouble.sentence(team.host)}; looking for system images elsewhere")
        return frozenset()
    there = [[name for name in names if answers[team.system_reference(name)].digest] for names in groups]
    chosen = dict.fromkeys(names[0] for names in there if names)
    return frozenset(name for name in chosen if _pull(team, name, answers[team.system_reference(name)], say))


def _pull(team: TeamRegistry, name: str, answer: Answer, say: Say) -> bool:
    say(f"pulling {name} from {team.address}")
    try:
        # By the digest that the look-up gave: another push may move the tag meanwhile.
        transfer.pull(answer.pinned)
        client = engine.client()
        image = client.images.get(answer.pinned)
        image.tag(full_name(name))
        # The registry's name is removed, so that the engine's lists show only the names that the project uses.
        client.api.remove_image(answer.pinned)
        known_digests.remember(answer.reference, answer.digest, str(image.id))
    except RegistryFailed as failure:
        say(f"{name}: {failure.trouble.sentence(team.host)}")
        return False
    except EngineError as error:
        say(f"{name} was pulled but cannot be used: {error.args[0]}")
        return False
    return True
