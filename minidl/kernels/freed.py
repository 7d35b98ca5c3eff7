"""Memory that was freed stays with the process, so that the arrays of the next step need none from the system."""

import numpy as np

LARGEST = 2**25 - 2**13  # bytes: a little less than what GNU's malloc learns from at most


def keep_freed_memory() -> None:
    """Let the C library keep up to 64 MB of freed memory, where it is GNU's and nobody has set its limits.

    It gives back to the system what is free beyond twice the largest array, of 32 MB at most, that it has seen freed:
    after a step of a convolutional network nearly all. Then the next step gets the memory page by page. So here is one
    such array, of which no page is touched. Source: mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
    """
    np.empty(LARGEST, np.uint8)
