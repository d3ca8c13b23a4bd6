"""The 44 keypoints of HMR2: OpenPose's BODY_25, then the 19 joints of SPIN's J19 regressor under other names."""

from __future__ import annotations

SKELETON = "openpose25+j19"
_BODY_25 = (
    "nose",
    "neck",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "mid_hip",
    "right_hip",
    "right_knee",
    "right_ankle",
    "left_hip",
    "left_knee",
    "left_ankle",
    "right_eye",
    "left_eye",
    "right_ear",
    "left_ear",
    "left_big_toe",
    "left_small_toe",
    "left_heel",
    "right_big_toe",
    "right_small_toe",
    "right_heel",
)
_J19 = (
    "right_ankle",
    "right_knee",
    "right_hip",
    "left_hip",
    "left_knee",
    "left_ankle",
    "right_wrist",
    "right_elbow",
    "right_shoulder",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "neck",
    "head_top",
    "pelvis",
    "thorax",
    "spine",
    "jaw",
    "head",
)
# Measures, pictures and pages know the names of BODY_25; what the second regressor says of a joint is kept apart.
NAMES = (*_BODY_25, *(f"j19_{name}" for name in _J19))
LEFT_HIP, RIGHT_HIP = NAMES.index("left_hip"), NAMES.index("right_hip")
