"""Entry point: gunicorn app:app."""

import logging
import sys

from pose_service.settings import SettingsError
from pose_service.web.factory import create_app
from serving.environment import BOOT_ERROR

try:
    app = create_app()
except SettingsError as error:
    # serving.environment said so before; here for whoever starts the app without gunicorn.conf.py.
    logging.getLogger(__name__).error("%s", error)
    sys.exit(BOOT_ERROR)
