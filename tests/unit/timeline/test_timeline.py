"""Builds from history as lanes and bars, in words and as a picture that escapes everything."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from task_call import invoke

from layerstack.build import history
from layerstack.build.bake import BakeCall
from layerstack.build.buildlog import BuildLog
from layerstack.build.inputs import unreadable
from layerstack.build.plan import Plan, PlannedImage
from layerstack.build.record import BuildRecord, LoggedBuild
from layerstack.build.results import Outcome
from layerstack.build.step_text import instruction_of
from layerstack.dockerfile.image import Image
from layerstack.errors import UsageError
from layerstack.moment import local_time
from layerstack.timeline import picture as timeline_picture
from layerstack.timeline import text as timeline_text
from layerstack.timeline.layout import Axis, PlacedBar, axis_of, place_lane, tick_text
from layerstack.timeline.picture import SUFFIXES, draw, picture_path, write_picture
from layerstack.timeline.text import shown_bars, time_text, title, totals, unshown
from layerstack.timeline.timeline import Timeline, read_timeline, read_timelines, summary

DATA = Path(__file__).parents[1] / "data" / "rawjson"
BEGAN = 1_700_000_000.0
SVG = "{http://www.w3.org/2000/svg}"


def step(name: str, start: float, seconds: float, **more: Any) -> dict[str, Any]:
    given = {"cached": False, "place": "app/Dockerfile:4", "cause": None, "critical": False}
    return {"step": name, "started": BEGAN + start, "seconds": seconds, **given, **more}


def work(kind: str, start: float, seconds: float, is_critical: bool = False) -> dict[str, Any]:
    return {"kind": kind, "started": BEGAN + start, "seconds": seconds, "critical": is_critical}


def image(name: str, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"image": name, "action": "built", "cause": "", "seconds": 1.0, "steps": list(steps), "works": [], **more}


def record(*images: dict[str, Any], seconds: float = 10.0, **more: Any) -> dict[str, Any]:
    return {"started": BEGAN, "seconds": seconds, "commit": "a1b2c3d", "dirty": True, "images": list(images), **more}


def timeline(*images: dict[str, Any], seconds: float = 10.0) -> Timeline:
    found = read_timeline(msgspec.convert(record(*images, seconds=seconds), LoggedBuild))
    assert found is not None
    return found


def small() -> Timeline:
    base = image("base", step("2/2 RUN install", 1, 5, critical=True), cause="first-build")
    app = image(
        "app",
        step("deps 2/3 RUN a", 6, 0, cached=True),
        step("deps 3/3 COPY src src", 6, 3, critical=True),
        works=[work("transfer", 0.5, 1), work("export", 9, 1, is_critical=True)],
        cause="file-content: src/x changed",
    )
    return timeline(base, app, image("other", action="fresh"))


def placed(found: Timeline, width: float = 1000) -> list[PlacedBar]:
    axis = axis_of(found, width)
    return [bar for lane in found.lanes for bar in place_lane(lane, axis, 6).bars]


def test_a_real_stream_comes_back_from_history_as_lanes(tmp_path: Path) -> None:
    log = BuildLog(["base", "app"])
    for line in (DATA / "bake_cold.rawjson.jsonl").read_text().splitlines():
        log.feed(line)
    told = log.report(ok=True, seconds=5)
    began = min(step.started for step in told.steps if step.started) - 0.1
    plan = Plan(
        tuple(PlannedImage(Image(name, "."), unreadable(Image(name, "."), ""), None, None) for name in ("base", "app"))
    )
    outcome = Outcome(plan, told, frozenset(), frozenset(), BakeCall(()), {})
    history.append_build(tmp_path, BuildRecord(seconds=5, started=began, images=outcome.records()))
    [found] = read_timelines(tmp_path, 3)
    assert {lane.image: len(lane.bars) for lane in found.lanes} == {"base": 2, "app": 7}
    assert [bar.text for _, bar in found.critical][-2:] == ["RUN echo verify && sleep 2", "export image"]
    assert 0.05 < min(bar.started for lane in found.lanes for bar in lane.bars) < 0.2
    assert max(bar.ended for lane in found.lanes for bar in lane.bars) < found.seconds == 5


def test_the_last_builds_come_oldest_first(tmp_path: Path) -> None:
    for number in range(5):
        history.append(tmp_path, "build", record(commit=str(number)))
        history.append(tmp_path, "rebuild", {"service": "web"})
    assert [one.commit for one in read_timelines(tmp_path, 2)] == ["3", "4"]
    assert len(read_timelines(tmp_path, 99)) == 5
    with pytest.raises(UsageError):
        read_timelines(tmp_path, 0)


@pytest.mark.parametrize(
    "damaged",
    [
        {},
        {"started": None},
        {"images": None},
        {"images": ["app"]},
        {"images": [{"image": "app"}]},
        {"images": [image("app", {**step("1/1 RUN x", 0, 1), "seconds": "long"})]},
        {"images": [image("app", works=[work("dance", 0, 1)])]},
    ],
)
def test_a_line_that_tells_no_times_is_passed_over(tmp_path: Path, damaged: dict[str, Any]) -> None:
    line = {**record(image("app")), **damaged} if damaged else {"seconds": 3, "images": []}
    history.append(tmp_path, "build", line)
    assert read_timelines(tmp_path, 9) == []


def test_a_step_ends_when_the_next_of_its_stage_begins() -> None:
    first, second = step("deps 2/3 RUN a", 0, 3), step("deps 3/3 RUN b", 2, 3)
    parallel, last = step("build 2/2 RUN c", 1, 9), step("runtime 2/2 RUN d", 4, 1)
    [lane] = timeline(image("app", first, second, parallel, last)).lanes
    assert {bar.text: bar.ended for bar in lane.bars} == {"RUN a": 2, "RUN b": 5, "RUN c": 10, "RUN d": 5}
    assert lane.bars[0].seconds == 3


def test_a_bar_of_the_path_ends_when_the_next_begins_in_another_image() -> None:
    base = image("base", step("2/2 RUN a", 0, 3.2, critical=True), step("2/2 RUN slow", 0, 9))
    app = image("app", step("2/2 COPY b", 3, 1, critical=True), step("x 2/2 RUN other", 1, 1))
    bars = {bar.text: bar.ended for lane in timeline(base, app).lanes for bar in lane.bars}
    assert bars == {"RUN a": 3, "RUN slow": 9, "COPY b": 4, "RUN other": 2}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "deps 2/4 RUN --mount=type=cache,target=/a --network=none set -eu; npm ci --omit=dev",
            "RUN npm ci --omit=dev",
        ),
        ("3/7 COPY --chown=app:app --from=build /app /app", "COPY --from=build /app /app"),
        ("2/2 RUN cp a --from=b c", "RUN cp a --from=b c"),
        ("runtime 3/4 WORKDIR  /app", "WORKDIR /app"),
        ("no number here", "no number here"),
    ],
)
def test_a_label_is_what_a_step_does(name: str, text: str) -> None:
    assert instruction_of(name) == text


def test_a_build_in_words() -> None:
    assert title(small()) == f"Build of {local_time(BEGAN)} · 10 s · commit a1b2c3d + changes"
    said = totals(small())
    assert "2 of 3 images built" in said
    assert "2 steps ran, 1 cached" in said
    assert "critical path 9.0 s of 10 s" in said
    assert "longest on it: base RUN install 5.0 s, app COPY src src 3.0 s" in said
    assert "critical" not in totals(timeline())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.041, "0.04 s"),
        (0.0949, "0.09 s"),
        (0.096, "0.1 s"),
        (9.96, "10 s"),
        (99.4, "99 s"),
        (120, "2 min"),
        (725, "12 min 5 s"),
    ],
)
def test_times_are_as_short_as_they_can_be(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_a_terminal_shows_bars_marks_and_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    timeline_text.print_timelines([small()])
    rows = capsys.readouterr().out.splitlines()
    assert any("app" in row and "file-content: src/x changed" in row for row in rows)
    assert any("up to date" in row and "other" in row for row in rows)
    assert {row.split("  ")[0] for row in rows if "█" in row and "send context" not in row} == {"◆"}
    lengths = {name: sum(row.count("█") for row in rows if name in row) for name in ("RUN install", "COPY src src")}
    assert lengths["RUN install"] > lengths["COPY src src"] > 10


def test_markup_in_names_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    timeline_text.print_timelines([timeline(image("[red]", step("2/2 RUN grep [/bin] [bold]", 0, 5), cause="[/red]"))])
    shown = capsys.readouterr().out
    assert all(text in shown for text in ("[red]", "RUN grep [/bin] [bold]", "[/red]"))


def test_what_is_too_short_to_show_is_counted() -> None:
    steps = [step("2/4 RUN a", 0, 5), step("3/4 RUN b", 5, 0.001), step("4/4 RUN c", 6, 0, cached=True)]
    found = timeline(image("app", *steps))
    assert [bar.text for bar in shown_bars(found.lanes[0], found)] == ["RUN a"]
    assert list(unshown(found.lanes[0], found)) == ["1 cached", "1 under 0.1 s"]


@given(st.floats(0.01, 200_000))
def test_an_axis_has_round_moments_and_few(seconds: float) -> None:
    ticks = Axis(seconds, 1000).ticks
    assert ticks[0] == 0
    assert len(ticks) <= 15
    assert ticks[-1] <= seconds * 1.0001
    step = ticks[1] if len(ticks) > 1 else seconds
    assert len({tick_text(tick, step) for tick in ticks}) == len(ticks)


@pytest.mark.parametrize(
    ("seconds", "step", "text"),
    [(0.4, 0.2, "0.4 s"), (30, 15, "30 s"), (150, 30, "2:30 min"), (600, 300, "10 min"), (7200, 1800, "2 h")],
)
def test_moments_are_named_by_their_size(seconds: float, step: float, text: str) -> None:
    assert tick_text(seconds, step) == text


MOMENTS = st.floats(0, 90)
STEPS = st.builds(
    lambda number, text, start, seconds, cached, critical: step(
        f"s{number} 2/9 RUN {text}", start, 0 if cached else seconds, cached=cached, critical=critical
    ),
    st.integers(0, 99),
    st.text(max_size=90),
    MOMENTS,
    st.floats(0, 9),
    st.booleans(),
    st.booleans(),
)


def _drawn(one: PlacedBar) -> tuple[float, float]:
    """From where to where something of the bar or its label is drawn, a little less than it can be."""
    size = len(one.label) * 5
    return one.left - (size if one.side == "before" else 0), one.right + (size if one.side == "after" else 0)


@given(st.lists(STEPS, max_size=14))
def test_bars_and_labels_never_cover_each_other_and_stay_on_the_paper(steps: list[dict[str, Any]]) -> None:
    found = timeline(image("app", *steps), seconds=99)
    bars = placed(found, 900)
    assert len(bars) == sum(not one["cached"] for one in steps)
    for number, one in enumerate(bars):
        left, right = _drawn(one)
        assert left >= 0
        assert right <= 900.01
        for other in bars[number + 1 :]:
            if other.row == one.row:
                assert _drawn(other)[0] >= right - 3.01 or _drawn(other)[1] <= left + 3.01


def test_what_follows_stands_beside_what_it_followed() -> None:
    found = timeline(image("app", *(step(f"{n}/9 RUN {n}", n - 1, 1) for n in range(1, 9))))
    assert {bar.row for bar in placed(found)} == {0}


def test_a_bar_that_is_too_small_has_no_label_but_a_tooltip() -> None:
    found = timeline(image("app", step("2/3 RUN long", 0, 9), step("3/3 RUN short", 9, 0.001)))
    assert [bar.label for bar in placed(found)] == ["RUN long 9.0 s", ""]
    assert "RUN short" in "".join(ElementTree.fromstring(draw([found])).itertext())


def test_the_picture_tells_kinds_causes_and_the_path() -> None:
    root = ElementTree.fromstring(draw([small()]))
    groups = [group for group in root.iter(f"{SVG}g") if group.find(f"{SVG}title") is not None]
    assert sorted(group.get("class") or "" for group in groups) == sorted(
        ["bar run critical", "bar cached", "bar run critical", "bar transfer", "bar export critical"]
    )
    texts = "\n".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))
    assert all(word in texts for word in ("base", "file-content: src/x changed", "fresh", "a1b2c3d + changes"))
    assert len(list(root.iter(f"{SVG}path"))) >= 1, "base and app are joined"


def test_the_time_axis_is_shared_by_all_lanes() -> None:
    root = ElementTree.fromstring(draw([small()]))
    lefts = {
        (group.findtext(f"{SVG}title") or "").split("\n")[0]: float(group[0].get("x") or 0)
        for group in root.iter(f"{SVG}g")
        if group.find(f"{SVG}title") is not None
    }
    second = (lefts["deps 3/3 COPY src src"] - lefts["2/2 RUN install"]) / 5
    assert lefts["export image"] - lefts["deps 3/3 COPY src src"] == pytest.approx(3 * second, abs=0.2)
    assert second == pytest.approx(timeline_picture.PLOT_WIDTH / 10, abs=0.1)


def test_the_cause_of_a_step_is_its_tooltip() -> None:
    cause = {"kind": "file-mode", "detail": "run.sh 0644 → 0755"}
    root = ElementTree.fromstring(draw([timeline(image("app", step("2/2 COPY . .", 0, 5, cause=cause)))]))
    [tooltip] = [title.text or "" for title in root.iter(f"{SVG}title") if "COPY" in (title.text or "")]
    assert tooltip.splitlines()[:3] == ["2/2 COPY . .", "app/Dockerfile:4", "file-mode: run.sh 0644 → 0755"]


@given(st.text(max_size=60))
def test_nothing_that_a_build_says_becomes_markup(text: str) -> None:
    steps = [step(f"2/3 RUN {text}", 0, 5, cause={"kind": "file-content", "detail": text})]
    odd = image(f"<script>{text}", *steps, cause=f"</text><script>{text}")
    root = ElementTree.fromstring(draw([timeline(odd), timeline(odd)]))
    assert not list(root.iter(f"{SVG}script"))
    draw([timeline(odd)]).encode("utf-8")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_picture_needs_nothing_outside_its_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"builds{suffix}"
    write_picture([small(), small()], picture_path(str(path)))
    text = path.read_text(encoding="utf-8")
    assert text.count(f"Build of {local_time(BEGAN)}") == 2
    assert "prefers-color-scheme: dark" in text
    told = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not [word for word in ("http", "src=", "@import", "url(", "<script", "<link") if word in told]
    if suffix == ".svg":
        assert ElementTree.fromstring(text).tag == f"{SVG}svg"
    else:
        assert text.startswith("<!doctype html>")


def test_a_build_with_nothing_in_it_can_be_drawn() -> None:
    root = ElementTree.fromstring(draw([timeline(seconds=0)]))
    assert float(root.get("height") or 0) > 50


@pytest.mark.parametrize("name", ["builds.png", "builds", ".svg"])
def test_another_kind_of_picture_is_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        picture_path(name)
    assert ".svg" in str(refused.value)
    assert ".html" in str(refused.value)


def test_a_folder_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        write_picture([small()], tmp_path / "no" / "builds.svg")


def test_the_document_tells_the_same(tmp_path: Path) -> None:
    document = json.loads(json.dumps(summary([small()])))
    [build] = document["builds"]
    assert (build["commit"], build["dirty"], build["seconds"]) == ("a1b2c3d", True, 10.0)
    assert [lane["image"] for lane in build["lanes"]] == ["base", "app", "other"]
    assert [bar["kind"] for bar in build["lanes"][1]["bars"]] == ["transfer", "cached", "run", "export"]


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        ("", 0, "nothing was built here yet: `invoke build`"),
        ("--output builds.svg", 0, "nothing was built here yet"),
        ("--output builds.png", 2, ".svg or .html"),
        ("--last 0", 2, "1 or more"),
    ],
)
def test_the_task_without_a_build_or_with_a_wrong_request(
    words: str,
    exit_code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "docker-compose.yml").touch()
    monkeypatch.chdir(tmp_path)
    assert invoke(f"timeline {words}") == exit_code
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["docker-compose.yml"]


def test_the_task_draws_prints_and_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docker-compose.yml").touch()
    monkeypatch.chdir(tmp_path)
    for seconds in (4.0, 5.0):
        history.append(tmp_path, "build", record(image("app", step("2/2 RUN x", 0, 2)), seconds=seconds))
    assert invoke("timeline --last 2 --output builds.html --json") == 0
    assert [build["seconds"] for build in json.loads(capsys.readouterr().out)["builds"]] == [4, 5]
    assert (tmp_path / "builds.html").read_text().count("RUN x 2.0 s") == 2
    assert invoke("timeline") == 0
    assert capsys.readouterr().out.count("RUN x") == 1
