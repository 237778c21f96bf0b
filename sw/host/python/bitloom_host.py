"""A board with a Bitloom design, over its serial port: ctypes over libbitloom_host, nothing else needed.

    with bitloom_host.Board("/dev/ttyUSB1", baud=1_000_000) as board:
        print(board.hello)
        results = board.infer(images)        # bytes of images in, bytes of results out, one item each

An image is `board.image_bytes` bytes, a result `board.result_bytes`: beats of (width + 7) // 8 bytes, low byte first (docs/protocol.md).
The library is looked for in $BITLOOM_HOST_LIBRARY, beside this file, and where the system's loader looks.
"""

import ctypes
import os
import pathlib
from dataclasses import dataclass, fields

OK, BAD_ARGUMENT, NO_PORT, GONE, SILENT, BAD_PROTOCOL, RESTARTED, STOPPED = 0, -1, -2, -3, -4, -5, -6, -7


class BoardError(Exception):
    """`status` is one of the constants above; `results` holds what was complete when infer failed."""

    def __init__(self, status, text, results=()):
        super().__init__(text)
        self.status, self.results = status, list(results)


class _Hello(ctypes.Structure):
    _fields_ = [("protocol", ctypes.c_uint32), ("design_hash", ctypes.c_uint64), ("clock_hz", ctypes.c_uint32),
                ("input_beats", ctypes.c_uint32), ("input_width", ctypes.c_uint32), ("output_beats", ctypes.c_uint32),
                ("output_width", ctypes.c_uint32), ("input_buffer", ctypes.c_uint32), ("output_buffer", ctypes.c_uint32)]


class _Counters(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("frames", "stalls", "frame_interval", "errors")]


class _Statistics(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("requests", "repetitions", "errors_reported", "damaged_replies", "timeouts",
                                                     "bytes_sent", "bytes_received")]


@dataclass(frozen=True)
class Hello:
    protocol: int
    design_hash: int
    clock_hz: int
    input_beats: int
    input_width: int
    output_beats: int
    output_width: int
    input_buffer: int
    output_buffer: int


@dataclass(frozen=True)
class Counters:
    frames: int
    stalls: int
    frame_interval: int
    errors: int


@dataclass(frozen=True)
class Statistics:
    requests: int
    repetitions: int
    errors_reported: int
    damaged_replies: int
    timeouts: int
    bytes_sent: int
    bytes_received: int


_PROGRESS = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)
_library = None


def _load():
    global _library
    if _library is not None:
        return _library
    beside = pathlib.Path(__file__).resolve().parent / "libbitloom_host.so"
    name = os.environ.get("BITLOOM_HOST_LIBRARY") or (str(beside) if beside.exists() else "libbitloom_host.so")
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise ImportError(f"libbitloom_host.so is neither beside {__file__} nor where the loader looks; "
                          f"set BITLOOM_HOST_LIBRARY ({error})") from error
    handle, size = ctypes.c_void_p, ctypes.c_size_t
    for function, result, arguments in (
            ("bitloom_open", handle, [ctypes.c_char_p, ctypes.c_uint32, ctypes.c_uint32]),
            ("bitloom_close", None, [handle]),
            ("bitloom_hello_of", ctypes.c_int, [handle, ctypes.POINTER(_Hello)]),
            ("bitloom_image_bytes", size, [handle]),
            ("bitloom_result_bytes", size, [handle]),
            ("bitloom_infer", ctypes.c_int, [handle, ctypes.c_char_p, size, ctypes.c_char_p, ctypes.POINTER(size), _PROGRESS, handle]),
            ("bitloom_reset", ctypes.c_int, [handle]),
            ("bitloom_read_counters", ctypes.c_int, [handle, ctypes.POINTER(_Counters)]),
            ("bitloom_read_statistics", ctypes.c_int, [handle, ctypes.POINTER(_Statistics)]),
            ("bitloom_last_status", ctypes.c_int, [handle]),
            ("bitloom_error", ctypes.c_char_p, [handle])):
        entry = getattr(library, function)
        entry.restype, entry.argtypes = result, arguments
    _library = library
    return library


class Board:
    def __init__(self, port, baud=1_000_000, timeout=10.0):
        self._handle = None
        self._library = _load()
        self._handle = self._library.bitloom_open(os.fsencode(port), baud, max(1, round(timeout * 1000)))
        if not self._handle:
            raise BoardError(self._library.bitloom_last_status(None), self._library.bitloom_error(None).decode())
        self.image_bytes = self._library.bitloom_image_bytes(self._handle)
        self.result_bytes = self._library.bitloom_result_bytes(self._handle)

    def close(self):
        if self._handle:
            self._library.bitloom_close(self._handle)
            self._handle = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()

    def _call(self, name, *arguments):
        if not self._handle:
            raise BoardError(BAD_ARGUMENT, "the board is closed")
        status = getattr(self._library, name)(self._handle, *arguments)
        if status != OK:
            raise BoardError(status, self._library.bitloom_error(self._handle).decode())

    def _read(self, name, raw, kind):
        self._call(name, ctypes.byref(raw))
        return kind(**{field.name: getattr(raw, field.name) for field in fields(kind)})

    @property
    def hello(self):
        return self._read("bitloom_hello_of", _Hello(), Hello)

    def counters(self):
        return self._read("bitloom_read_counters", _Counters(), Counters)

    def statistics(self):
        return self._read("bitloom_read_statistics", _Statistics(), Statistics)

    def reset(self):
        self._call("bitloom_reset")

    def infer(self, images, progress=None):
        """`images`: byte strings of image_bytes each. Returns as many results; `progress(done)` may return True to stop."""
        images = [bytes(image) for image in images]
        for index, image in enumerate(images):
            if len(image) != self.image_bytes:
                raise ValueError(f"image {index} has {len(image)} bytes, {self.image_bytes} expected")
        results = ctypes.create_string_buffer(max(1, len(images) * self.result_bytes))
        done = ctypes.c_size_t(0)
        call = _PROGRESS((lambda _, count: 1 if progress(count) else 0) if progress else (lambda _, count: 0))

        def complete():
            raw, size = results.raw, self.result_bytes
            return [raw[i * size:(i + 1) * size] for i in range(done.value)]

        try:
            self._call("bitloom_infer", b"".join(images), len(images), results, ctypes.byref(done), call, None)
        except BoardError as error:
            error.results = complete()
            raise
        return complete()
