"""The one file of a multipart upload, or the problem that says what is wrong with the form."""

from __future__ import annotations

import errno
import logging
from functools import partial

from flask import current_app, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from pose_service.web.problem import ProblemError
from serving.read_watch import WATCH

logger = logging.getLogger(__name__)
FORM = "multipart/form-data"
DEFAULT_SECONDS = 30.0
# A file, a few options. Each larger file is an open file of this process while the form is read.
MAX_PARTS = 20
MAX_TEXT_BYTES = 100_000
# This machine's fault and not the form's: no disk, no descriptors, no memory for what arrives.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def read_upload(field: str) -> FileStorage:
    """Read the whole form and give its one file in `field`; its name is what the client wrote and is not to be used.

    Raises ProblemError: 415 not-a-form, 400 missing-boundary, missing-FIELD, not-a-file, several-files or
    broken-upload, 408 upload-too-slow, 413 too-large or too-many-parts, 503 no-room.
    """
    _require_form(field)
    _receive_form()
    uploads = request.files.getlist(field)
    if len(uploads) > 1:
        raise ProblemError(400, "several-files", f"The form has {len(uploads)} files in the field {field!r}; send one.")
    if uploads:
        return uploads[0]
    if field in request.form:
        raise ProblemError(400, "not-a-file", f"The field {field!r} is text; send it as a file with a file name.")
    raise ProblemError(400, f"missing-{field}", f"The form has no file in the field {field!r}.")


def _require_form(field: str) -> None:
    if request.mimetype != FORM:
        detail = f"Send the file as the field {field!r} of {FORM}, not {request.mimetype or 'nothing'}."
        raise ProblemError(415, "not-a-form", detail, {"Accept-Post": FORM})
    if not request.mimetype_params.get("boundary"):
        raise ProblemError(400, "missing-boundary", f"The Content-Type {FORM} names no boundary.")


def _receive_form() -> None:
    seconds = current_app.config.get("UPLOAD_SECONDS", DEFAULT_SECONDS)
    with WATCH.limit(request.environ.get("gunicorn.socket"), seconds) as limit:
        problem = _parse_form()
    if limit.is_over:
        raise ProblemError(408, "upload-too-slow", f"The form did not arrive within {seconds:g} s.")
    if problem is not None:
        raise problem


def _parse_form() -> ProblemError | None:
    """Parse the body into request.files and request.form; an error comes back, because a deadline explains more."""
    request.max_form_parts, request.max_form_memory_size = MAX_PARTS, MAX_TEXT_BYTES
    # Its default is to make an empty form of a broken one.
    request.form_data_parser_class = partial(FormDataParser, silent=False)  # type: ignore[assignment]
    try:
        request.files  # noqa: B018  (the first look parses the body)
    except RequestEntityTooLarge:
        return _too_large()
    except Exception as error:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) in NO_ROOM:
            logger.error("no room for an upload: %r", error)
            return ProblemError(503, "no-room", "There is no room for the file at the moment.", {"Retry-After": "5"})
        # The server's readers raise many kinds: a bad chunk, a reset connection, a body that ends too soon.
        logger.info("unreadable body: %r", error)
        return ProblemError(400, "broken-upload", "The body is no complete form: it ends too soon or is malformed.")
    return None


def _too_large() -> ProblemError:
    """The parser raises one error for three limits; which one it was follows from the length, when there is one."""
    length, limit_bytes = request.content_length, request.max_content_length or 0
    large = f"The request is larger than {limit_bytes / 2**20:g} MiB"
    form = f"its form has more than {MAX_PARTS} parts or {MAX_TEXT_BYTES // 1000} kB of text"
    if length is None:
        return ProblemError(413, "too-large", f"{large}, or {form}.")
    if length > limit_bytes:
        return ProblemError(413, "too-large", f"{large}.")
    return ProblemError(413, "too-many-parts", f"The request is refused because {form}.")
