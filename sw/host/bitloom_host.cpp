#include "host/bitloom_host.h"

#include <memory>
#include <new>

#include "host/session.hpp"

using bitloom::host::Failure;
using bitloom::host::Session;

struct bitloom_host {
  std::unique_ptr<Session> session;
  Failure failure;
};

namespace {

thread_local Failure opening;

/// Runs `work` and keeps its failure.
template <class Work>
int guarded(Failure& failure, Work work) {
  try {
    failure = {};
    work();
  } catch (const Failure& thrown) {
    failure = thrown;
  } catch (const std::exception& thrown) {
    failure = {BITLOOM_BAD_ARGUMENT, thrown.what()};
  }
  return failure.status;
}
void require(bool condition, const char* text) {
  if (!condition) throw Failure{BITLOOM_BAD_ARGUMENT, text};
}

}  // namespace

extern "C" {

bitloom_host* bitloom_open(const char* port, uint32_t baud, uint32_t timeout_ms) {
  auto host = std::make_unique<bitloom_host>();
  const int status = guarded(opening, [&] {
    require(port != nullptr && *port != '\0', "no port named");
    require(baud >= 1, "a baud rate of 1 or more expected");
    host->session = std::make_unique<Session>(port, baud, std::chrono::milliseconds(timeout_ms == 0 ? 10000 : timeout_ms));
  });
  return status == BITLOOM_OK ? host.release() : nullptr;
}

void bitloom_close(bitloom_host* host) { delete host; }

int bitloom_hello_of(bitloom_host* host, bitloom_hello* hello) {
  return guarded(host->failure, [&] {
    require(hello != nullptr, "nowhere to put the hello");
    *hello = host->session->hello();
  });
}

size_t bitloom_image_bytes(bitloom_host* host) { return host->session->image_bytes(); }
size_t bitloom_result_bytes(bitloom_host* host) { return host->session->result_bytes(); }

int bitloom_infer(bitloom_host* host, const uint8_t* images, size_t count, uint8_t* results, size_t* done, bitloom_progress progress,
                  void* context) {
  size_t finished = 0;
  const int status = guarded(host->failure, [&] {
    require(count == 0 || (images != nullptr && results != nullptr), "no images, or nowhere to put the results");
    host->session->infer(images, count, results, finished, [&](size_t so_far) {
      if (done != nullptr) *done = so_far;
      return progress == nullptr || progress(context, so_far) == 0;
    });
  });
  if (done != nullptr) *done = finished;
  return status;
}

int bitloom_reset(bitloom_host* host) {
  return guarded(host->failure, [&] { host->session->reset(); });
}

int bitloom_read_counters(bitloom_host* host, bitloom_counters* counters) {
  return guarded(host->failure, [&] {
    require(counters != nullptr, "nowhere to put the counters");
    *counters = host->session->counters();
  });
}

int bitloom_read_statistics(bitloom_host* host, bitloom_statistics* statistics) {
  return guarded(host->failure, [&] {
    require(statistics != nullptr, "nowhere to put the statistics");
    *statistics = host->session->statistics();
  });
}

int bitloom_last_status(bitloom_host* host) { return (host == nullptr ? opening : host->failure).status; }
const char* bitloom_error(bitloom_host* host) { return (host == nullptr ? opening : host->failure).text.c_str(); }
}
