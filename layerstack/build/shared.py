"""Bases that a team's registry already has: pulled instead of built.

The registry is asked when a build begins to run their steps, or has nothing of them at all. A failure costs one
printed line: the build goes on as without a registry.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future

from layerstack.build.keep import Evidence, SharedFound
from layerstack.build.plan import PlannedImage
from layerstack.engine import engine
from layerstack.engine.cache_records import describes
from layerstack.errors import EngineError
from layerstack.registry import known_digests, transfer
from layerstack.registry.look_up import Answer, look_up
from layerstack.registry.origin import INPUTS_LABEL
from layerstack.registry.team import TeamRegistry
from layerstack.registry.trouble import RegistryFailed
from layerstack.wait import ask_all, beside

Note = Callable[[str], None]


class SharedBases:
    """What the registry has for one build; each base is asked for once. `note` takes lines for whoever waits.

    `pinned` are the names by digest of the bases that were pulled.
    """

    def __init__(self, team: TeamRegistry, note: Note) -> None:
        self._team = team
        self._note = note
        self._asking: Future[Mapping[str, Answer]] | None = None
        self._asked: set[str] = set()
        self._there: dict[str, Answer] = {}
        self.pinned: dict[str, str] = {}

    def find_absent(self, evidence: Evidence) -> frozenset[str]:
        """Bases that are not on the engine, of which BuildKit has nothing, and that the registry has."""
        # If all its steps may be cached, BuildKit comes first.
        absent = [one for one in _exact_bases(evidence) if not one.stored and not _is_known(one, evidence)]
        if absent:
            self._begin(absent)
            self._take_answers()
        return frozenset(self._there)

    def find_known(self, wanted: Iterable[PlannedImage]) -> frozenset[str]:
        """Stored images that the registry has, as they were pulled from there once. Raises EngineError."""
        stored = [one for one in wanted if one.stored]
        references = [self._team.inputs_reference(one.name, one.manifest.digest) for one in stored]
        answers = look_up(references) if references else {}
        for one, reference in zip(stored, references, strict=True):
            answer = answers[reference]
            # Only what was compared with its label then: the tag proves nothing.
            if one.stored and known_digests.is_known(reference, answer.digest, one.stored.id):
                self.pinned[one.name] = answer.pinned
        return frozenset(self.pinned)

    def watch(self, running: set[str], evidence: Evidence) -> None:
        """Raises SharedFound once it is known that the registry has one of the bases whose steps run."""
        unasked = [one for one in _exact_bases(evidence) if one.name not in self._asked]
        # Stale bases are included: their steps run next, and all look-ups run in parallel.
        wanted = [one for one in unasked if one.name in running or not one.is_fresh]
        if self._asking is None and running & {one.name for one in wanted}:
            self._begin(wanted)
        if self._asking and self._asking.done():
            self._take_answers()
        if running & self._there.keys():
            raise SharedFound(self._there)

    def pull(self, names: frozenset[str], evidence: Evidence) -> frozenset[str]:
        """Pull these and give them their tags; those that were right."""
        if not names:
            return frozenset()
        wanted = [one for one in evidence.plan.images if one.name in names]
        self._note(f"pulling {', '.join(one.name for one in wanted)} from {self._team.address}")
        # `pop`: a base that cannot be pulled is built here and not tried again.
        answers = {one.name: self._there.pop(one.name) for one in wanted}
        results = ask_all(lambda one: self._pull(one, answers[one.name]), wanted)
        return frozenset(one.name for one, is_pulled in zip(wanted, results, strict=True) if is_pulled)

    def _begin(self, wanted: Sequence[PlannedImage]) -> None:
        references = {one.name: self._team.inputs_reference(one.name, one.manifest.digest) for one in wanted}
        self._asked |= references.keys()

        def ask() -> Mapping[str, Answer]:
            answers = look_up(references.values())
            return {name: answers[reference] for name, reference in references.items()}

        self._asking = beside(ask)

    def _take_answers(self) -> None:
        """Wait for the answers, for a limited time, and report a failing registry once."""
        assert self._asking
        try:
            answers = self._asking.result()
        except EngineError:  # the build itself meets the same engine
            answers = {}
        self._asking = None
        self._there |= {name: answer for name, answer in answers.items() if answer.digest}
        if trouble := next((answer.trouble for answer in answers.values() if answer.trouble), None):
            self._note(f"{trouble.sentence(self._team.host)}. Built here")

    def _pull(self, planned: PlannedImage, answer: Answer) -> bool:
        try:
            # By digest: the tag may have moved since it was looked up.
            transfer.pull(answer.pinned)
            return self._accept(planned, answer)
        except RegistryFailed as failure:
            self._note(f"{planned.name}: {failure.trouble.sentence(self._team.host)}. Built here")
        except EngineError as error:
            self._note(f"{planned.name} was pulled, but cannot be used: {error.args[0]}. Built here")
        return False

    def _accept(self, planned: PlannedImage, answer: Answer) -> bool:
        """Give a pulled image its tags if it is labelled as made of the inputs that are here. Raises EngineError."""
        client = engine.client()
        image = client.images.get(answer.pinned)
        label = str((image.labels or {}).get(INPUTS_LABEL, ""))
        # The tag proves nothing: another image may have been pushed under it.
        is_right = label == planned.manifest.digest
        for tag in planned.image.names if is_right else ():
            image.tag(tag)
        if is_right:
            self.pinned[planned.name] = answer.pinned
            known_digests.remember(answer.reference, answer.digest, str(image.id))
        # A tagged image stays; any other one is removed with this name.
        client.api.remove_image(answer.pinned)
        if not is_right:
            made_of = f"of other inputs ({label})" if label else "of unknown inputs: it has no label"
            repair = f"`invoke share --again {planned.name}`"
            self._note(f"{planned.name}: {answer.reference} is made {made_of} → {repair}. Built here")
        return is_right


def _exact_bases(evidence: Evidence) -> list[PlannedImage]:
    """Bases whose digest covers all their inputs, and that need not be built in any case."""
    bases = [one for one in evidence.plan.images if one.is_base and one.name not in evidence.forced]
    return [one for one in bases if not one.manifest.unknown and not one.manifest.volatile]


def _is_known(planned: PlannedImage, evidence: Evidence) -> bool:
    """Whether BuildKit may have all of its steps: then BuildKit comes first."""
    lines = [line for stage in planned.manifest.stages for line in stage.steps]
    return all(any(describes(record, line) for record in evidence.records) for line in lines)
