// What every native engine of the market benchmark shares: the stream file, the tape of trades, its hash, and the
// conversation with the benchmark: for each line "run" on standard input one replay on fresh books, told as JSON.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

namespace bench {

constexpr int kWords = 8;
constexpr int kLadder = 512;
constexpr int32_t kCancel = 4;

struct Command {
  int32_t operation, book, member, clientOrderId, order, step, energy, price;
};
static_assert(sizeof(Command) == kWords * 4, "eight words a command");

struct Stream {
  int32_t books = 0, members = 0, prefill = 0, count = 0, orders = 0;
  std::vector<Command> commands;
};

struct Trade {
  int32_t taker, maker, step, energy;
};

using Tape = std::vector<Trade>;

inline Stream readStream(const char* path) {
  FILE* file = std::fopen(path, "rb");
  int32_t header[kWords];
  if (!file || std::fread(header, 4, kWords, file) != kWords || header[0] != 0x4d4b5431) {
    std::fprintf(stderr, "%s is no command stream\n", path);
    std::exit(2);
  }
  Stream stream{header[1], header[2], header[3], header[4], header[5], {}};
  stream.commands.resize(stream.count);
  if (std::fread(stream.commands.data(), sizeof(Command), stream.count, file) != size_t(stream.count)) std::exit(2);
  std::fclose(file);
  return stream;
}

inline std::string hashOf(const Tape& tape, int32_t orders) {
  uint32_t high = 0x811c9dc5u, low = 0x9e3779b9u;
  for (const Trade& trade : tape) {
    if (trade.taker >= orders) break;
    for (int32_t signedWord : {trade.taker, trade.maker, trade.step, trade.energy}) {
      const uint32_t word = uint32_t(signedWord);
      high = (high ^ word) * 0x01000193u;
      low = (((low << 13) | (low >> 19)) ^ word) * 0x5bd1e995u;
    }
  }
  char text[17];
  std::snprintf(text, sizeof text, "%08x%08x", high, low);
  return text;
}

inline int32_t ordersWithin(const Stream& stream, int32_t commands) {
  int32_t orders = 0;
  for (int32_t at = 0; at < commands; ++at) orders += stream.commands[at].operation != kCancel;
  return orders;
}

inline int64_t nanoseconds(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return int64_t(time.tv_sec) * 1000000000 + time.tv_nsec;
}

// Engine: Engine(const Stream&), play(from, to) over commands, and collect(Tape&) for the trades in the order of their
// takers; collecting is not timed, recording is.
// Arguments: stream file, how many commands to replay, then the command counts at which the hash is wanted.
template <class Engine>
int serve(int argc, char** argv) {
  if (argc < 3) return 2;
  const Stream stream = readStream(argv[1]);
  const int32_t limit = std::min(stream.count, int32_t(std::atol(argv[2])));
  char line[64];
  while (std::fgets(line, sizeof line, stdin)) {
    if (std::strncmp(line, "run", 3) != 0) continue;
    Engine engine(stream);
    engine.play(0, stream.prefill);
    const int64_t cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID), wall = nanoseconds(CLOCK_MONOTONIC);
    engine.play(stream.prefill, limit);
    const int64_t wallSpent = nanoseconds(CLOCK_MONOTONIC) - wall;
    const int64_t cpuSpent = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    Tape tape;
    engine.collect(tape);
    std::printf("{\"nanoseconds\":%lld,\"cpuNanoseconds\":%lld,\"commands\":%d,\"trades\":%zu,\"hashes\":{",
                (long long)wallSpent, (long long)cpuSpent, limit - stream.prefill, tape.size());
    for (int at = 3; at < argc; ++at) {
      const std::string hash = hashOf(tape, ordersWithin(stream, std::min(limit, int32_t(std::atol(argv[at])))));
      std::printf("%s\"%s\":\"%s\"", at > 3 ? "," : "", argv[at], hash.c_str());
    }
    std::printf("}}\n");
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace bench
