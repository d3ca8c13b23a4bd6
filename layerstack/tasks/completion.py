"""Shell completion of `layerstack`: tasks, options, values of --device, names of services and images."""

from collections.abc import Mapping, Sequence

from invoke.parser.context import ParserContext

from layerstack.errors import StackError, UsageError
from layerstack.tasks.request import DEVICES
from layerstack.tasks.words import CommandLine

# Each passes all words up to the cursor, of which the last may be empty, and falls back to file names.
SCRIPTS = {
    "bash": r"""_layerstack() {
    local IFS=$'\n'
    COMPREPLY=($(compgen -W "$(layerstack --complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" \
        -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _layerstack layerstack
""",
    "zsh": r"""#compdef layerstack
_layerstack() {
    local -a candidates
    candidates=(${(f)"$(layerstack --complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    if (( $#candidates )); then compadd -a candidates; else _files; fi
}
compdef _layerstack layerstack
""",
    "fish": r"""function __layerstack
    layerstack --complete -- (commandline --current-process --tokenize --cut-at-cursor)[2..] \
        (commandline --current-token --cut-at-cursor) 2>/dev/null
end
complete --command layerstack --arguments '(__layerstack)'
""",
}


def script(shell: str) -> str:
    """The script to source in that shell. Raises UsageError for an unknown shell."""
    if shell not in SCRIPTS:
        raise UsageError(f"There is no completion for `{shell}`.", f"Choose one of {', '.join(SCRIPTS)}.")
    return SCRIPTS[shell]


def candidates(words: Sequence[str], tasks: Mapping[str, ParserContext], program: ParserContext) -> list[str]:
    """The completions of the last word; [] where a file or a free value is expected."""
    line = CommandLine(words[:-1], tasks, program)
    try:
        # A line with a mistake in it has no completion, and nothing may be printed in the middle of typing.
        line.spelled_out()
    except UsageError:
        return []
    if line.awaited is not None:
        return list(DEVICES) if line.awaited.name == "device" else _names(line.awaited.name, line.task)
    if words[-1].startswith("-"):
        flags = line.task.flag_names() if line.task else line.options()
        return sorted(flag for flag in flags if flag.startswith("--"))
    if line.required:
        return _names(line.required[0].name, line.task)
    many = line.list_argument
    # A list of files leaves the next word to the shell, which completes file names.
    return [] if many and many.name == "files" else [*_names(many.name if many else "", line.task), *sorted(tasks)]


def _names(argument: str | None, task: ParserContext | None) -> list[str]:
    """Services or images of this folder's project; [] outside of one, as completion cannot report an error."""
    if argument not in ("services", "image"):
        return []
    from layerstack.tasks.request import project_to_read

    try:
        project = project_to_read()
    except StackError:
        return []
    takes_images = argument == "image" or (task is not None and task.name == "build")
    return sorted({*project.services, *(project.images if takes_images else ())})
