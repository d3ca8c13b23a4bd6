"""Entry point: gunicorn app:app."""

from pose_service.factory import create_app

app = create_app()
