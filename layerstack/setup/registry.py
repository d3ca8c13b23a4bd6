"""Pulls from container registries, and what their refusals mean."""

from dataclasses import dataclass

from layerstack import command
from layerstack.engine import texts
from layerstack.project.image_name import host_of, login_command
from layerstack.report import Say

# Error of `docker pull` → its meaning; `{login}` is the command. The first match counts.
REFUSALS = (
    (texts.RATE_LIMIT, "the registry limits requests: `{login}`, or wait"),
    (texts.NO_TAG_FOR_PLATFORM, "the registry has no such tag for this kind of processor"),
    (texts.NO_TAG, "the registry has no such tag"),
    # Docker Hub refuses a name that does not exist in the same words as one that needs a login.
    (texts.NO_ACCESS, "the registry has no such image, or asks for `{login}`"),
    (texts.NEEDS_LOGIN, "the registry asks for `{login}`"),
    (texts.DISK_FULL, "the disk is full"),
)


@dataclass(frozen=True)
class PullOutcome:
    """`is_refused`: a registry was reached and does not provide the image. `reason` is "" when pulled."""

    is_pulled: bool
    is_refused: bool = False
    reason: str = ""


def pull(reference: str, say: Say) -> PullOutcome:
    """Pull an image with the docker command, which knows logins, mirrors and proxies."""
    say(f"pulling {reference} from {host_of(reference)}")

    def on_line(_stream: command.Stream, line: str) -> None:
        if line.endswith("Pull complete"):
            say(f"  {reference}: layer {line.partition(':')[0]}")

    result = command.stream(["docker", "pull", reference], on_line)
    if result.ok:
        return PullOutcome(is_pulled=True)
    # The last line has the reason; those before are progress.
    message = (result.stderr.strip() or result.stdout.strip() or f"exit code {result.exit_code}").splitlines()[-1]
    return _judge(reference, message.removeprefix("Error response from daemon: "))


def _judge(reference: str, message: str) -> PullOutcome:
    meaning = next((meaning for signs, meaning in REFUSALS if texts.says(message, *signs)), None)
    if meaning:
        return PullOutcome(
            is_pulled=False, is_refused=True, reason=f"{meaning.format(login=login_command(reference))} ({message})"
        )
    return PullOutcome(is_pulled=False, reason=message)
