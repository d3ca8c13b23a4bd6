"""Every command that the documents name exists, with its options; every link leads somewhere; README is short."""

import re
import shlex
from pathlib import Path

import pytest
from invoke.parser import ParserContext
from invoke.program import Program

import tasks
from layerstack.tasks.words import CommandLine

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("backend/**/README.md")])
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(?:layerstack|invoke) ([^`]*)`")
IN_BLOCK = re.compile(r"(?:^(?:\$ )?|&& |run: |^ +)(?:[A-Z_]+=\S+ )?(?:layerstack|invoke) ([^\n|>#]*)", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
# Words in capitals stand for names; brackets for what may be left out.
PLACEHOLDER = re.compile(r"\[[^\]]*\]")
WORDS_OF_README = 1100


def commands(text: str) -> list[str]:
    """What follows the name of the program, in shell blocks and between backticks."""
    blocks = [block for block in BLOCK.findall(text) if "import" not in block]
    return [*INLINE.findall(BLOCK.sub("", text)), *(one for block in blocks for one in IN_BLOCK.findall(block))]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_exists_with_its_options(path: Path) -> None:
    contexts = {context.name: context for context in tasks.namespace.to_contexts(ignore_unknown_help=True)}
    program = ParserContext(args=Program().core_args())
    for line in commands(path.read_text()):
        words = shlex.split(PLACEHOLDER.sub("", re.split(r"…| \(|\|", line)[0]).rstrip(" .,;:"))
        if "TASK" not in words and "--devcie" not in words:  # a placeholder, and the example of a typo
            CommandLine(words, contexts, program).spelled_out()


def test_commands_are_found_in_the_documents() -> None:
    assert sum(len(commands(path.read_text())) for path in DOCUMENTS) > 100


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(path: Path) -> None:
    broken = [target for target in LINK.findall(path.read_text()) if not (path.parent / target).exists()]
    assert broken == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= WORDS_OF_README


def test_the_old_script_starts_everything() -> None:
    script = (ROOT / "build-and-start.sh").read_text()
    assert "invoke start" in script
    assert len(script.splitlines()) == 3
