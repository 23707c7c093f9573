// Requests on their way to the memory system, in the order in which they will be served. A queue of
// a core has one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "sim/mem/request.h"
#include "vm/base/error.h"

namespace dvmsim {

class PendingRequests {
 public:
  explicit PendingRequests(int cores) : waiting_(static_cast<std::size_t>(cores) << kQueueBits) {}

  [[nodiscard]] bool empty() const { return keys_.size() == static_cast<std::size_t>(taken_); }
  /// Arrival of the request that is served next; not when empty.
  [[nodiscard]] Cycles next_arrival() {
    if (taken_) fill_front();
    return Cycles(static_cast<std::int64_t>(keys_.front() >> kSlotBits));
  }
  void push(const Request& request) {
    const std::uint64_t key = packed(request.key);
    waiting_[slot_of(key)] = request;
    if (taken_) {  // most often the queue that was answered last asks again
      taken_ = false;
      sink(key);
    } else {
      keys_.push_back(key);
      rise();
    }
  }
  /// Stays where it is until its queue asks again.
  const Request& pop() {
    if (taken_) fill_front();
    taken_ = true;
    return waiting_[slot_of(keys_.front())];
  }

 private:
  static constexpr unsigned kQueueBits = 3, kSlotBits = 16;  // of the core and the queue together
  static_assert(kPipes <= 1 << kQueueBits);

  /// Ascending like the key itself.
  static std::uint64_t packed(const RequestKey& key) {
    const auto arrival = static_cast<std::uint64_t>(key.arrival.count());
    DVMSIM_ASSERT(arrival >> (64 - kSlotBits) == 0 && key.core >> (kSlotBits - kQueueBits) == 0,
                  "an arrival fits 48 bits and a core 13");
    return arrival << kSlotBits | static_cast<std::uint64_t>(key.core) << kQueueBits |
           static_cast<std::uint64_t>(key.queue);
  }
  static std::size_t slot_of(std::uint64_t key) {
    return static_cast<std::size_t>(key & ((std::uint64_t{1} << kSlotBits) - 1));
  }
  /// Puts the key in the place of the front, and down to where it belongs.
  void sink(std::uint64_t key) {
    const std::size_t count = keys_.size();
    std::size_t place = 0;
    for (std::size_t child; (child = 2 * place + 1) < count; place = child) {
      if (child + 1 < count) child += static_cast<std::size_t>(keys_[child + 1] < keys_[child]);
      if (key <= keys_[child]) break;
      keys_[place] = keys_[child];
    }
    keys_[place] = key;
  }
  void rise() {
    for (std::size_t place = keys_.size() - 1; place > 0;) {
      const std::size_t parent = (place - 1) / 2;
      if (keys_[parent] <= keys_[place]) return;
      std::swap(keys_[parent], keys_[place]);
      place = parent;
    }
  }
  void fill_front() {
    taken_ = false;
    const std::uint64_t last = keys_.back();
    keys_.pop_back();
    if (!keys_.empty()) sink(last);
  }

  std::vector<Request> waiting_;       // by core and queue
  std::vector<std::uint64_t> keys_{};  // a heap, the smallest in front
  bool taken_ = false;                 // the front has been served; its place is free
};

}  // namespace dvmsim
