"""BuildKit's progress stream becomes a report; the streams in data/ were captured from real builds."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerstack.build.buildlog import BuildLog, BuildReport
from layerstack.build.placement import Placement
from layerstack.dockerfile.image import Image

DATA = Path(__file__).parents[1] / "data" / "rawjson"
APP_STEPS = {
    "1/6 WORKDIR /app",
    "2/6 COPY requirements.txt /app/",
    "3/6 RUN echo deps && sleep 1",
    "4/6 COPY . /app/",
    "5/6 RUN echo verify && sleep 2",
}
SECOND = "2026-11-20T10:00:{:09.6f}Z"


def read(name: str, *targets: str) -> BuildReport:
    log = BuildLog(targets)
    for line in (DATA / f"{name}.jsonl").read_text().splitlines():
        log.feed(line)
    return log.report(ok=True, seconds=5.0)


def vertex(name: str, *times: float, digest: str = "sha256:1", **more: Any) -> str:
    moments = dict(zip(("started", "completed"), (SECOND.format(time) for time in times), strict=False))
    return json.dumps({"vertexes": [{"digest": digest, "name": name, **moments, **more}]})


def report_of(*lines: str, targets: tuple[str, ...] = ("app",), ok: bool = True) -> BuildReport:
    log = BuildLog(targets)
    for line in lines:
        log.feed(line)
    return log.report(ok=ok, seconds=1.0)


def texts(report: BuildReport, image: str, is_cached: bool) -> set[str]:
    return {
        f"{step.number}/{step.total} {step.instruction}" for step in report.of(image) if step.is_cached == is_cached
    }


def test_a_cold_build_executed_everything() -> None:
    report = read("bake_cold.rawjson", "base", "app")
    assert texts(report, "app", is_cached=False) == APP_STEPS
    assert texts(report, "base", is_cached=False) == {"2/2 RUN echo base-dep > /base.txt && sleep 1"}
    assert report.cached == ()


def test_a_code_change_executed_only_what_comes_after_it() -> None:
    report = read("bake_code_change.rawjson", "base", "app")
    assert texts(report, "app", is_cached=False) == {"4/6 COPY . /app/", "5/6 RUN echo verify && sleep 2"}
    assert texts(report, "app", is_cached=True) == APP_STEPS - texts(report, "app", is_cached=False)
    assert texts(report, "base", is_cached=True) == {"2/2 RUN echo base-dep > /base.txt && sleep 1"}
    assert (len(report.executed), len(report.cached)) == (2, 4)


def test_compose_prints_the_same_stream() -> None:
    report = read("compose_progress_json.stdout", "base-x", "app")
    assert report.executed == ()
    assert {step.instruction for step in report.of("app")} >= {text.split(" ", 1)[1] for text in APP_STEPS}


def test_a_step_that_two_images_share_takes_its_time_once() -> None:
    """Both report `sleep 1`, 20 ms apart; each says 1.16 s."""
    [step] = read("bake_cold.rawjson", "base", "app").of("base")
    assert step.seconds == pytest.approx(1.178, abs=0.002)


def test_transfer_and_export_are_told_apart_per_image() -> None:
    report = read("bake_code_change.rawjson", "base", "app")
    assert report.work_seconds("app", "transfer") == pytest.approx(0.0056, abs=0.0005)
    assert report.work_seconds("app", "export") == pytest.approx(0.0181, abs=0.0005)
    assert report.work_seconds("base", "transfer") == 0
    assert report.work_seconds("base", "export", "transfer") > 0


def test_compose_events_are_no_steps_and_no_errors() -> None:
    log = BuildLog(["app"])
    for line in (DATA / "compose_progress_json.stderr.jsonl").read_text().splitlines():
        assert log.feed(line) == []
    assert (log.vertices, log.stray_lines) == ({}, [])


def test_from_is_not_counted_as_a_step() -> None:
    report = read("bake_code_change.rawjson", "base", "app")
    assert any(step.instruction.startswith("FROM") for step in report.steps)
    assert not any(step.instruction.startswith("FROM") for step in (*report.executed, *report.cached))


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        ([(0, 1)], 1),
        ([(0, 1), (5, 7)], 3),
        ([(0, 4), (1, 5)], 5),
        ([(0, 9), (2, 3)], 9),
        ([(5, 7), (0, 1)], 3),
        ([(0, 1), (0, 1)], 1),
    ],
)
def test_intervals_of_a_vertex_add_up_without_overlap(times: list[tuple[float, float]], seconds: float) -> None:
    report = report_of(*(vertex("[1/2] RUN x", *interval) for interval in times))
    assert report.steps[0].seconds == pytest.approx(seconds)


def test_an_interval_is_open_until_its_own_end_is_told() -> None:
    log = BuildLog(["app"])
    [running] = log.feed(vertex("[1/2] RUN x", 1))
    assert (running.is_running, running.is_done, running.completed) == (True, False, None)
    log.feed(vertex("[1/2] RUN x", 2, 3))
    assert running.is_running
    log.feed(vertex("[1/2] RUN x", 1, 4))
    assert running.is_done
    assert running.completed is not None
    assert running.completed - (running.started or 0) == pytest.approx(3)


def test_a_vertex_told_again_without_times_keeps_its_own() -> None:
    report = report_of(vertex("[2/2] COPY . .", 0, 2), vertex("[2/2] COPY . ."))
    assert report.steps[0].seconds == 2


def test_a_step_that_never_ended_is_not_in_the_report() -> None:
    assert report_of(vertex("[2/2] RUN x", 0)).steps == ()


@pytest.mark.parametrize(
    ("name", "targets", "expected"),
    [
        ("[2/4] RUN x", ("app",), ("app", "", 2, 4)),
        ("[deps 2/4] RUN x", ("app",), ("app", "deps", 2, 4)),
        ("[linux/arm64/v8 deps 2/4] RUN x", ("app",), ("app", "deps", 2, 4)),
        ("[app 2/4] RUN x", ("app", "web"), ("app", "", 2, 4)),
        ("[web build 12/14] RUN x", ("app", "web"), ("web", "build", 12, 14)),
        ("[web linux/amd64 build 2/4] RUN x", ("app", "web"), ("web", "build", 2, 4)),
        ("[elsewhere build 2/4] RUN x", ("app", "web"), ("", "build", 2, 4)),
    ],
)
def test_names_of_steps(name: str, targets: tuple[str, ...], expected: tuple[str, str, int, int]) -> None:
    [step] = report_of(vertex(name, 0, 1), targets=targets).steps
    assert (step.image, step.stage, step.number, step.total) == expected
    assert step.instruction == "RUN x"


@pytest.mark.parametrize(
    "name", ["[internal] load .dockerignore", "[app internal] load build context", "exporting to image", "", "[1/2]"]
)
def test_buildkits_own_work_is_no_step(name: str) -> None:
    assert report_of(vertex(name, 0, 1)).steps == ()


def test_an_instruction_may_hold_line_ends_and_brackets() -> None:
    [step] = report_of(vertex("[build 2/3] RUN <<EOF (echo [1/2]...)\nmore", 0, 1)).steps
    assert (step.stage, step.number) == ("build", 2)
    assert step.key == "build RUN <<EOF (echo [1/2]...) more"


def test_a_failing_build_names_its_step_its_log_and_the_message() -> None:
    logs = [
        json.dumps({"logs": [{"vertex": f"sha256:{digest}", "stream": 2, "data": base64.b64encode(data).decode()}]})
        for digest, data in ((8, b"at work\n"), (9, b"E: caf"), (9, b"\xc3"), (9, b"\xa9 not found \xff\n"))
    ]
    report = report_of(
        vertex(
            "[deps 2/3] RUN work",
            0,
            1,
            digest="sha256:8",
            error='process "work" did not complete successfully: context canceled',
        ),
        vertex("[deps 3/3] RUN break", 0, digest="sha256:9"),
        *logs,
        vertex("[deps 3/3] RUN break", 0, 1, digest="sha256:9", error="exit code: 7"),
        "Dockerfile:3",
        "",
        "ERROR: target app: failed to solve",
        ok=False,
    )
    assert report.failed is not None
    assert (report.failed.name, report.failed.error) == ("deps 3/3 RUN break", "exit code: 7")
    assert report.failed_log == "E: café not found \N{REPLACEMENT CHARACTER}\n"
    assert report.message == "Dockerfile:3\nERROR: target app: failed to solve"
    assert not report.ok


def test_a_flood_of_output_keeps_its_end() -> None:
    lines = [base64.b64encode(f"{number:06d}\n".encode() * 1000).decode() for number in range(40)]
    report = report_of(
        vertex("[2/2] RUN x", 0, 1, error="exit code: 1"),
        *(json.dumps({"logs": [{"vertex": "sha256:1", "data": data}]}) for data in lines),
    )
    assert report.failed_log.endswith("000039\n")
    assert len(report.failed_log) <= 64 * 1024


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40).filter(lambda text: "\n" not in text))
def test_a_line_that_is_not_json_is_kept(line: str) -> None:
    log = BuildLog(["app"])
    try:
        is_object = isinstance(json.loads(line), dict)
    except ValueError:
        is_object = False
    log.feed(line)
    assert log.stray_lines == ([] if is_object else [line])


@pytest.mark.parametrize("line", ["{broken", '{"vertexes"', "{}", '{"unknown": 1}', '{"vertexes": null}'])
def test_odd_objects_do_no_harm(line: str) -> None:
    assert BuildLog(["app"]).feed(line) == []


def test_a_failure_whose_command_mentions_canceled_is_a_failure() -> None:
    text = 'process "/bin/sh -c echo my orders && grep -q Canceled /a" did not complete successfully: exit code: 1'
    log = json.dumps({"logs": [{"vertex": "sha256:9", "data": base64.b64encode(b"my orders\n").decode()}]})
    report = report_of(
        vertex("[2/2] RUN grep", 0, digest="sha256:9"),
        log,
        vertex("[2/2] RUN grep", 0, 1, digest="sha256:9", error=text),
        ok=False,
    )
    assert report.failed is not None
    assert report.failed_log == "my orders\n"


def test_log_data_without_bytes_is_null() -> None:
    log = BuildLog(["app"])
    log.feed('{"logs":[{"vertex":"sha256:1","stream":1,"data":null,"timestamp":"2026-11-27T20:04:32Z"}]}')
    assert log.vertices["sha256:1"].log == b""


def test_a_vertex_of_buildx_has_the_offset_of_the_machine() -> None:
    log = BuildLog(["app"])
    log.feed(
        '{"vertexes":[{"digest":"sha256:1","name":"[internal] load local bake definitions",'
        '"started":"2026-11-27T21:04:32.543851555+01:00","completed":"2026-11-27T21:04:32.6+01:00"},'
        '{"digest":"sha256:2","name":"[internal] x","started":"2026-11-27T20:04:32.6Z"}]}'
    )
    buildx, buildkit = log.vertices["sha256:1"], log.vertices["sha256:2"]
    assert buildx.completed == buildkit.started
    assert buildx.seconds == pytest.approx(0.056, abs=0.001)


def test_the_source_of_a_download_is_no_step(tmp_path: Path) -> None:
    """BuildKit asks it in every build; what is made of it is cached while it gives the same."""
    times = {"started": "2026-11-20T10:00:00Z", "completed": "2026-11-20T10:00:01Z"}
    name = "[2/2] ADD https://example.invalid/file /file"
    source = {"digest": "sha256:1", "name": name, **times}
    step = {"digest": "sha256:2", "name": name, "inputs": ["sha256:0", "sha256:1"], "cached": True, **times}
    log = BuildLog(["app"])
    log.feed(json.dumps({"vertexes": [source, step]}))
    report = log.report(ok=True, seconds=1.0)
    assert (len(report.executed), len(report.cached)) == (0, 1)


@pytest.mark.parametrize(("inputs", "is_cached"), [((), True), (("sha256:0",), False)])
def test_a_folder_on_scratch_is_made_in_every_build(inputs: tuple[str, ...], is_cached: bool) -> None:
    """BuildKit has no cache for it; what is made after it is cached all the same."""
    for name in ("[1/2] WORKDIR /app", "[1/2] ONBUILD WORKDIR /app"):
        report = report_of(vertex(name, 0, 1, inputs=inputs))
        assert [step.is_cached for step in report.of("app")] == [is_cached]


def test_a_tab_after_the_keyword_is_a_blank(tmp_path: Path) -> None:
    """BuildKit 0.25 shows `COPY\\ta\\t/x` as `COPY\\tA\\t/X`."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY b /b\nCOPY\ta\t/x\n")
    log = BuildLog(["app"], Placement(tmp_path, [Image("app", ".")]).place)
    log.feed(vertex("[1/2] COPY b /b", 0, 1, inputs=["sha256:0"]))
    log.feed(vertex("[2/2] COPY\tA\t/X", 1, 2, digest="sha256:2", inputs=["sha256:1"]))
    assert [step.place for step in log.report(ok=True, seconds=2.0).executed] == ["Dockerfile:2", "Dockerfile:3"]


def test_stages_of_one_name_keep_their_lines_in_a_stream_without_order(tmp_path: Path) -> None:
    """Seen with Engine 28.5: the last steps of a build come first."""
    stages = (
        "FROM system AS build\nCOPY a /a\nCOPY end /end\nFROM build AS build\nCOPY a /a\nCOPY b /b\nCOPY end /last\n"
    )
    (tmp_path / "Dockerfile").write_text(stages)
    names = ("2/3] COPY a /a", "3/3] COPY end /end", "1/3] COPY a /a", "2/3] COPY b /b", "3/3] COPY end /last")
    lines = [vertex(f"[build {one}", 1, 2, digest=one, inputs=names[:at][-1:]) for at, one in enumerate(names)]
    log = BuildLog(["app"], Placement(tmp_path, [Image("app", ".")]).place)
    log.feed(json.dumps({"vertexes": [event for one in reversed(lines) for event in json.loads(one)["vertexes"]]}))
    places = {step.digest: step.place for step in log.report(ok=True, seconds=1.0).steps}
    assert [places[one] for one in names] == [f"Dockerfile:{line}" for line in (2, 3, 5, 6, 7)]
