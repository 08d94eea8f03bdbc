"""What a command asks of the allocator of its process."""

import ctypes

# Parameters of glibc's mallopt, by malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def keep_freed_memory() -> None:
    """Let glibc keep what is freed, up to 2 GB, for the next to ask for.

    By default it gives large blocks back to the system, which clears them page by page when it hands them out again;
    a network on a CPU frees and asks for tensors of many megabytes in every step. Other allocators are left as they
    are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 2**30)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
