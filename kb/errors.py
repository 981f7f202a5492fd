"""Every error that Gongxue raises on purpose.

KbError
├── RequestError            the asker can mend it (HTTP 4xx, exit 2)
│   ├── InvalidQuery        query text, filter or paging makes no sense
│   ├── InvalidSetting      a setting is unknown or out of range
│   ├── UnsupportedFormat   no reader takes this media type
│   ├── NotFound            no such document, clause, person or page in this scope
│   ├── InvalidRequest      what was filled in or handed in makes no sense
│   ├── SignInRequired      only people who are signed in may do this (401)
│   ├── SignInFailed        these credentials open nothing (401)
│   ├── Refused             understood, and not allowed to this person (403)
│   ├── Conflict            contradicts what is so by now (409)
│   └── TooManyRequests     asked too often in too short a time (429)
├── DocumentError           this document fails, the batch goes on
│   ├── EmptySource         no bytes or no text in it
│   ├── UnreadableSource    damaged, locked, or not what its name says
│   ├── OversizeSource      larger than the limits in force
│   ├── Withdrawn           it was taken out and is not to come back unasked
│   └── StructureError      the text contradicts its own numbering
└── ServiceError            the installation needs care (HTTP 503, exit 3)
    ├── IndexMissing        nothing has been built yet
    ├── IndexMismatch       built with another analyzer, encoder or format
    ├── IndexBusy           another process is writing it
    ├── EncoderUnavailable  weights missing or endpoint silent
    ├── CatalogUnavailable  the relational store cannot be used
    ├── ProviderUnavailable the identity provider is silent or makes no sense
    └── ProposerUnavailable the language model that may propose questions is silent or makes no sense

`code` is stable and part of the HTTP contract. The message says what was
attempted, on what, and what was seen; `hint` says what to do.
"""


class KbError(Exception):
    """Base of all errors with a stable code."""

    code = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class RequestError(KbError):
    """The asker can mend it."""

    code = "bad_request"


class InvalidQuery(RequestError):
    """Query text, filter or paging makes no sense."""

    code = "invalid_query"


class InvalidSetting(RequestError):
    """A setting is unknown or out of range."""

    code = "invalid_setting"


class UnsupportedFormat(RequestError):
    """No reader takes this media type."""

    code = "unsupported_format"


class NotFound(RequestError):
    """No such thing in this scope; forbidden and missing read the same."""

    code = "not_found"


class InvalidRequest(RequestError):
    """What was filled in or handed in makes no sense."""

    code = "invalid_request"


class SignInRequired(RequestError):
    """Only people who are signed in may do this."""

    code = "sign_in_required"


class SignInFailed(RequestError):
    """These credentials open nothing; which part of them is wrong is not told."""

    code = "sign_in_failed"


class Refused(RequestError):
    """The request is understood and not allowed to this person, or here."""

    code = "forbidden"


class Conflict(RequestError):
    """It contradicts what is so by now: done already, taken, or the last of its kind."""

    code = "conflict"


class TooManyRequests(RequestError):
    """Asked too often in too short a time; `wait_s` says how long to wait."""

    code = "too_many_requests"

    def __init__(self, message: str, hint: str = "", *, wait_s: int = 0) -> None:
        super().__init__(message, hint)
        self.wait_s = wait_s


class DocumentError(KbError):
    """This document fails, the batch goes on."""

    code = "document_error"


class EmptySource(DocumentError):
    """No bytes or no text in it."""

    code = "empty_source"


class UnreadableSource(DocumentError):
    """Damaged, locked, or not what its name says."""

    code = "unreadable_source"


class OversizeSource(DocumentError):
    """Larger than the limits in force."""

    code = "oversize_source"


class Withdrawn(DocumentError):
    """It was taken out and is not to come back unasked."""

    code = "withdrawn"


class StructureError(DocumentError):
    """The text contradicts its own numbering."""

    code = "structure_error"


class ServiceError(KbError):
    """The installation needs care."""

    code = "service_error"


class IndexMissing(ServiceError):
    """Nothing has been built yet."""

    code = "index_missing"


class IndexMismatch(ServiceError):
    """Built with another analyzer, encoder or format."""

    code = "index_mismatch"


class IndexBusy(ServiceError):
    """Another process is writing the index."""

    code = "index_busy"


class EncoderUnavailable(ServiceError):
    """Weights missing or endpoint silent."""

    code = "encoder_unavailable"


class CatalogUnavailable(ServiceError):
    """The relational store cannot be used."""

    code = "catalog_unavailable"


class ProviderUnavailable(ServiceError):
    """The identity provider is silent or makes no sense."""

    code = "provider_unavailable"


class ProposerUnavailable(ServiceError):
    """The language model that may propose questions is silent or makes no sense."""

    code = "proposer_unavailable"
