"""A figure on a board, made of round cones between joints. Nobody's likeness, and its angles are known."""

from __future__ import annotations

import numpy as np
from ray_picture import Cone

JACKET, TROUSERS, SKIN = (196, 62, 38), (38, 52, 74), (226, 176, 148)
GLOVES, BOOTS, BOARD, EYES, MOUTH = (30, 32, 36), (48, 46, 48), (24, 128, 138), (28, 24, 26), (150, 70, 66)
WHITE = (236, 238, 240)
THIGH, SHIN, TRUNK = 0.41, 0.41, 0.62
SIDES = {"l": 1, "r": -1}
Joints = dict[str, np.ndarray]


def stand(crouch: float) -> Joints:
    """Joints of a regular rider seen from the toe side, in metres; `crouch` 0 stands tall, 1 is deeply bent."""
    lean = np.radians(6 + 26 * crouch)
    hips = np.array([0.0, 0.92 - 0.25 * crouch, -0.04 - 0.12 * crouch])
    spine = np.array([0.02, np.cos(lean), np.sin(lean)])
    joints = {"waist": hips + 0.3 * TRUNK * spine, "chest": hips + 0.68 * TRUNK * spine, "neck": hips + TRUNK * spine}
    joints["head"] = joints["neck"] + np.array([0.015, 0.18, 0.03])
    for side, sign in SIDES.items():
        joints[f"ankle_{side}"] = np.array([sign * 0.27, 0.15, 0.0])
        joints[f"toe_{side}"] = np.array([sign * 0.31, 0.08, 0.19])
        joints[f"hip_{side}"] = hips + np.array([sign * 0.125, 0, 0])
        joints[f"knee_{side}"] = bend(joints[f"hip_{side}"], joints[f"ankle_{side}"], np.array([sign * 0.45, 0, 0.9]))
        joints[f"shoulder_{side}"] = joints["neck"] + np.array([sign * 0.185, -0.07, -0.02])
        up = 0.03 + 0.05 * sign * (1 - crouch)
        joints[f"elbow_{side}"] = joints[f"shoulder_{side}"] + np.array([sign * 0.25, -0.13 + up, 0.04])
        joints[f"wrist_{side}"] = joints[f"elbow_{side}"] + np.array([sign * 0.20, 0.02 + 2 * up, 0.12])
        joints[f"hand_{side}"] = joints[f"wrist_{side}"] + np.array([sign * 0.075, 0.02, 0.04])
    return joints


def bend(hip: np.ndarray, ankle: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """The knee of a leg whose ends are known, on the side of `towards`."""
    leg = ankle - hip
    length = float(np.linalg.norm(leg))
    along = leg / length
    out = towards - (towards @ along) * along
    share = (THIGH**2 - SHIN**2 + length**2) / (2 * length)
    return hip + share * along + np.sqrt(max(0.0, THIGH**2 - share**2)) * out / np.linalg.norm(out)


def on_head(joints: Joints, right: float, up: float, front: float) -> np.ndarray:
    """A place on the head, which looks along the board, in metres from its middle."""
    turn = np.radians(28)
    facing, across = np.array([np.sin(turn), 0, np.cos(turn)]), np.array([np.cos(turn), 0, -np.sin(turn)])
    return joints["head"] + right * across + up * np.array([0, 1, 0]) + front * facing


def ball(place: np.ndarray, radius: float, colour: tuple[int, int, int]) -> Cone:
    """A ball."""
    return Cone(place, place, radius, radius, colour)


def build_head(joints: Joints) -> list[Cone]:
    """Face and cap."""
    return [
        Cone(on_head(joints, 0, 0.03, 0), on_head(joints, 0, -0.055, 0.025), 0.098, 0.068, SKIN),
        Cone(on_head(joints, 0, 0.005, 0.1), on_head(joints, 0, -0.02, 0.115), 0.012, 0.017, SKIN),
        *(ball(on_head(joints, side * 0.036, 0.018, 0.087), 0.0145, WHITE) for side in (-1, 1)),
        *(ball(on_head(joints, side * 0.036 + 0.003, 0.018, 0.096), 0.0085, EYES) for side in (-1, 1)),
        *(Cone(on_head(joints, side * 0.02, -0.054, 0.086), on_head(joints, 0, -0.062, 0.093), 0.005, 0.006, MOUTH)
          for side in (-1, 1)),
        *(ball(on_head(joints, side * 0.097, -0.005, -0.005), 0.022, SKIN) for side in (-1, 1)),
        ball(on_head(joints, 0, 0.058, -0.02), 0.104, BOARD),
        Cone(on_head(joints, -0.07, 0.075, 0.055), on_head(joints, 0.07, 0.075, 0.055), 0.022, 0.022, WHITE),
        ball(on_head(joints, 0, 0.17, -0.02), 0.03, WHITE),
    ]  # fmt: skip


def build_figure(joints: Joints) -> list[Cone]:
    """The whole rider and the board."""

    def limb(a: str, b: str, radii: tuple[float, float], colour: tuple[int, int, int]) -> Cone:
        return Cone(joints[a], joints[b], *radii, colour)

    parts = [
        limb("hip_l", "hip_r", (0.135, 0.135), TROUSERS), limb("waist", "chest", (0.15, 0.165), JACKET),
        limb("hip_l", "waist", (0.12, 0.13), JACKET), limb("hip_r", "waist", (0.12, 0.13), JACKET),
        limb("chest", "shoulder_l", (0.13, 0.095), JACKET), limb("chest", "shoulder_r", (0.13, 0.095), JACKET),
        limb("chest", "neck", (0.12, 0.07), JACKET), limb("neck", "head", (0.06, 0.06), SKIN),
    ]  # fmt: skip
    for side in SIDES:
        parts += [
            limb(f"hip_{side}", f"knee_{side}", (0.115, 0.078), TROUSERS),
            limb(f"knee_{side}", f"ankle_{side}", (0.078, 0.066), TROUSERS),
            limb(f"ankle_{side}", f"toe_{side}", (0.074, 0.056), BOOTS),
            limb(f"shoulder_{side}", f"elbow_{side}", (0.078, 0.06), JACKET),
            limb(f"elbow_{side}", f"wrist_{side}", (0.06, 0.047), JACKET),
            limb(f"wrist_{side}", f"hand_{side}", (0.046, 0.05), GLOVES),
        ]
    tips = [np.array([side * 0.78, 0.075, 0.05]) for side in (-1, 1)]
    flat = [np.array([side * 0.62, 0.012, 0.05]) for side in (-1, 1)]
    board = [Cone(flat[0] + shift, flat[1] + shift, 0.018, 0.018, BOARD) for shift in widths()]
    board += [
        Cone(tip + shift, end + shift, 0.014, 0.018, BOARD)
        for tip, end in zip(tips, flat, strict=True)
        for shift in widths()
    ]
    return [*parts, *board, *build_head(joints)]


def widths() -> list[np.ndarray]:
    """A board is as wide as these are apart."""
    return [np.array([0, 0, shift]) for shift in np.linspace(-0.13, 0.13, 7)]
