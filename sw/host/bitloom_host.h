/* A board with a Bitloom design, reached over its serial port (docs/protocol.md). C interface of libbitloom_host.
 *
 *     bitloom_host* board = bitloom_open("/dev/ttyUSB1", 1000000, 0);
 *     if (!board) { puts(bitloom_error(NULL)); return 1; }
 *     bitloom_infer(board, images, count, results, NULL, NULL);
 *     bitloom_close(board);
 *
 * Functions that return a status return BITLOOM_OK or a negative one; bitloom_error() then has a sentence. A handle belongs to one thread at a time. */
#ifndef BITLOOM_HOST_H
#define BITLOOM_HOST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bitloom_host bitloom_host;

enum bitloom_status {
  BITLOOM_OK = 0,
  BITLOOM_BAD_ARGUMENT = -1,
  BITLOOM_NO_PORT = -2,       /* the port cannot be opened */
  BITLOOM_GONE = -3,          /* the port has gone: unplugged */
  BITLOOM_SILENT = -4,        /* the port is there and nothing answers, or only noise */
  BITLOOM_BAD_PROTOCOL = -5,  /* what answers is no Bitloom design, or one of another protocol version */
  BITLOOM_RESTARTED = -6,     /* the board was reset while images were inside */
  BITLOOM_STOPPED = -7,       /* the progress function asked for it */
  BITLOOM_NO_WEIGHTS = -8     /* the design loads weights from the board's flash, and they are not there */
};

/* What the board says of itself. A beat travels as (width + 7) / 8 bytes, low byte first. */
typedef struct bitloom_hello {
  uint32_t protocol;
  uint64_t design_hash; /* "hash" in design.json */
  uint32_t clock_hz;
  uint32_t input_beats, input_width;   /* of an image */
  uint32_t output_beats, output_width; /* of a result */
  uint32_t input_buffer, output_buffer; /* bytes */
} bitloom_hello;

/* Counted by the board since bitloom_open or bitloom_reset. */
typedef struct bitloom_counters {
  uint32_t frames;         /* results that have left the core */
  uint32_t stalls;         /* clocks in which input waited for the core */
  uint32_t frame_interval; /* clocks between the last two results, 2^23 at most */
  uint32_t errors;         /* packets that the board did not execute, modulo 65536 */
} bitloom_counters;

/* Counted here since bitloom_open. */
typedef struct bitloom_statistics {
  uint64_t requests;         /* packets sent, repetitions included */
  uint64_t repetitions;      /* of them, sent again */
  uint64_t errors_reported;  /* by the board */
  uint64_t damaged_replies;  /* that came from the board */
  uint64_t timeouts;         /* requests without any answer */
  uint64_t bytes_sent, bytes_received;
} bitloom_statistics;

/* Called with the number of results so far; another value than 0 stops. */
typedef int (*bitloom_progress)(void* context, size_t done);

/* Opens the port at `baud` bits per second (a pseudo-terminal ignores it), asks for the hello and resets the board's session. `timeout_ms`: how long the board may
 * stay silent before it counts as absent; 0: 10 seconds. NULL on failure: bitloom_error(NULL) says why. */
bitloom_host* bitloom_open(const char* port, uint32_t baud, uint32_t timeout_ms);
void bitloom_close(bitloom_host* host);

int bitloom_hello_of(bitloom_host* host, bitloom_hello* hello);
/* Bytes of an image and of a result on the line. */
size_t bitloom_image_bytes(bitloom_host* host);
size_t bitloom_result_bytes(bitloom_host* host);

/* Sends `count` images, image_bytes each, and collects their results, result_bytes each, in order. On failure *done (which may be NULL with progress == NULL) results
 * are complete; the session must then be reset before the next call. */
int bitloom_infer(bitloom_host* host, const uint8_t* images, size_t count, uint8_t* results, size_t* done, bitloom_progress progress, void* context);

/* Empties the board's pipeline and zeroes its counters. */
int bitloom_reset(bitloom_host* host);
int bitloom_read_counters(bitloom_host* host, bitloom_counters* counters);
int bitloom_read_statistics(bitloom_host* host, bitloom_statistics* statistics);

/* The last failure's status and sentence; of bitloom_open with NULL (of the calling thread). Valid until the next call. */
int bitloom_last_status(bitloom_host* host);
const char* bitloom_error(bitloom_host* host);

#ifdef __cplusplus
}
#endif
#endif
