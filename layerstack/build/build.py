"""Builds images in one call of BuildKit and records the results."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import msgspec

from layerstack import command
from layerstack.build import history
from layerstack.build.bake import CACHE_RACE, BakeCall, bake
from layerstack.build.base_lock import turns
from layerstack.build.buildlog import EMPTY_REPORT, BuildReport
from layerstack.build.cache_place import NO_PLACES, CachePlaces, require_usable
from layerstack.build.elsewhere import find_builder
from layerstack.build.estimate import read_estimate
from layerstack.build.image_sizes import remember_sizes
from layerstack.build.keep import CacheGone, Keeper, SharedFound
from layerstack.build.plan import Plan, PlannedImage, Planner, layers_identity
from layerstack.build.progress import BuildObserver
from layerstack.build.record import BuildRecord, ImageRecord
from layerstack.build.state import ImageState, StateStore
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.references import familiar
from layerstack.engine import images
from layerstack.engine.images import StoredImage
from layerstack.errors import BuildFailed
from layerstack.project import missing_image
from layerstack.project.project import Project
from layerstack.registry.origin import INPUTS_LABEL
from layerstack.registry.team import find_team
from layerstack.report import say
from layerstack.wait import beside

if TYPE_CHECKING:
    from layerstack.build.shared import SharedBases


@dataclass(frozen=True)
class BuildOptions:
    """`is_forced` builds the named images without the cache; `pulls` asks the registry for newer system images.

    `caches` are read and written besides the builder's own.
    """

    is_forced: bool = False
    pulls: bool = False
    caches: CachePlaces = NO_PLACES


def build(
    project: Project,
    names: Sequence[str],
    observer: BuildObserver | None = None,
    options: BuildOptions | None = None,
    store: StateStore | None = None,
) -> BuildRecord:
    """Build the named images and everything they are built on, in one bake call.

    BuildKit decides which steps run. An image is `fresh` when none did and its tags name what they named before, `kept`
    when BuildKit had lost an unchanged image's steps, else `built`. Raises BuildFailed, UsageError, EngineError.
    """
    asked = _Build(
        project,
        project.with_parents(names),
        frozenset(project.image(name).name for name in names),
        observer or BuildObserver(),
        options or BuildOptions(),
        store or StateStore(project.root),
    )
    with turns(asked.missing_bases(), project.root, say) as has_waited:
        # What was read before the other build had ended counts no more: the copy has no cached properties.
        return (replace(asked) if has_waited else asked).run()


def solve(
    project: Project, call: BakeCall, observer: BuildObserver, keeper: Keeper, shared: "SharedBases | None" = None
) -> tuple[BuildReport, BakeCall]:
    """Run a bake call to its end; the last one, with the images that were kept or pulled instead of being built.

    It is repeated with the stored images when steps of theirs begin to run, with those that a team's registry has, when
    the system image below one is in no place any more, and once when it lost a race with BuildKit's own collection.
    Raises BuildFailed.
    """
    is_repeated = False
    # The loop ends: each turn keeps another image, pulls or gives up another base, or uses up the one repetition.
    while True:
        # Without a name bake would look for a target called `default`.
        if call.unasked.issuperset(call.names):
            return EMPTY_REPORT, call
        try:
            report = bake(project, call, observer, keeper.watch)
            keeper.finish(report)
            _restore_tags(keeper, call.kept)
            return report, call
        except CacheGone as gone:
            # A pulled base keeps its new tag: the plan only knows the image that was stored before.
            gone_images = gone.images - call.pulled
            _restore_tags(keeper, gone_images)
            call = replace(call, kept=call.kept | gone_images)
        except SharedFound as found:
            assert shared
            call = replace(call, pulled=call.pulled | shared.pull(found.images, keeper.evidence))
        except BuildFailed as error:
            # Checked before the race: a repeated call would not find a missing image either.
            if lost := _above_missing_image(error.said or str(error), keeper) - call.unasked:
                call = replace(call, kept=call.kept | lost)
            elif is_repeated or CACHE_RACE not in (error.said or str(error)):
                raise
            else:
                is_repeated = True


@dataclass(frozen=True)
class _Build:
    """One build: what is asked for, and what was there before it began. `images` stand parents first."""

    project: Project
    images: tuple[Image, ...]
    asked: frozenset[str]
    observer: BuildObserver
    options: BuildOptions
    store: StateStore

    def run(self) -> BuildRecord:
        began, clock = self._began_ns / 1e9, time.monotonic()
        names = [image.name for image in self.images]
        require_usable(self.options.caches, names, self.project.environment)
        _ = self.before  # what the tags name is known before anything can move them
        self.observer.begin(names, lambda: read_estimate(self.project.root, names))
        call, report, done = self._solve()
        seconds = round(time.monotonic() - clock, 3)
        changed = self._changed(report, done)
        # An image that another tool built has no record yet; the long way below writes one.
        is_recorded = self.states.keys() == {image.name for image in self.images}
        if not changed and not done.unasked and not report.executed and is_recorded:
            self._renew_manifests()
            return BuildRecord(images=tuple(map(self._fresh, self.images)))
        # The commonest build changes nothing, and does not need the modules that explain a build.
        from layerstack.build.remember import read_records, remember
        from layerstack.build.results import Outcome

        # Engine and git answer while the results are put together.
        cache, commit = (
            beside(partial(read_records, bool(done.kept))),
            beside(partial(history.read_commit, self.project.root)),
        )
        call = replace(call, pulled=done.pulled)
        stored = images.find_all(tag for image in self.images for tag in image.names)
        outcome = Outcome(self.plan, report, changed, done.kept, call, stored)
        record = BuildRecord(seconds=seconds, started=round(began, 3), images=outcome.records())
        remember(self.store, record, outcome, self.states, cache.result())
        if not record.is_all_fresh:
            remember_sizes(self.project.root, outcome.stored)
            history.append_build(self.project.root, record, commit.result())
        return record if not record.is_all_fresh else msgspec.structs.replace(record, seconds=0.0)

    def _solve(self) -> tuple[BakeCall, BuildReport, BakeCall]:
        """What was asked for, what came of it, and the call that it came to in the end."""
        kept = self._kept_before()
        call = BakeCall(
            names=self._exported(kept),
            labels=self._labels(),
            kept=kept,
            on_images=self._on_images(),
            without_cache=self.asked if self.options.is_forced else frozenset(),
            pulls=self.options.pulls,
            caches=self.options.caches,
        )
        self.keeper.begin()
        call = replace(call, pulled=self._pulled_before())
        if self.builder:
            return self._solve_elsewhere(call)
        report, done = solve(self.project, call, self.observer, self.keeper, self.shared)
        if self._changed(report, done) & frozenset().union(*call.on_images.values()):
            # A stored image that others were built on has been rebuilt meanwhile.
            call = replace(call, on_images={}, pulled=done.pulled)
            report, done = solve(self.project, call, self.observer, self.keeper, self.shared)
        # Only the calls above show which bases ran a step.
        report = self._with_moved_bases(report, done)
        return call, report, done

    def _solve_elsewhere(self, call: BakeCall) -> tuple[BakeCall, BuildReport, BakeCall]:
        """The same by a builder that does not share the engine's images."""
        from layerstack.build.elsewhere import prepared

        team, bases = find_team(self.project), self.shared.pinned if self.shared else {}
        with prepared(self.builder, self.project, self.plan, team, bases, self.observer.note) as elsewhere:
            call = replace(call, elsewhere=elsewhere)
            report, done = solve(self.project, call, self.observer, self.keeper, self.shared)
            report = self._with_moved_bases(report, done)
            if elsewhere.targets and report is not EMPTY_REPORT:
                built = [image for image in self.images if image.name not in done.unasked]
                report = replace(report, exported=elsewhere.fetch(built))
        return call, report, done

    @cached_property
    def builder(self) -> str:
        """The builder, where it does not share the engine's images; nothing is kept then, as it has no stored image."""
        return find_builder(self.project)

    @cached_property
    def _began_ns(self) -> int:
        """Before BuildKit is given any file: plans are read in a thread, which may begin later."""
        return time.time_ns()

    @cached_property
    def before(self) -> Mapping[str, StoredImage]:
        """Tag → image, before the build."""
        return images.find_all(tag for image in self.images for tag in image.names)

    @cached_property
    def states(self) -> Mapping[str, ImageState]:
        """Image → how the stored one was built, where that is known."""
        stored = {image.name: self.before.get(image.tag) for image in self.images}
        found = {name: self.store.of_image(one.id) for name, one in stored.items() if one}
        return {name: state for name, state in found.items() if state}

    @cached_property
    def planner(self) -> Planner:
        return Planner(self.project, self.store, self.before, self._began_ns)

    @cached_property
    def plan(self) -> Plan:
        return self.keeper.evidence.plan

    @cached_property
    def keeper(self) -> Keeper:
        forced = self.asked if self.options.is_forced else frozenset()
        names = [image.name for image in self.images]
        watch = self.shared.watch if self.shared else None
        # --pull asks for newer system images, so no image is kept on an older one.
        return Keeper(lambda: self.planner.plan(names), forced, self.options.pulls or bool(self.builder), watch)

    @cached_property
    def shared(self) -> "SharedBases | None":
        """The team's registry; None with --pull, whose newer system images exclude bases built on older ones."""
        team = None if self.options.pulls else find_team(self.project)
        if team is None:
            return None
        from layerstack.build.shared import SharedBases

        return SharedBases(team, self.observer.note)

    def _pulled_before(self) -> frozenset[str]:
        """Bases that are not on this engine, and that a team's registry has."""
        bases = [image for image in self.project.base_images if image in self.images]
        # A base that is here may be in BuildKit's cache: the registry is only asked once a step runs.
        if self.shared is None or all(image.tag in self.before for image in bases):
            return frozenset()
        return self.shared.pull(self.shared.find_absent(self.keeper.evidence), self.keeper.evidence)

    @cached_property
    def bases(self) -> tuple[PlannedImage, ...]:
        """The bases that are requested or built on."""
        names = [image.name for image in self.project.base_images if image in self.images]
        return self.planner.plan(names).images if names else ()

    def missing_bases(self) -> tuple[str, ...]:
        """Inputs digests of bases that are missing or outdated here."""
        return tuple(one.manifest.digest for one in self.bases if not one.is_fresh)

    def _exported(self, kept: frozenset[str]) -> tuple[str, ...]:
        """What is asked of bake by name. A base that nobody asked for and that is here as it should be is none of it:
        its steps are solved all the same, and naming the same image again takes 0.04 s. With `kept` images on top of
        it, which are not solved, only its name makes BuildKit look at it."""
        is_every = bool(kept) or self.options.is_forced or self.options.pulls
        settled = {one.name for one in self.bases if one.is_fresh and not is_every}
        return tuple(image.name for image in self.images if image.name in self.asked or image.name not in settled)

    def _with_moved_bases(self, report: BuildReport, call: BakeCall) -> BuildReport:
        """Bases of which a step ran, against our reading, get their names in a call of their own."""
        moved = {step.image for step in report.executed}.difference(call.names)
        if not moved:
            return report
        names = (*call.names, *(image.name for image in self.images if image.name in moved))
        again, _ = solve(self.project, replace(call, names=names), self.observer, self.keeper, self.shared)
        return replace(report, exported={**report.exported, **again.exported})

    def _labels(self) -> dict[str, dict[str, str]]:
        """What a base is made of goes with it to other machines."""
        return {one.name: {INPUTS_LABEL: one.manifest.digest} for one in self.bases}

    def _kept_before(self) -> frozenset[str]:
        """Images whose cache was gone the last time, and still is: they are not asked for again."""
        gone = [name for name, state in self.states.items() if state.is_cache_gone]
        if not gone or self.options.is_forced or self.options.pulls:
            return frozenset()
        evidence = self.keeper.evidence
        kept = frozenset(
            name for name in gone if evidence.is_unknown_to_cache(self.plan.of(name), self.states[name].passed_over)
        )
        if not self.builder:
            return kept
        # Another builder gets them from the registry alone.
        return self.shared.find_known(map(self.plan.of, kept)) if self.shared else frozenset()

    def _on_images(self) -> dict[str, frozenset[str]]:
        """Image → parents that it is built on as they are stored.

        After a build without the cache BuildKit knows two results of the same steps, and what is built on them is found
        by way of the older one.
        """
        forced = {name for name, state in self.states.items() if state.is_forced and not self.builder}
        found = {image.name: frozenset(forced & set(image.parents)) for image in self.images}
        return {
            name: frozenset(parent for parent in parents if not self._is_on_steps_of(name, parent))
            for name, parents in found.items()
            if parents and not (self.options.is_forced and name in self.asked)
        }

    def _is_on_steps_of(self, name: str, parent: str) -> bool:
        """Whether the stored image was built together with its parent as that is stored."""
        state = self.states.get(name)
        stored = self.before.get(self.project.image(parent).tag)
        if state is None or parent in state.on_images:
            return False
        return state.parent_layers.get(parent) == layers_identity(stored)

    def _changed(self, report: BuildReport, done: BakeCall) -> frozenset[str]:
        """Images that were built and whose tags name another image than before."""
        return frozenset(image.name for image in self.images if self._is_renamed(image, report, done))

    def _is_renamed(self, image: Image, report: BuildReport, done: BakeCall) -> bool:
        if image.name in done.unasked:
            return False
        now = {tag: report.exported.get(familiar(tag)) for tag in image.names}
        # A base that was not asked for by name is not exported, and the stream does not mention its tags.
        return any(one and (tag not in self.before or self.before[tag].id != one) for tag, one in now.items())

    def _renew_manifests(self) -> None:
        """Other inputs can make the same image: what is compared the next time is what made it now.

        Not waited for: a large context may take longer to read than BuildKit takes to find it unchanged.
        """
        plan = self.keeper.finished_plan
        for one in plan.images if plan else ():
            state = self.states[one.name]
            # An incomplete manifest would later be compared as if it were complete.
            if not one.manifest.unknown and one.manifest.digest != state.manifest.digest:
                self.store.write(msgspec.structs.replace(state, manifest=one.manifest))

    def _fresh(self, image: Image) -> ImageRecord:
        inputs = self.states[image.name].manifest.digest
        return ImageRecord(image=image.name, action="fresh", inputs=inputs, parents=tuple(image.parents))


def _above_missing_image(message: str, keeper: Keeper) -> frozenset[str]:
    """Keepable images that stand on a system image which no engine and no registry has."""
    missing = set(map(familiar, missing_image.named_in(message)))
    if not missing or keeper.never_keeps:
        return frozenset()
    evidence = keeper.evidence
    lost: frozenset[str] = frozenset()
    for one in evidence.plan.images:
        if evidence.is_keepable(one) and missing & set(map(familiar, one.manifest.parents)):
            lost |= evidence.lost_with(one.name)
    return lost


def _restore_tags(keeper: Keeper, names: frozenset[str]) -> None:
    """The tags of kept images name the stored ones: a short step may have been over, and its image named, before the
    build was ended."""
    kept = [one for one in keeper.evidence.plan.images if one.name in names] if names else []
    now = images.find_all(tag for one in kept for tag in one.image.names)
    for one in kept:
        for tag in one.image.names:
            if one.stored and (tag not in now or now[tag].id != one.stored.id):
                # The docker command starts in 0.03 s; loading the SDK takes 0.1 s.
                command.run(("docker", "tag", one.stored.id, tag)).require()
