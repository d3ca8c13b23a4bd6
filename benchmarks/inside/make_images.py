"""Usage: make_images.py PHOTO FOLDER. JPEGs of usual sizes with one person in each, from one photo."""

import sys
from pathlib import Path

from PIL import Image

# Width of the whole picture, width of the photo in it.
SIZES = ((512, 512), (640, 480), (1280, 800), (1920, 1000))


def main(photo: Path, folder: Path) -> None:
    """Paste the photo into backgrounds of its own edge colour."""
    person = Image.open(photo).convert("RGB")
    for number, (width, side) in enumerate(SIZES):
        height = max(side, width * 2 // 3)
        picture = Image.new("RGB", (width, height), "grey")
        picture.paste(person.resize((side, side)), ((width - side) // 2, height - side))
        picture.save(folder / f"{number}-{width}x{height}.jpg", quality=90)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
