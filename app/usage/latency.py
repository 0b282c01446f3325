"""How long answers take, as counts in logarithmic buckets, which can be added up and still tell percentiles.

Four buckets to each doubling: a percentile read from them is at most a tenth off.
"""

import math
from collections.abc import Mapping
from functools import lru_cache

BUCKETS_PER_DOUBLING = 4
MOST_REMEMBERED = 4_096


# Most answers take one of a few hundred times.
@lru_cache(MOST_REMEMBERED)
def bucket_of(milliseconds: int) -> int:
    """The bucket that a duration falls into; 0 holds everything up to a millisecond."""
    return max(0, math.floor(math.log2(max(1, milliseconds)) * BUCKETS_PER_DOUBLING))


def least_of(bucket: int) -> int:
    """The shortest duration in milliseconds that falls into the bucket, or the next that anything falls into."""
    milliseconds = max(1, math.floor(2 ** (bucket / BUCKETS_PER_DOUBLING)))
    return milliseconds if bucket_of(milliseconds) >= bucket else milliseconds + 1


def percentile(buckets: Mapping[int, int], share: float) -> int | None:
    """The duration in milliseconds that `share` (0 to 1) of the answers did not exceed; None without any.

    Within a bucket the answers are taken to lie evenly on its logarithmic scale.
    """
    total = sum(buckets.values())
    if total <= 0:
        return None
    wanted, passed = share * total, 0
    for bucket, count in sorted(buckets.items()):
        if count > 0 and passed + count >= wanted:
            return round(2 ** ((bucket + (wanted - passed) / count) / BUCKETS_PER_DOUBLING))
        passed += count
    return None
