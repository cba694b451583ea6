"""Object storage as a place: single objects as objects.py knows them."""

from __future__ import annotations

from functools import cache

from aggregator.places import objects
from aggregator.places.bucket import Bucket


@cache
def bucket_of_s3() -> Bucket:
    return Bucket(objects)
