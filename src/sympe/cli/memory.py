"""Settings of the memory allocator for a command."""

import ctypes

# Parameters of glibc's mallopt, by malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def keep_freed_memory() -> None:
    """Let glibc keep up to 2 GB of freed memory for reuse; does nothing for other allocators.

    By default, glibc returns large blocks to the system, which zeroes every page again on the next allocation. A
    network on a CPU allocates and frees tensors of many megabytes in every step.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 2**30)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
