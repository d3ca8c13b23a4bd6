"""The audit as text: the verdict, the findings, then the largest packages and layers."""

import re

from layerstack.audit.image_audit import ImageAudit
from layerstack.report import line, print_table
from layerstack.wording import megabytes, short

# Smaller packages and layers are left out.
SHOWN_BYTES = 10**6
SHOWN_PACKAGES = 10
SHOWN_LAYERS = 8
INSTRUCTION_CHARACTERS = 90
# `RUN |1 NAME=value /bin/bash -euo pipefail -c apt-get …`: build arguments and shell are left out.
SHELL = re.compile(r"^RUN (?:\|\d+ .*?)?/bin/\w+(?: -\w+)*(?: pipefail)?(?: -c)? ")


def print_audit(audit: ImageAudit) -> None:
    """Verdict, findings with their remedies, the largest packages and layers."""
    line(_verdict(audit))
    for finding in audit.findings:
        line(f"{finding.severity} {finding.check}: {finding.detail}")
        if finding.remedy:
            line(f"  → {finding.remedy}")
    if audit.ignored:
        line(f"ignored: {', '.join(finding.check for finding in audit.ignored)}")
    _print_packages(audit)
    _print_layers(audit)
    total = sum(layer.size_bytes for layer in audit.layers)
    line(f"{megabytes(total)} in {len(audit.layers)} layers, read in {audit.seconds:.1f} s; nothing was started")


def _verdict(audit: ImageAudit) -> str:
    errors = sum(finding.severity == "error" for finding in audit.findings)
    warnings = sum(finding.severity == "warning" for finding in audit.findings)
    torch = {None: "no PyTorch", "": "PyTorch for the CPU"}.get(
        audit.torch_cuda, f"PyTorch for CUDA {audit.torch_cuda}"
    )
    cards = ", ".join(f"sm_{card}" for card in audit.cards) or "no cards to judge for: --cards sm_75,sm_89"
    counted = f"{errors} errors, {warnings} warnings" if errors + warnings else "nothing wrong found"
    return f"{audit.image}: {counted} ({torch}; {cards})"


def _print_packages(audit: ImageAudit) -> None:
    rows = [
        (one.name, one.version, megabytes(one.size_bytes), " ".join(one.code))
        for one in audit.packages[:SHOWN_PACKAGES]
        if one.size_bytes >= SHOWN_BYTES
    ]
    if rows:
        print_table(("package", "version", "size", "GPU code"), rows, right=("size",))


def _print_layers(audit: ImageAudit) -> None:
    numbered = sorted(enumerate(audit.layers, 1), key=lambda item: -item[1].size_bytes)[:SHOWN_LAYERS]
    rows = [
        (str(number), megabytes(layer.size_bytes), _instruction(layer.created_by))
        for number, layer in sorted(numbered)
        if layer.size_bytes >= SHOWN_BYTES
    ]
    if rows:
        print_table(("layer", "size", "made by"), rows, right=("layer", "size"))


def _instruction(text: str) -> str:
    from rich.markup import escape

    # BuildKit marks its instructions in the history of an image with this suffix.
    text = SHELL.sub("RUN ", " ".join(text.removesuffix("# buildkit").split())) or "(not recorded)"
    return escape(short(text, INSTRUCTION_CHARACTERS))
