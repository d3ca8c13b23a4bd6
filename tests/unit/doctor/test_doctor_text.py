"""What a person reads: the verdict first, then problems, then the rest in short."""

import pytest

from layerstack.doctor.doctor import Examination
from layerstack.doctor.doctor_text import print_findings, verdict
from layerstack.finding import Finding, error, ok, warning

ODD = "RUN [x] :smile: [bold]"


def printed(found: Examination, capsys: pytest.CaptureFixture[str], shows_all: bool = False) -> str:
    print_findings(found, shows_all)
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("problems", "text"),
    [
        ([], "nothing blocks a build or a start"),
        ([warning("a", "", "")], "nothing blocks a build or a start; 1 warning"),
        ([error("a", "", "")], "1 problem blocks a build or a start"),
        (
            [error("a", "", ""), error("b", "", ""), warning("c", "", "")],
            "2 problems block a build or a start; 1 warning",
        ),
    ],
)
def test_the_first_line_is_the_verdict(problems: list[Finding], text: str) -> None:
    assert verdict(problems) == text


def test_a_problem_has_its_place_reason_and_remedy_with_all_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    finding = Finding("disk", "error", ODD, "free [some]", "because [of it]", place="file.yml:3")
    text = printed(Examination((finding,)), capsys)
    for part in ("✗ disk file.yml:3", ODD, "→ free [some]", "because [of it]"):
        assert part in text


def test_what_is_fine_takes_one_line_unless_all_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    found = Examination((ok("engine", "28 [x]"), ok("disk", "9 GB")), (warning("registry", "silent [one]", ""),))
    short = printed(found, capsys)
    assert "2 checks found nothing wrong" in short
    assert "suppressed: 1 finding (registry)" in short
    assert "28 [x]" not in short
    everything = printed(found, capsys, shows_all=True)
    assert "28 [x]" in everything
    assert "silent [one]" in everything
