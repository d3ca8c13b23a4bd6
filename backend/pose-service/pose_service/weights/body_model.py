"""The SMPL model that a registered user has, read without running what is in it, and rewritten as plain arrays."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from pose_service.weights.ledger import Ledger, write_atomically

# (shape, dtype); None is any number of at least the one in LEAST.
ARRAYS: dict[str, tuple[tuple[Optional[int], ...], Any]] = {
    "v_template": ((6890, 3), np.float64),
    "f": ((13776, 3), np.uint32),
    "weights": ((6890, 24), np.float64),
    "shapedirs": ((6890, 3, None), np.float64),
    "posedirs": ((6890, 3, 207), np.float64),
    "J_regressor": ((24, 6890), np.float64),
    "kintree_table": ((2, 24), np.int64),
}
LEAST_SHAPES = 10
MODE = 0o440
ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    # Python 2 wrote the file, and called them otherwise.
    ("copy_reg", "_reconstructor"),
    ("copyreg", "_reconstructor"),
    ("__builtin__", "object"),
    ("builtins", "object"),
    ("__builtin__", "set"),
    ("builtins", "set"),
    ("_codecs", "encode"),
}


class BodyModelError(Exception):
    """The file is not an SMPL model that we read; the text says what is wrong with it."""


class InstalledError(BodyModelError):
    """There is one already."""


class _Kept:
    """Stands for an object of chumpy or scipy, neither of which is needed: it only keeps what the object held."""

    state: dict[str, Any]

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {}


class _Array(_Kept):
    """A chumpy array."""


class _Sparse(_Kept):
    """A compressed sparse matrix, by columns."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Only arrays: a pickle can name any function, and would call it."""
        if module.partition(".")[0] == "chumpy":
            return _Array
        if module.startswith("scipy.sparse") and name == "csc_matrix":
            return _Sparse
        if (module, name) not in ALLOWED:
            raise BodyModelError(f"it asks for {module}.{name}, which no SMPL model needs: nothing of it was run")
        return super().find_class(module, name)


def install(file: Path, folder: Path, targets: tuple[str, ...], is_forced: bool = False) -> list[Path]:
    """Convert `file` and write it to every target below `folder`, readable by its owner and group only.

    Raises BodyModelError, InstalledError when one is there and nobody forces it, OSError.
    """
    paths = [folder / target for target in targets]
    there = [str(path) for path in paths if path.exists()]
    if there and not is_forced:
        raise InstalledError(f"{' and '.join(there)} already there; add --force to replace it")
    content = convert(file.read_bytes())
    for path in paths:
        write_atomically(path, content, MODE)
        Ledger(folder).accept(path)
    return paths


def convert(content: bytes) -> bytes:
    """A pickle of arrays and nothing else. Raises BodyModelError."""
    model = _read(content)
    arrays = {name: _array(model, name, shape, dtype) for name, (shape, dtype) in ARRAYS.items()}
    return pickle.dumps(arrays, protocol=4)


def _read(content: bytes) -> dict[str, Any]:
    try:
        model = _Reader(io.BytesIO(content), encoding="latin1").load()
    except BodyModelError:
        raise
    except Exception as error:
        raise BodyModelError(f"it is not a pickle that can be read ({type(error).__name__}: {error})") from error
    if not isinstance(model, dict):
        raise BodyModelError(f"it holds a {type(model).__name__}, not a dictionary")
    return model


def _array(model: dict[str, Any], name: str, shape: tuple[Optional[int], ...], dtype: Any) -> NDArray[Any]:
    if name not in model:
        raise BodyModelError(f"it has no {name}")
    value = _plain(name, model[name])
    fits = len(value.shape) == len(shape) and all(
        found >= LEAST_SHAPES if wanted is None else found == wanted for found, wanted in zip(value.shape, shape)
    )
    if not fits or not np.issubdtype(value.dtype, np.number):
        raise BodyModelError(f"{name} is {value.dtype} {value.shape}, not numbers {_text(shape)}")
    if not np.isfinite(value.astype(np.float64)).all():
        raise BodyModelError(f"{name} holds numbers that are not finite")
    return value.astype(dtype)


def _plain(name: str, value: Any) -> NDArray[Any]:
    if isinstance(value, _Array):
        value = value.state.get("x")
    if isinstance(value, _Sparse):
        return _dense(name, value.state)
    if isinstance(value, np.ndarray):
        return value
    raise BodyModelError(f"{name} is a {type(value).__name__}, not an array")


def _dense(name: str, state: dict[str, Any]) -> NDArray[np.float64]:
    try:
        rows, columns = (int(number) for number in state.get("_shape", state.get("shape")))
        starts, indices, data = (np.asarray(state[key]) for key in ("indptr", "indices", "data"))
        dense = np.zeros((rows, columns))
        np.add.at(dense, (indices, np.repeat(np.arange(columns), np.diff(starts))), data)
    except Exception as error:
        raise BodyModelError(f"{name} is a sparse matrix that cannot be read ({error})") from error
    return dense


def _text(shape: tuple[Optional[int], ...]) -> str:
    return f"({', '.join(f'{LEAST_SHAPES} or more' if one is None else str(one) for one in shape)})"
