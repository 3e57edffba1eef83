"""The data of the course: digits, photographs, text, five densities of known entropy. Offline, never shuffled."""

from typing import Any

from genutils.data.corpus import Text, text
from genutils.data.files import Images, own
from genutils.data.images import Digits, Photos, digits, photos
from genutils.data.sound import Audio

__all__ = ["Audio", "Digits", "Images", "Photos", "Text", "digits", "own", "photos", "text"]

DENSITIES = ("ring", "moons", "pinwheel", "checkerboard", "spiral")


def __getattr__(name: str) -> Any:
    """The 2-D densities come from `genutils.densities`, which needs torch, only when one is asked for."""
    if name in DENSITIES:
        from genutils import densities

        return getattr(densities, name)
    if name == "sprites":
        from genutils.sprites import sprites

        return sprites
    raise AttributeError(
        f"module 'genutils.data' has no {name!r}; it has digits, photos, text, sprites and the densities "
        + ", ".join(DENSITIES)
    )
