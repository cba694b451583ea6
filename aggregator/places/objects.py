"""Single objects of a bucket: read, written, copied, listed, deleted."""

from __future__ import annotations

import hashlib
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from aggregator.model.remote import S3Path
from aggregator.places.bucket import Listed
from aggregator.places.client import STREAM_ERRORS, TRIES, client, explained

_PIECE = 1 << 20
PART_BYTES = 32 << 20
"""Of what is sent at once; S3 takes ten thousand of them for an object."""
_COPIED_AT_ONCE = 5 << 30
_LONGEST_PAUSE = 5.0


# ---------------------------------------------------------------------------------------------------------------------- reading


def exists(path: S3Path) -> bool:
    # HEAD would say nothing of why it is refused.
    try:
        with explained(path):
            client().get_object(Bucket=path.bucket, Key=path.key, Range="bytes=0-0")["Body"].close()
    except FileNotFoundError:
        return False
    except OSError as error:
        if "InvalidRange" in str(error.strerror):
            return True
        raise
    return True


def pieces_of(path: S3Path) -> Iterator[bytes]:
    """The bytes of one version of an object, in order. A connection that is lost is made again where it was."""
    with explained(path):
        answer = _opened(path)
    body, size, at, lost = answer["Body"], int(answer["ContentLength"]), 0, 0
    while at < size:
        try:
            piece = body.read(_PIECE)
        except STREAM_ERRORS as error:
            piece, lost = b"", lost + 1
            if lost >= TRIES:
                with explained(path):
                    raise error
        else:
            lost = lost if piece else lost + 1
        if not piece:
            if lost >= TRIES:
                with explained(path):
                    raise ConnectionResetError
            body.close()
            time.sleep(min(0.1 * 2**lost, _LONGEST_PAUSE))
            with explained(path):
                body = _opened(path, Range=f"bytes={at}-", IfMatch=answer["ETag"])["Body"]
            continue
        at, lost = at + len(piece), 0
        yield piece
    body.close()


def _opened(path: S3Path, **which: Any) -> Any:
    return client().get_object(Bucket=path.bucket, Key=path.key, **which)


def read(path: S3Path, most: int) -> bytes:
    held = b""
    for piece in pieces_of(path):
        held += piece
        if len(held) > most:
            raise OSError(27, f"it has more than {most:,} bytes", str(path))
    return held


def listed(path: S3Path, *, deep: bool = False, begins: str = "") -> Listed:
    """What lies below, all of it if `deep`. `begins`: how names begin that are looked for."""
    keys, prefixes, where = list[str](), list[str](), {} if deep else {"Delimiter": "/"}
    with explained(path):
        for page in client().get_paginator("list_objects_v2").paginate(Bucket=path.bucket, Prefix=path.prefix + begins, **where):
            keys += [each["Key"] for each in page.get("Contents", ())]
            prefixes += [each["Prefix"] for each in page.get("CommonPrefixes", ())]
    return Listed(sorted(keys), sorted(prefixes))


def refuse_absent(path: S3Path) -> None:
    """Raise what says so where the bucket is missing, or may not be looked into."""
    with explained(path):
        client().list_objects_v2(Bucket=path.bucket, Prefix=path.prefix, MaxKeys=1)


# ---------------------------------------------------------------------------------------------------------------------- writing


def put(path: S3Path, data: bytes) -> None:
    with explained(path):
        client().put_object(Bucket=path.bucket, Key=path.key, Body=data, ContentMD5=_md5(data))


def put_file(path: S3Path, file: Path, goes_on: Callable[[], bool] = lambda: True) -> None:
    """It is there as a whole or not at all: parts of a large one are joined at the end. Between them `goes_on` is asked."""
    with file.open("rb") as source:
        first = source.read(PART_BYTES)
        if len(first) < PART_BYTES:
            put(path, first)
            return
        where = {"Bucket": path.bucket, "Key": path.key}
        with explained(path):
            upload = {**where, "UploadId": client().create_multipart_upload(**where)["UploadId"]}
            try:
                parts = list(_sent(upload, first, source, goes_on))
                client().complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
            except BaseException:
                with suppress(Exception):
                    client().abort_multipart_upload(**upload)
                raise


def _sent(upload: dict[str, str], first: bytes, source: BinaryIO, goes_on: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    number, data = 1, first
    while data:
        if not goes_on():
            raise InterruptedError
        answer = client().upload_part(**upload, PartNumber=number, Body=BytesIO(data), ContentMD5=_md5(data))
        yield {"PartNumber": number, "ETag": answer["ETag"]}
        number, data = number + 1, source.read(PART_BYTES)


def _md5(data: bytes) -> str:
    """What the server compares with what came."""
    return b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def copy(source: S3Path, target: S3Path) -> None:
    """On the server."""
    origin = {"Bucket": source.bucket, "Key": source.key}
    with explained(source):
        size = int(client().head_object(**origin)["ContentLength"])
        where = {"Bucket": target.bucket, "Key": target.key}
        if size <= _COPIED_AT_ONCE:
            client().copy_object(**where, CopySource=origin)
            return
        upload = {**where, "UploadId": client().create_multipart_upload(**where)["UploadId"]}
        parts = []
        for number, begin in enumerate(range(0, size, _COPIED_AT_ONCE // 5), 1):
            end = min(begin + _COPIED_AT_ONCE // 5, size) - 1
            answer = client().upload_part_copy(**upload, CopySource=origin, PartNumber=number, CopySourceRange=f"bytes={begin}-{end}")
            parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
        client().complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})


def delete(path: S3Path) -> None:
    with explained(path):
        client().delete_object(Bucket=path.bucket, Key=path.key)


def drop_uploads(path: S3Path) -> None:
    """Parts below that were sent and never joined. Where that may not be asked, the bucket's own rules see to them."""
    with suppress(ClientError, OSError), explained(path):
        found = client().list_multipart_uploads(Bucket=path.bucket, Prefix=path.prefix).get("Uploads", ())
        for each in found:
            client().abort_multipart_upload(Bucket=path.bucket, Key=each["Key"], UploadId=each["UploadId"])


