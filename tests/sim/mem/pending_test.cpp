#include "sim/mem/pending.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace dvmsim {
namespace {

constexpr int kCores = 5;

Request request(std::int64_t arrival, int core, Pipe queue) {
  return {{Cycles(arrival), static_cast<std::uint16_t>(core), queue}};
}

TEST(PendingRequests, come_out_in_the_order_of_their_keys) {
  std::mt19937_64 draw(7);
  PendingRequests pending(kCores);
  std::set<RequestKey> keys;
  std::set<std::pair<int, Pipe>> waiting;  // a queue has one request at a time
  std::int64_t now = 0;
  for (int step = 0; step < 20000; ++step) {
    const int core = static_cast<int>(draw() % kCores);
    const Pipe queue = kAllPipes[draw() % kAllPipes.size()];
    if (draw() % 2 == 0 && waiting.insert({core, queue}).second) {
      const Request next = request(now + static_cast<std::int64_t>(draw() % 4), core, queue);
      keys.insert(next.key);
      pending.push(next);
    } else if (!keys.empty()) {
      ASSERT_EQ(pending.next_arrival(), keys.begin()->arrival);
      const Request& first = pending.pop();
      ASSERT_EQ(first.key, *keys.begin());
      now = first.key.arrival.count();
      waiting.erase({first.key.core, first.key.queue});
      keys.erase(keys.begin());
    }
    ASSERT_EQ(pending.empty(), keys.empty());
  }
}

TEST(PendingRequests, a_queue_that_was_answered_may_ask_again_at_once) {
  PendingRequests pending(kCores);
  pending.push(request(3, 1, Pipe::MTE2));
  pending.push(request(9, 0, Pipe::MTE2));
  EXPECT_EQ(pending.pop().key.core, 1);
  pending.push(request(12, 1, Pipe::MTE2));
  EXPECT_EQ(pending.next_arrival(), Cycles(9));
  EXPECT_EQ(pending.pop().key.core, 0);
  EXPECT_EQ(pending.pop().key.arrival, Cycles(12));
  EXPECT_TRUE(pending.empty());
}

}  // namespace
}  // namespace dvmsim
