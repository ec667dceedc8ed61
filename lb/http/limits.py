"""Size limits of an HTTP/1 message (ELB quotas page, fact sheet 1.7 and 7.6). Bytes unless said otherwise."""

from typing import Final

REQUEST_LINE: Final = 16 * 1024
REQUEST_HEADER: Final = 16 * 1024
REQUEST_HEADERS: Final = 64 * 1024
RESPONSE_HEADERS: Final = 32 * 1024
FORWARDED_FOR_ADDRESSES: Final = 30
TRACE_ID: Final = 7 * 1024
# Not an ELB quota: what one chunk-size line with its extensions, or a trailer section, may take. Apache and nginx
# refuse such lines at 8 KiB and less.
CHUNK_LINE: Final = 4 * 1024
TRAILERS: Final = 16 * 1024
