"""How many pixels a HEIC really holds: the size in its header, by which libheif goes, can be any."""

from __future__ import annotations

from typing import IO

import av


def coded_pixels(stream: IO[bytes]) -> int:
    """The pixels of all coded pictures, tiles and thumbnails included; 0 where FFmpeg finds none.

    Leaves `stream` where it was.
    """
    position = stream.tell()
    stream.seek(0)
    try:
        # The format is named, so that nothing else is opened. FFmpeg takes the size from the codec's own parameters.
        with av.open(stream, format="mov", metadata_errors="ignore") as container:
            return sum(picture.width * picture.height for picture in container.streams.video)
    except (av.FFmpegError, MemoryError, ValueError):
        return 0
    finally:
        stream.seek(position)
