"""The library for object storage, which not everybody has."""

from __future__ import annotations

from importlib.util import find_spec

from aggregator.model.errors import WrongConfiguration
from aggregator.model.remote import S3Path


class NoLibrary(WrongConfiguration):
    def __init__(self, path: S3Path) -> None:
        super().__init__(
            f"{path} is in object storage, and the library for it (botocore) is not installed. Nothing was done. Install "
            "'summary-declaration-aggregator[s3]'.",
            f"{path} 在对象存储中，但未安装所需的库（botocore）。未执行任何操作。请安装 summary-declaration-aggregator[s3]。",
        )


def require_library(path: S3Path) -> None:
    """Raises NoLibrary."""
    if find_spec("botocore") is None:
        raise NoLibrary(path)
