// An exchange carries the next input bytes out and finished results back. Its reply says how many input bytes the board has taken in all
// (modulo twice its buffer), so a repetition may carry fewer bytes than the first attempt, and chunks can follow the noise: halved after
// two failures in a row, doubled after sixteen exchanges without any.
#include "host/session.hpp"

#include <algorithm>
#include <thread>

namespace bitloom::host {
namespace {

constexpr std::uint32_t kProtocol = 1;
constexpr std::size_t kHelloBytes = 29, kFramingBytes = 16, kLeastChunk = 16;
constexpr auto kFirstWait = std::chrono::milliseconds(500), kLeastWait = std::chrono::milliseconds(20);

std::uint64_t number_at(const Bytes& bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | bytes[at + i];
  return value;
}

}  // namespace

Session::Session(const std::string& port, std::uint32_t baud, std::chrono::milliseconds patience)
    : port_(port, baud), name_(port), patience_(patience) {
  read_hello();
  // A board that reads its weights from a flash is done in less than a second; what the flash holds may be written meanwhile.
  for (const auto start = Clock::now(); weights_ != 0; read_hello()) {
    if (Clock::now() - start > patience_)
      throw Failure{BITLOOM_NO_WEIGHTS, name_ + ": the board's flash does not hold this design's weights; write weights.bin of the design folder there, with "
                                                "the command that bitloom synth printed, and reset the board"};
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  chunk_ = hello_.input_buffer / 2;  // so that one fits while the core takes the one before
  reset();
}

void Session::read_hello() {
  Packet reply;
  ask(Type::Hello, ++number_, {}, reply);
  if (reply.payload.empty() || reply.payload[0] != kProtocol)
    throw Failure{BITLOOM_BAD_PROTOCOL, name_ + ": the board speaks protocol version " +
                                            (reply.payload.empty() ? std::string("unknown") : std::to_string(reply.payload[0])) +
                                            ", this program version " + std::to_string(kProtocol)};
  if (reply.payload.size() < kHelloBytes) throw Failure{BITLOOM_BAD_PROTOCOL, name_ + ": the hello is too short"};
  auto take = [&, at = std::size_t{0}](std::size_t count) mutable {
    at += count;
    return number_at(reply.payload, at - count, count);
  };
  const auto take32 = [&](std::size_t count) { return static_cast<std::uint32_t>(take(count)); };
  hello_.protocol = take32(1);
  hello_.design_hash = take(8);
  hello_.clock_hz = take32(4);
  hello_.input_beats = take32(4), hello_.input_width = take32(2);
  hello_.output_beats = take32(4), hello_.output_width = take32(2);
  hello_.input_buffer = take32(2), hello_.output_buffer = take32(2);
  weights_ = reply.payload.size() > kHelloBytes ? reply.payload[kHelloBytes] : 0;
  if (hello_.input_beats == 0 || hello_.input_width == 0 || hello_.output_beats == 0 || hello_.output_width == 0 ||
      hello_.input_buffer == 0)
    throw Failure{BITLOOM_BAD_PROTOCOL, name_ + ": the hello makes no sense"};
}

std::size_t Session::image_bytes() const { return std::size_t{hello_.input_beats} * ((hello_.input_width + 7) / 8); }
std::size_t Session::result_bytes() const { return std::size_t{hello_.output_beats} * ((hello_.output_width + 7) / 8); }

std::optional<Packet> Session::next(Clock::time_point deadline, bool& damaged) {
  while (arrived_.empty() && !damaged) {
    const Bytes bytes = port_.read(deadline);
    if (bytes.empty()) return std::nullopt;
    statistics_.bytes_received += bytes.size();
    for (const std::uint8_t byte : bytes) {
      const std::uint64_t before = reader_.damaged();
      if (auto packet = reader_.take(byte)) arrived_.push_back(std::move(*packet));
      if (reader_.damaged() != before) damaged = true, ++statistics_.damaged_replies;
    }
  }
  if (arrived_.empty()) return std::nullopt;
  Packet packet = std::move(arrived_.front());
  arrived_.pop_front();
  return packet;
}

void Session::learn_pace(std::size_t bytes, Clock::duration taken) {
  const double pace = std::chrono::duration<double>(taken).count() / static_cast<double>(bytes);
  seconds_per_byte_ = seconds_per_byte_ == 0 ? pace : 0.75 * seconds_per_byte_ + 0.25 * pace;
}

Session::Clock::duration Session::time_for(std::size_t bytes) const {
  if (seconds_per_byte_ == 0) return kFirstWait;
  const auto expected =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(4 * seconds_per_byte_ * static_cast<double>(bytes)));
  return std::max<Clock::duration>(expected, kLeastWait);
}

Session::Answer Session::ask(Type type, std::uint8_t number, Bytes payload, Packet& reply, const std::function<void(Bytes&)>& shrink) {
  const auto start = Clock::now();
  Clock::duration wait{};
  for (int attempt = 0;; ++attempt) {
    if (attempt > 0) {
      ++statistics_.repetitions;
      if (shrink && attempt % 2 == 0) shrink(payload);
    }
    const Bytes line = on_the_line(type, number, payload);
    ++statistics_.requests;
    statistics_.bytes_sent += line.size();
    const auto sent = Clock::now();
    if (sent - start > patience_) {
      const bool heard = statistics_.bytes_received > 0;
      throw Failure{BITLOOM_SILENT, name_ + ": no answer in " + std::to_string(patience_.count() / 1000) + " s" +
                                        (heard ? "; what comes is damaged: check cable and baud rate"
                                               : "; is the design on the board, and is this its port and baud rate?")};
    }
    const std::size_t largest = line.size() + kFramingBytes + (type == Type::Hello ? kHelloBytes : hello_.output_buffer);
    port_.write(line, sent + patience_);
    wait = attempt == 0 ? time_for(largest) : std::min<Clock::duration>(2 * wait, std::chrono::seconds(2));
    const auto deadline = std::min<Clock::time_point>(sent + wait, start + patience_ + wait);
    bool again = false, damaged = false;
    while (!again) {
      auto packet = next(deadline, damaged);
      if (!packet) {
        if (!damaged) ++statistics_.timeouts;
        again = true;
      } else if (packet->type == (static_cast<std::uint8_t>(type) | kReply) && packet->number == number) {
        if (attempt == 0) learn_pace(line.size() + packet->payload.size() + kFramingBytes, Clock::now() - sent);
        reply = std::move(*packet);
        return Answer::Reply;
      } else if (packet->type == kReply && packet->payload.size() == 1) {
        ++statistics_.errors_reported;
        const auto refusal = static_cast<Refusal>(packet->payload[0]);
        if (refusal == Refusal::UnknownType && type != Type::Error)
          again = true;
        else if (refusal == Refusal::Overrun && type == Type::Exchange && packet->number == static_cast<std::uint8_t>(number - 1))
          return Answer::Overrun;
        else if (refusal == Refusal::BadSequence && type == Type::Exchange && packet->number != static_cast<std::uint8_t>(number - 1))
          return Answer::BadSequence;
        again = true;
      }  // anything else answers a request of before
    }
  }
}

void Session::reset() {
  Packet reply;
  ask(Type::Reset, ++number_, {}, reply);
}

bitloom_counters Session::counters() {
  // Not an exchange's number: the board looks at it only to give it back.
  Packet reply;
  ask(Type::Counters, static_cast<std::uint8_t>(number_ + 100), {}, reply);
  if (reply.payload.size() < 16) throw Failure{BITLOOM_BAD_PROTOCOL, name_ + ": the counters are too short"};
  const auto take = [&](std::size_t at) { return static_cast<std::uint32_t>(number_at(reply.payload, at, 4)); };
  return {take(0), take(4), take(8), take(12)};
}

void Session::infer(const std::uint8_t* images, std::size_t count, std::uint8_t* results, std::size_t& done,
                    const std::function<bool(std::size_t)>& go_on) {
  const std::size_t input = count * image_bytes(), output = count * result_bytes();
  const std::size_t modulus = 2 * std::size_t{hello_.input_buffer};
  reset();
  std::size_t taken = 0, got = 0, room = hello_.input_buffer;
  std::size_t offered = 0;  // at most, with the number that is next: any attempt may be the one that is executed
  auto last_step = Clock::now();
  auto pause = std::chrono::microseconds(0);
  done = 0;
  while (got < output) {
    std::size_t size = std::min(chunk_, input - taken);
    if (room < size) size = room < 64 ? 0 : room;  // no crumbs
    offered = std::max(offered, size);
    Packet reply;
    const std::uint64_t repetitions = statistics_.repetitions;
    const Answer answer = ask(Type::Exchange, static_cast<std::uint8_t>(number_ + 1), Bytes(images + taken, images + taken + size), reply,
                              [&](Bytes& payload) {
                                chunk_ = std::max(kLeastChunk, chunk_ / 2);
                                payload.resize(std::min(payload.size(), chunk_));
                              });
    if (answer == Answer::BadSequence) throw Failure{BITLOOM_RESTARTED, name_ + ": the board was reset while images were inside"};
    if (answer == Answer::Overrun) {  // it was not executed: the number is still free
      room = 0;
      continue;
    }
    ++number_;
    clean_exchanges_ = statistics_.repetitions == repetitions ? clean_exchanges_ + 1 : 0;
    if (clean_exchanges_ == 16) {
      clean_exchanges_ = 0;
      chunk_ = std::min<std::size_t>(2 * chunk_, hello_.input_buffer / 2);
    }
    if (reply.payload.size() < 4) throw Failure{BITLOOM_BAD_PROTOCOL, name_ + ": a reply is too short"};
    const std::size_t advance = (number_at(reply.payload, 0, 2) + modulus - taken % modulus) % modulus;
    const std::size_t bytes = reply.payload.size() - 4;
    if (advance > offered || bytes > output - got)
      throw Failure{BITLOOM_RESTARTED, name_ + ": the board has lost its place; was it reset while images were inside?"};
    taken += advance;
    offered = 0;
    room = number_at(reply.payload, 2, 2);
    std::copy(reply.payload.begin() + 4, reply.payload.end(), results + got);
    got += bytes;
    const std::size_t before = done;
    done = got / result_bytes();
    if (done != before && go_on && !go_on(done)) throw Failure{BITLOOM_STOPPED, "stopped"};
    if (advance > 0 || bytes > 0) {
      last_step = Clock::now();
      pause = std::chrono::microseconds(0);
      continue;
    }
    if (size > 0) continue;
    // The core is at work: ask again, less and less often.
    if (Clock::now() - last_step > 6 * patience_)
      throw Failure{BITLOOM_SILENT, name_ + ": the core gives no results although the link works"};
    pause = std::min<std::chrono::microseconds>(2 * pause + std::chrono::microseconds(200), std::chrono::milliseconds(20));
    if (pause > std::chrono::microseconds(400)) std::this_thread::sleep_for(pause);
  }
}

}  // namespace bitloom::host
