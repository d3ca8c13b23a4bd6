"""A picture of round cones in the snow: a distance field, walked along by a ray a pixel, lit by one sun."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

# Metres: x to the right of the picture, y up, z to the camera.
EYE = np.array([0.35, 1.05, 5.2])
LOOKS_AT = np.array([0.10, 0.87, 0.0])
FOCAL = 4.1
SUN = np.array([-0.45, 0.75, 0.55]) / np.linalg.norm([-0.45, 0.75, 0.55])
STEPS, FARTHEST, NEAR = 70, 12.0, 0.001
# A ball that holds the whole figure: rays that miss it are not walked along.
MIDDLE, REACH = np.array([0.0, 0.85, 0.05]), 1.2


@dataclass(frozen=True)
class Cone:
    """A round cone from `a` to `b` with a radius at each end; a ball where both are the same."""

    a: np.ndarray
    b: np.ndarray
    radius_a: float
    radius_b: float
    colour: tuple[int, int, int]

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Metres from each point to the surface, negative inside."""
        axis = self.b - self.a
        length = float(axis @ axis) or 1.0
        towards = points - self.a
        share = np.clip(towards @ (axis / length), 0, 1)
        towards -= share[:, None] * axis
        return np.sqrt(np.einsum("ij,ij->i", towards, towards)) - (
            self.radius_a + share * (self.radius_b - self.radius_a)
        )


def measure(points: np.ndarray, figure: list[Cone]) -> tuple[np.ndarray, np.ndarray]:
    """Distance of each point to the figure, and which part is the nearest."""
    distances = np.stack([part.distance(points) for part in figure])
    nearest = distances.argmin(axis=0)
    return distances[nearest, np.arange(len(points))], nearest


def walk(origins: np.ndarray, rays: np.ndarray, figure: list[Cone]) -> np.ndarray:
    """How far each ray goes until it meets the figure, infinity where it does not."""
    travelled = np.zeros(len(rays))
    is_open = passes_figure(origins, rays)
    met = np.full(len(rays), np.inf)
    for _ in range(STEPS):
        places = np.flatnonzero(is_open)
        if not len(places):
            break
        gap, _ = measure(origins[places] + travelled[places, None] * rays[places], figure)
        hit = gap < NEAR
        met[places[hit]] = travelled[places[hit]]
        travelled[places] += np.maximum(gap, NEAR)
        is_open[places[hit | (travelled[places] > FARTHEST)]] = False
    return met


def passes_figure(origins: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """Which rays pass the ball around the figure."""
    towards = MIDDLE - origins
    along = np.clip((towards * rays).sum(axis=1), 0, None)
    return np.linalg.norm(towards - along[:, None] * rays, axis=1) < REACH


def look(width: int, height: int) -> np.ndarray:
    """A direction for each pixel, row by row."""
    forward = (LOOKS_AT - EYE) / np.linalg.norm(LOOKS_AT - EYE)
    right = np.cross(forward, [0, 1, 0])
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    x, y = np.meshgrid(np.linspace(-1, 1, width) * width / height, np.linspace(1, -1, height))
    rays = FOCAL * forward + x[..., None] * right + y[..., None] * up
    return (rays / np.linalg.norm(rays, axis=-1, keepdims=True)).reshape(-1, 3)


def paint_background(rays: np.ndarray, figure: list[Cone]) -> np.ndarray:
    """Sky, mountains and snow with the figure's shadow."""
    height = rays[:, 1] / np.hypot(rays[:, 0], rays[:, 2])
    across = np.arctan2(rays[:, 0], -rays[:, 2])
    sky = np.array([126, 170, 206]) + np.clip(1 - height * 3.2, 0, 1)[:, None] * np.array([84, 56, 34])
    ridge = 0.10 + 0.035 * np.sin(9 * across) + 0.028 * np.abs(np.sin(23 * across + 1)) + 0.01 * np.sin(61 * across)
    colours = np.where((height < ridge)[:, None], np.array([150, 172, 190]) + (height * 260)[:, None], sky)
    is_snow = rays[:, 1] < -0.004
    reach = -EYE[1] / rays[is_snow, 1]
    ground = EYE + reach[:, None] * rays[is_snow]
    ripples = 3 * np.sin(7 * ground[:, 0] + 2 * np.sin(3 * ground[:, 2])) * np.exp(-np.abs(ground[:, 2]) / 6)
    haze = np.clip(reach / 60, 0, 1)
    snow = np.array([236, 241, 246]) - haze[:, None] * np.array([30, 22, 14]) + ripples[:, None]
    shade = np.isfinite(walk(ground + 0.02 * SUN, np.tile(SUN, (len(ground), 1)), figure))
    colours[is_snow] = snow - shade[:, None] * np.array([88, 70, 46])
    return colours


def shade_figure(points: np.ndarray, figure: list[Cone]) -> np.ndarray:
    """Colour of points on the figure: its own, by how much it faces the sun and how much the snow reflects."""
    distance, nearest = measure(points, figure)
    step = 0.002
    slopes = [measure(points + step * axis, figure)[0] - distance for axis in np.eye(3)]
    normals = np.stack(slopes, axis=1)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    is_lit = np.isinf(walk(points + 0.012 * normals, np.tile(SUN, (len(points), 1)), figure))
    light = 0.42 + 0.62 * np.clip(normals @ SUN, 0, 1) * is_lit + 0.14 * np.clip(-normals[:, 1], 0, 1)
    own = np.array([part.colour for part in figure], float)[nearest]
    return own * light[:, None] + 14 * np.clip(normals[:, 1], 0, 1)[:, None]


def render(figure: list[Cone], width: int, height: int) -> Image.Image:
    """The picture in that size."""
    rays = look(width, height)
    colours = paint_background(rays, figure)
    met = walk(np.tile(EYE, (len(rays), 1)), rays, figure)
    is_met = np.isfinite(met)
    colours[is_met] = shade_figure(EYE + met[is_met, None] * rays[is_met], figure)
    noise = np.random.default_rng(7).normal(0, 2.2, (len(rays), 1))
    pixels = np.clip(colours + noise, 0, 255).astype(np.uint8).reshape(height, width, 3)
    return Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.6))
