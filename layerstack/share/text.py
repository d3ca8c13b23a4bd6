"""The result of `share` as text."""

from layerstack.report import print_table, say
from layerstack.share.share import SharedImages
from layerstack.wording import duration


def print_shared(done: SharedImages) -> None:
    """A row per image, with the reason where it could not be shared."""
    from rich.markup import escape

    colours = {"failed": "red", "skipped": "yellow"}
    rows = [
        (
            one.image,
            f"[{colours[one.action]}]{one.action}[/]" if one.action in colours else one.action,
            duration(one.seconds) if one.action == "pushed" else "",
            escape(one.reason),
        )
        for one in done.shares
    ]
    print_table(("image", "", "time", ""), rows, right=("time",))
    pushed = sum(one.action == "pushed" for one in done.shares)
    say(f"{done.registry}: {pushed} pushed, {sum(one.action == 'there' for one in done.shares)} there already")
