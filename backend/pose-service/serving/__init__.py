"""What serves the app: loaded once by gunicorn's first process, never reloaded. It must not import pose_service."""
