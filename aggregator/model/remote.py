"""Files and folders in object storage (`s3://bucket/key`) and in file systems of Hadoop (`hdfs://host/key`), by their URL. Names only;
nothing is asked of a server."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from aggregator.model.errors import WrongUsage
from aggregator.model.names import is_text, path_of

_SCHEMES = "hdfs|viewfs|webhdfs|swebhdfs|s3a|abfss?|wasbs?|gs|oss|cosn|obs|ofs|o3fs"
"""Of file systems that Hadoop knows."""
_HADOOP = re.compile(rf"(?P<root>(?:{_SCHEMES})://[A-Za-z0-9][A-Za-z0-9._@:-]*)?(?:/(?P<key>[^\x00-\x1f\x7f]*))?")
_FILE = re.compile(r"file:(?://)?(?=/)")
_BEGINS = re.compile(rf"(?i)(?:s3[an]?|{_SCHEMES}):/")
_URL = re.compile(r"(?i)s3://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{1,254})(?:/(?P<key>[^\x00-\x1f\x7f]*))?")
_MOST_KEY_BYTES = 1024


@dataclass(frozen=True)
class S3Path:
    """An object, or all objects whose keys begin with `key/`. The key has no slash at its end; it is blank for the whole bucket."""

    bucket: str
    key: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}" if self.key else f"s3://{self.bucket}"

    def __truediv__(self, name: str) -> S3Path:
        return replace(self, key=f"{self.key}/{name}" if self.key else name)

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> S3Path:
        return replace(self, key=self.key.rpartition("/")[0])

    @property
    def prefix(self) -> str:
        """What the keys of all objects below begin with."""
        return f"{self.key}/" if self.key else ""

    def with_name(self, name: str) -> S3Path:
        return self.parent / name

    def resolve(self) -> S3Path:
        return self

    def is_relative_to(self, other: AnyPath) -> bool:
        return isinstance(other, S3Path) and type(self) is type(other) and self.bucket == other.bucket and (self == other or self.key.startswith(other.prefix))


@dataclass(frozen=True)
class HadoopPath(S3Path):
    """The same in a file system of Hadoop; the bucket is its scheme and host."""

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key}"


AnyPath = Path | S3Path
"""Where exports and run folders may be."""


class MalformedS3Url(WrongUsage):
    """The URL is not repeated: somebody may have written a secret into it."""

    def __init__(self) -> None:
        super().__init__(
            "A URL of object storage cannot be used: it is not well-formed. Write s3://BUCKET/KEY, without user, password or blanks before "
            "the key; credentials and endpoint are taken from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL.",
            "对象存储的网址无法使用：写法有误。请写成 s3://桶名/键，不要包含用户名或密码；凭证和服务地址取自环境变量 AWS_ACCESS_KEY_ID、"
            "AWS_SECRET_ACCESS_KEY 和 AWS_ENDPOINT_URL。",
        )


class MalformedHadoopUrl(WrongUsage):
    """The URL is not repeated: somebody may have written a secret into it."""

    def __init__(self) -> None:
        super().__init__(
            "A URL of a file system of Hadoop cannot be used: it is not well-formed. Write hdfs://HOST:PORT/PATH or the like, without a "
            "password; what else is needed stands under [spark], as \"spark.hadoop.…\".",
            "Hadoop 文件系统的网址无法使用：写法有误。请写成 hdfs://主机:端口/路径 等形式，不要包含密码；其他设置写在 [spark] 中，名称以 "
            "\"spark.hadoop.\" 开头。",
        )


def is_remote(text: str) -> bool:
    """Whether it begins like a URL of object storage, or of a file system of Hadoop."""
    return _BEGINS.match(text) is not None


def any_path_of(text: str) -> AnyPath:
    """A path, or where it begins like a URL of object storage or Hadoop that. `file:///path` is a path. Raises MalformedS3Url and
    MalformedHadoopUrl."""
    if not is_remote(text):
        return path_of(without_scheme(text))
    if re.match(rf"(?:{_SCHEMES}):/", text):
        return _hadoop_path(text)
    found = _URL.fullmatch(text)
    key = (found["key"] or "").rstrip("/") if found is not None else ""
    if found is None or not is_text(text) or key.startswith("/") or len(key.encode("utf-8", "surrogatepass")) > _MOST_KEY_BYTES:
        raise MalformedS3Url
    return S3Path(found["bucket"], key)


def _hadoop_path(text: str) -> HadoopPath:
    found = _HADOOP.fullmatch(text)
    key = (found["key"] or "").rstrip("/") if found is not None else ""
    if found is None or not found["root"] or not is_text(text) or key.startswith("/") or ".." in key.split("/"):
        raise MalformedHadoopUrl
    # What stands before @ is a container of Azure's; a password would follow a colon.
    if re.search(r":[^@/]*@", found["root"].partition("://")[2]):
        raise MalformedHadoopUrl
    return HadoopPath(found["root"], key)


class NotOnADisk(WrongUsage):
    def __init__(self) -> None:
        super().__init__(
            "Only exports (INPUT), --receipts and --out can be in object storage (s3://…) or Hadoop (hdfs://…). Name a file or folder on a disk.",
            "只有导出文件（INPUT）、--receipts 和 --out 可以在对象存储（s3://…）或 Hadoop（hdfs://…）中。请指定本地磁盘上的文件或文件夹。",
        )


def local_path_of(text: str) -> Path:
    """Raises NotOnADisk for a URL of object storage."""
    if is_remote(text):
        raise NotOnADisk
    return path_of(without_scheme(text))


def without_scheme(text: str) -> str:
    """The path of a URL of a file on this machine; whatever else as it is."""
    return _FILE.sub("", text, count=1)


def below(folder: AnyPath, name: str) -> AnyPath:
    """The path of a name that was told, with slashes, below a folder."""
    return folder / path_of(name) if isinstance(folder, Path) else folder / name


def folder_below(out: AnyPath, folder: AnyPath) -> str | None:
    """The path of a folder relative to another, with slashes; None where it is not below it."""
    if isinstance(out, Path) and isinstance(folder, Path):
        return folder.relative_to(out).as_posix() if folder.is_relative_to(out) else None
    if isinstance(out, S3Path) and isinstance(folder, S3Path) and folder.is_relative_to(out):
        return folder.key[len(out.prefix):]
    return None
