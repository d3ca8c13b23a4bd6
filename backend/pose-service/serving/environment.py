"""Ends the start with one line, the last of the log, when a setting cannot be used."""

from __future__ import annotations

import logging
import os
import runpy
import sys
from pathlib import Path

from serving import logs

SETTINGS = Path("pose_service/settings.py")
# What gunicorn's workers end with when they cannot start.
BOOT_ERROR = 3


def check_environment() -> None:
    """Before anything else of the service runs. Raises SystemExit."""
    try:
        logs.configure(os.environ)
    except ValueError as error:
        sys.exit(str(error))
    # Run and forgotten, not imported: this process would keep an old version through every reload.
    try:
        settings = runpy.run_path(str(SETTINGS), run_name="settings")
    except Exception:
        # While somebody edits it; the worker answers with the error.
        logging.getLogger(__name__).exception("%s does not load", SETTINGS)
        return
    try:
        settings["Settings"].from_environment(os.environ)
    except settings["SettingsError"] as error:
        logging.getLogger(__name__).error("%s", error)
        sys.exit(BOOT_ERROR)
