"""State of an unfinished run, from which it goes on bit for bit (CPU).

The file lies outside the declared outputs of a job, because workflow managers delete those
before they start the job again. It is loaded without unpickling arbitrary objects. Its first bytes
are the SHA-256 of the others, since torch does not look whether a tensor was altered.
"""

import hashlib
import io
import logging
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from spikernel import artifacts

log = logging.getLogger(__name__)
_DIGEST_BYTES = hashlib.sha256().digest_size


def save(path: Path, fingerprint: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Write the state atomically.

    Args:
        path: the file.
        fingerprint: everything the run depends on; JSON-ready.
        state: tensors, numbers, texts and containers of those.

    """
    # By way of memory: written straight to a full disk, torch raises a RuntimeError of its own.
    buffer = io.BytesIO()
    buffer.seek(_DIGEST_BYTES)
    torch.save({"fingerprint": dict(fingerprint), "state": dict(state)}, buffer)
    data = buffer.getbuffer()
    data[:_DIGEST_BYTES] = hashlib.sha256(data[_DIGEST_BYTES:]).digest()
    artifacts.write_bytes(path, data)


def load(path: Path, fingerprint: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the state, on the CPU, or None if there is none or it belongs to another run."""
    if not path.exists():
        return None
    try:
        data = memoryview(path.read_bytes())
        digest, rest = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        if hashlib.sha256(rest).digest() != digest:
            raise EOFError
        saved = torch.load(io.BytesIO(rest), map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, EOFError, pickle.UnpicklingError):
        log.warning("%s is damaged: the training starts anew", path)
        return None
    made_of = saved["fingerprint"]
    if made_of != dict(fingerprint):
        keys = sorted({*made_of, *fingerprint})
        others = ", ".join(key for key in keys if made_of.get(key) != fingerprint.get(key))
        log.warning("%s was made with other %s: the training starts anew", path, others)
        return None
    state: dict[str, Any] = saved["state"]
    return state
