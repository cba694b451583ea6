"""The client of object storage, and its errors as those of a disk: what is missing, refused or out of reach.

Credentials, region and endpoint are found by botocore itself, in the AWS_* variables and the files of the AWS tools: none of
them passes through our hands, and of an error only its code is repeated.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import botocore.session
from botocore import exceptions as boto
from botocore.config import Config
from urllib3.exceptions import HTTPError

from aggregator.model.errors import WrongConfiguration
from aggregator.model.remote import S3Path
from aggregator.places.bucket import NoBucketError

CONNECT_SECONDS, READ_SECONDS = 10, 60
"""How long one try waits for a connection, and for the next bytes."""
TRIES = 6
"""Unless AWS_MAX_ATTEMPTS says otherwise; half a minute with the pauses between them, where nobody answers at once."""
CONNECTIONS = 16
_NO_SUCH = ("NoSuchKey", "NoSuchBucket", "NotFound", "404", "NoSuchUpload", "NoSuchVersion")
_CREDENTIALS = (
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "TokenRefreshRequired", "InvalidSecurity",
    "RequestTimeTooSkewed", "UnrecognizedClientException", "MissingSecurityHeader", "AccessKeyDisabled",
)  # fmt: skip
_REGION = ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301")
STREAM_ERRORS = (boto.HTTPClientError, boto.IncompleteReadError, boto.ResponseStreamingError, HTTPError, ConnectionError, TimeoutError)
"""What an answer that has begun may end in."""


class WrongCredentials(WrongConfiguration):
    def __init__(self, path: S3Path, why: str) -> None:
        super().__init__(
            f"s3://{path.bucket} cannot be used with these credentials: {why}. Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, "
            "AWS_SESSION_TOKEN or AWS_PROFILE, and the clock of this machine.",
            f"无法使用当前凭证访问 s3://{path.bucket}：{why}。请检查 AWS_ACCESS_KEY_ID、AWS_SECRET_ACCESS_KEY、AWS_SESSION_TOKEN 或 AWS_PROFILE，以及本机时钟。",
        )


class WrongEndpoint(WrongConfiguration):
    def __init__(self, path: S3Path, why: str) -> None:
        super().__init__(
            f"s3://{path.bucket} cannot be found: {why}. Check AWS_REGION (or AWS_DEFAULT_REGION) and AWS_ENDPOINT_URL.",
            f"找不到 s3://{path.bucket}：{why}。请检查 AWS_REGION（或 AWS_DEFAULT_REGION）和 AWS_ENDPOINT_URL。",
        )


@cache
def client() -> Any:
    """One for the process; threads may share it."""
    session = botocore.session.get_session()
    tries = int(session.get_config_variable("max_attempts") or TRIES)
    config = Config(
        connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, max_pool_connections=CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": tries},
        # Storage that is compatible with S3 does not know the newer checksums; what is sent has its MD5.
        request_checksum_calculation="when_required", response_checksum_validation="when_required",
    )  # fmt: skip
    return session.create_client("s3", config=config)


@contextmanager
def explained(path: S3Path) -> Iterator[None]:
    """botocore's errors as OSError, where the disk's would be one, and WrongConfiguration."""
    try:
        yield
    except boto.ClientError as error:
        raise _refused(path, error) from None
    except (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError, boto.ProfileNotFound, boto.TokenRetrievalError,
            boto.SSOError, boto.UnauthorizedSSOTokenError) as error:  # fmt: skip
        raise WrongCredentials(path, _WORDS.get(type(error), type(error).__name__)) from None
    except boto.ConnectTimeoutError:
        raise OSError(errno.ETIMEDOUT, f"no connection to the object storage within {CONNECT_SECONDS} s", str(path)) from None
    except boto.ReadTimeoutError:
        raise OSError(errno.ETIMEDOUT, f"no answer of the object storage within {READ_SECONDS} s", str(path)) from None
    except boto.EndpointConnectionError:
        raise OSError(errno.EHOSTUNREACH, "the object storage cannot be reached", str(path)) from None
    except (boto.NoRegionError, boto.InvalidRegionError, boto.UnknownEndpointError, boto.InvalidEndpointConfigurationError) as error:
        raise WrongEndpoint(path, type(error).__name__) from None
    except boto.ParamValidationError:
        raise OSError(errno.EINVAL, "no bucket or key may be called so", str(path)) from None
    except STREAM_ERRORS as error:
        if isinstance(error, OSError) and error.strerror:
            raise
        raise OSError(errno.EIO, f"the connection to the object storage was lost ({type(error).__name__})", str(path)) from None
    except boto.BotoCoreError as error:
        raise OSError(errno.EIO, f"the object storage cannot be used ({type(error).__name__})", str(path)) from None
    except ValueError as error:
        if "endpoint" not in str(error).lower():
            raise
        # The URL is not repeated: it may hold a password.
        raise WrongEndpoint(path, "AWS_ENDPOINT_URL is no URL") from None


_WORDS = {boto.NoCredentialsError: "there are none", boto.PartialCredentialsError: "a part of them is missing", boto.ProfileNotFound: "there is no such profile"}


def _refused(path: S3Path, error: Any) -> OSError | WrongConfiguration:
    code, status = code_of(error), int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code == "NoSuchBucket":
        return NoBucketError(errno.ENOENT, "there is no such bucket", f"s3://{path.bucket}")
    if code in _NO_SUCH:
        return FileNotFoundError(errno.ENOENT, "no such object", str(path))
    if code in _CREDENTIALS:
        return WrongCredentials(path, code)
    if code in _REGION or status == 301:
        return WrongEndpoint(path, f"{code}, it is in another region or at another endpoint")
    if status in (401, 403):
        return PermissionError(errno.EACCES, f"the object storage refuses it: no right to {error.operation_name} ({code})", str(path))
    if status == 412:
        return OSError(errno.ESTALE, "it was changed meanwhile", str(path))
    if status >= 500 or status == 429:
        return OSError(errno.EAGAIN, f"the object storage is overloaded or out of order ({code}, {status})", str(path))
    return OSError(errno.EIO, f"the object storage refuses {error.operation_name} ({code}, {status})", str(path))


def code_of(error: Any) -> str:
    """Made of letters and digits: what a server says is repeated no further."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code if code.isalnum() and code.isascii() and len(code) < 60 else "unknown"


