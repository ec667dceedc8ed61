"""Reads the first packet of a MySQL server, as bytes: is this MySQL at all? No I/O.

MySQL's server speaks first. A packet is a 3-byte length (little endian), a sequence number (0 for the first) and a
payload, which begins with 10 (the protocol version of every server since 3.21) or 255 (an error, such as "Too many
connections"). Source: "Protocol::HandshakeV10" and "ERR_Packet" in MySQL's client/server protocol documentation;
MariaDB's agrees.
"""

_PROTOCOL_10 = 10
_ERROR_PACKET = 0xFF
_HEADER_LENGTH = 4
_ENOUGH = _HEADER_LENGTH + 1

# Real greetings are some 80-120 bytes, error packets at most 512 + header. Anything longer is text read as a length.
_LONGEST = 1024


def is_mysql_greeting(data: bytes) -> bool | None:
    """Whether `data`, the first bytes a server sent, begin a MySQL greeting; None while there are too few to tell."""
    if len(data) < _ENOUGH:
        return None
    length = int.from_bytes(data[:3], "little")
    return data[3] == 0 and 0 < length <= _LONGEST and data[_HEADER_LENGTH] in (_PROTOCOL_10, _ERROR_PACKET)
