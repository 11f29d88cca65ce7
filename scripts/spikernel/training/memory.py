"""Memory of a process that runs nets on the CPU."""

import ctypes
import platform
from functools import cache

# From malloc.h of the GNU C library.
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4


@cache
def keep_freed_memory() -> bool:
    """Let this process keep the memory of freed tensors for the next ones.

    The GNU C library gives large blocks back to the kernel at once and asks for them again,
    page by page, at every layer: a third of a training step on the CPU. Peak memory grows somewhat,
    because blocks are reused by size. It concerns the whole process and stays.

    Returns:
        Whether it could be done; False with another C library, where nothing changes.

    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    return bool(library.mallopt(_M_MMAP_MAX, 0) and library.mallopt(_M_TRIM_THRESHOLD, -1))
