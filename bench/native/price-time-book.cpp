// The price-time book of src/domain/market in C++: what the same layout costs without a virtual machine. A book is its
// orders in the order of arrival, sixteen bytes each and never used again; first in first out by links within a price; a
// bitmap over the prices with one word that says which of its words hold anything; a tape of its trades by position.
#include "replay.hpp"

namespace {

using bench::kLadder;

constexpr int32_t kNone = -1;
constexpr int kBitmapWords = kLadder / 64;

struct Line {
  int32_t next, previous, open, key;
};
static_assert(sizeof(Line) == 16, "a quarter of a cache line");

struct Match {
  int32_t taker, maker, energy;
};

class PriceTimeBook {
 public:
  PriceTimeBook() {
    for (Ends& ends : ends_) ends = {kNone, kNone};
  }

  template <int kSide>
  void add(int32_t step, int32_t energy, bool rests) {
    const int32_t position = int32_t(lines_.size());
    lines_.push_back({kNone, kNone, 0, step * 2 + kSide});
    int32_t left = energy;
    while (left > 0 && (kSide == 0 ? bestSell_ <= step : bestBuy_ >= step)) {
      left = take(position, kSide == 0 ? bestSell_ : bestBuy_, left);
    }
    if (left > 0 && rests) rest<kSide>(position, step, left);
  }

  void cancel(int32_t position) {
    Line& line = lines_[position];
    if (line.open == 0) return;
    line.open = 0;
    const int32_t step = line.key >> 1;
    if (line.previous != kNone) lines_[line.previous].next = line.next;
    else ends_[step].first = line.next;
    if (line.next != kNone) lines_[line.next].previous = line.previous;
    else ends_[step].last = line.previous;
    if (line.next == kNone && line.previous == kNone) empty(step);
  }

  const std::vector<Match>& matches() const { return matches_; }
  int32_t stepOf(int32_t position) const { return lines_[position].key >> 1; }

 private:
  struct Ends {
    int32_t first, last;
  };

  int32_t take(int32_t taker, int32_t step, int32_t energy) {
    int32_t left = energy;
    int32_t maker = ends_[step].first;
    do {
      Line& line = lines_[maker];
      const int32_t open = line.open;
      if (open > left) {
        line.open = open - left;
        matches_.push_back({taker, maker, left});
        left = 0;
        break;
      }
      line.open = 0;
      matches_.push_back({taker, maker, open});
      left -= open;
      maker = line.next;
    } while (left > 0 && maker != kNone);
    ends_[step].first = maker;
    if (maker != kNone) {
      lines_[maker].previous = kNone;
    } else {
      ends_[step].last = kNone;
      empty(step);
    }
    return left;
  }

  template <int kSide>
  void rest(int32_t position, int32_t step, int32_t left) {
    Line& line = lines_[position];
    line.open = left;
    line.previous = ends_[step].last;
    ends_[step].last = position;
    if (line.previous != kNone) {
      lines_[line.previous].next = position;
      return;
    }
    ends_[step].first = position;
    words_[step >> 6] |= uint64_t(1) << (step & 63);
    summary_ |= 1u << (step >> 6);
    if (kSide == 0) bestBuy_ = std::max(bestBuy_, step);
    else bestSell_ = std::min(bestSell_, step);
  }

  void empty(int32_t step) {
    words_[step >> 6] &= ~(uint64_t(1) << (step & 63));
    if (words_[step >> 6] == 0) summary_ &= ~(1u << (step >> 6));
    if (step == bestSell_) bestSell_ = above(step);
    else if (step == bestBuy_) bestBuy_ = below(step);
  }

  int32_t above(int32_t step) const {
    const int word = step >> 6;
    const uint64_t bits = words_[word] & (~uint64_t(1) << (step & 63));
    if (bits) return word * 64 + __builtin_ctzll(bits);
    const uint32_t rest = summary_ & (~1u << word);
    if (!rest) return kLadder;
    const int next = __builtin_ctz(rest);
    return next * 64 + __builtin_ctzll(words_[next]);
  }

  int32_t below(int32_t step) const {
    const int word = step >> 6;
    const uint64_t bits = words_[word] & ((uint64_t(1) << (step & 63)) - 1);
    if (bits) return word * 64 + 63 - __builtin_clzll(bits);
    const uint32_t rest = summary_ & ((1u << word) - 1);
    if (!rest) return kNone;
    const int next = 31 - __builtin_clz(rest);
    return next * 64 + 63 - __builtin_clzll(words_[next]);
  }

  std::vector<Line> lines_;
  std::vector<Match> matches_;
  Ends ends_[kLadder];
  uint64_t words_[kBitmapWords] = {};
  uint32_t summary_ = 0;
  int32_t bestBuy_ = kNone;
  int32_t bestSell_ = kLadder;
};

// All books of a stream. Cancels name positions, which a caller of the book keeps; they are looked up before the clock.
class Books {
 public:
  explicit Books(const bench::Stream& stream) : stream_(stream), books_(stream.books), numbers_(stream.books) {
    positionOf_.resize(stream.orders);
    for (const bench::Command& command : stream.commands) {
      if (command.operation == bench::kCancel) continue;
      positionOf_[command.order] = int32_t(numbers_[command.book].size());
      numbers_[command.book].push_back(command.order);
    }
  }

  void play(int32_t from, int32_t to) {
    for (int32_t at = from; at < to; ++at) {
      const bench::Command& command = stream_.commands[at];
      PriceTimeBook& book = books_[command.book];
      if (command.operation == bench::kCancel) book.cancel(positionOf_[command.order]);
      else if (command.operation & 1) book.add<1>(command.step, command.energy, command.operation < 2);
      else book.add<0>(command.step, command.energy, command.operation < 2);
    }
  }

  void collect(bench::Tape& tape) const {
    for (size_t book = 0; book < books_.size(); ++book) {
      const std::vector<int32_t>& numbers = numbers_[book];
      for (const Match& match : books_[book].matches()) {
        tape.push_back({numbers[match.taker], numbers[match.maker], books_[book].stepOf(match.maker), match.energy});
      }
    }
    std::stable_sort(tape.begin(), tape.end(),
                     [](const bench::Trade& a, const bench::Trade& b) { return a.taker < b.taker; });
  }

 private:
  const bench::Stream& stream_;
  std::vector<PriceTimeBook> books_;
  std::vector<std::vector<int32_t>> numbers_;
  std::vector<int32_t> positionOf_;
};

}  // namespace

int main(int argc, char** argv) { return bench::serve<Books>(argc, argv); }
