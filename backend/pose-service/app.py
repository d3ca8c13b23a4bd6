"""Entry point: gunicorn app:app."""

import logging
import sys

from pose_service.settings import SettingsError
from pose_service.web.factory import create_app

# What gunicorn's workers end with when they cannot start; the service ends then.
BOOT_ERROR = 3

try:
    app = create_app()
except SettingsError as error:
    # One line and no traceback: the environment is wrong, not the code.
    logging.getLogger(__name__).error("%s", error)
    sys.exit(BOOT_ERROR)
