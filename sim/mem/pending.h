// Requests on their way to the memory system, in the order in which they will be served.
#pragma once

#include <algorithm>
#include <vector>

#include "sim/mem/request.h"

namespace dvmsim {

class PendingRequests {
 public:
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  /// Arrival of the request that is served next; not when empty.
  [[nodiscard]] Cycles next_arrival() const { return heap_.front().key.arrival; }

  void push(const Request& request) {
    heap_.push_back(request);
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  Request pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Request request = heap_.back();
    heap_.pop_back();
    return request;
  }

 private:
  static bool later(const Request& a, const Request& b) { return a.key > b.key; }
  std::vector<Request> heap_{};
};

}  // namespace dvmsim
