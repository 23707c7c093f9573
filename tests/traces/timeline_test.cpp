#include "traces/timeline.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

namespace dvmsim {
namespace {

const CoreId kCore{CoreKind::Vector, 0};

isa::Command command(isa::Op op) {
  isa::Command made;
  made.op = op;
  return made;
}

Span span(const CoreId& core, Pipe pipe, int begin, int end, Reason reason,
          const isa::Command* of = nullptr) {
  return {{core, pipe}, Cycles(begin), Cycles(end), reason, of, Cycles(end)};
}

std::int64_t length(const TimelineReport::Row& row) {
  return std::accumulate(row.pieces.begin(), row.pieces.end(), std::int64_t{0},
                         [](std::int64_t sum, const auto& piece) { return sum + piece.cycles; });
}

/// "load 40, wait-flag 10": the pieces of a row in words.
std::string words(const TimelineReport& report, const TimelineReport::Row& row) {
  std::string text;
  for (const auto& piece : row.pieces) {
    const auto& kind = report.kinds[static_cast<std::size_t>(piece.kind)];
    text += (text.empty() ? "" : ", ") + (kind.label.empty() ? kind.reason : kind.label) + " " +
            std::to_string(piece.cycles);
  }
  return text;
}

TEST(Timeline, holds_every_piece_from_the_first_dispatch_on) {
  const isa::Command load = command(isa::Op::load);
  Timeline timeline(1'000'000'000);
  timeline.on_span(span(kCore, Pipe::MTE2, 100, 130, Reason::EmptyDecode));
  timeline.on_span(span(kCore, Pipe::MTE2, 130, 150, Reason::Work, &load));
  timeline.on_span(span(kCore, Pipe::MTE2, 150, 170, Reason::Work, &load));
  timeline.on_span(span(kCore, Pipe::MTE2, 200, 205, Reason::WaitFlag));
  timeline.on_span(span(kCore, Pipe::MTE2, 205, 210, Reason::WaitFlag));
  timeline.on_launch_end({0, "copy", Cycles(90), Cycles(95), Cycles(220)});
  const TimelineReport report = timeline.close(Cycles(130), Cycles(220));
  EXPECT_EQ(report.begin, -30);
  EXPECT_EQ(report.end, 90);
  ASSERT_EQ(report.rows.size(), 1u);
  EXPECT_EQ(report.rows[0].name, "vector0.mte2");
  EXPECT_EQ(report.rows[0].resolution, 1);
  EXPECT_EQ(words(report, report.rows[0]),
            "empty-decode 30, load 20, load 20, idle 30, wait-flag 10");
  ASSERT_EQ(report.launches.size(), 1u);
  EXPECT_EQ(report.launches[0].submitted, -40);
  EXPECT_EQ(report.launches[0].end, 90);
}

TEST(Timeline, places_the_host_on_the_clock_of_the_device) {
  Timeline timeline(2'000'000'000);
  timeline.on_host({HostThread::Front, HostWork::Compile, "g", 0, 500});
  timeline.on_host({HostThread::Front, HostWork::Encode, "g", 600, 700});
  timeline.on_span(span(kCore, Pipe::MTE2, 1500, 1600, Reason::Work));
  const TimelineReport report = timeline.close(Cycles(1500), Cycles(1600));
  ASSERT_EQ(report.rows.size(), 2u);
  EXPECT_EQ(report.begin, -1500);
  EXPECT_EQ(report.rows[0].name, "host.front");
  EXPECT_EQ(words(report, report.rows[0]), "compile 1000, idle 200, encode 200");
  EXPECT_EQ(words(report, report.rows[1]), "idle 1500, work 100");
}

/// Many launches of short commands and waits on a few cores, then idleness.
std::map<std::string, std::int64_t> fill(Timeline& timeline, int cores) {
  const isa::Command load = command(isa::Op::load), store = command(isa::Op::store);
  std::map<std::string, std::int64_t> sums;
  for (int core = 0; core < cores; ++core) {
    int at = 0;
    const auto say = [&](int cycles, Reason reason, const isa::Command* of) {
      timeline.on_span(span({CoreKind::Vector, core}, Pipe::MTE2, at, at + cycles, reason, of));
      at += cycles;
      sums[of == nullptr ? std::string(name_of(reason)) : isa::row_of(of->op).mnemonic.data()] +=
          cycles;
    };
    for (int launch = 0; launch < 60; ++launch) {
      for (int i = 0; i < 400; ++i) {
        say(3 + i % 5, Reason::Work, i % 3 == 0 ? &store : &load);
        say(1 + i % 2, Reason::WaitFlag, nullptr);
      }
      say(5000, Reason::Idle, nullptr);
    }
  }
  return sums;
}

TEST(Timeline, gathering_keeps_the_cycles_of_every_kind_and_the_places_of_launches) {
  Timeline timeline(1'000'000'000, 8000);
  const auto expected = fill(timeline, 4);
  const TimelineReport report = timeline.close(Cycles(0), Cycles(60 * (5000 + 2600)));
  std::map<std::string, std::int64_t> sums;
  for (const auto& row : report.rows) {
    EXPECT_GT(row.resolution, 1) << row.name;
    EXPECT_LE(row.resolution, 2600) << row.name << ": no more than a launch is gathered";
    EXPECT_LE(row.pieces.size(), 2600u) << row.name;
    int idle = 0;
    for (const auto& piece : row.pieces) {
      const auto& kind = report.kinds[static_cast<std::size_t>(piece.kind)];
      sums[kind.label.empty() ? kind.reason : kind.label] += piece.cycles;
      idle += kind.reason == "idle";
    }
    EXPECT_EQ(idle, 60) << row.name;
    EXPECT_EQ(length(row), 60 * (5000 + 2600)) << row.name;
  }
  EXPECT_EQ(sums, expected);
}

TEST(Timeline, a_budget_below_the_launches_is_kept_all_the_same) {
  Timeline timeline(1'000'000'000, 1);
  for (int i = 0; i < 20000; ++i) {
    timeline.on_span(span(kCore, Pipe::MTE2, 10 * i, 10 * i + 4, Reason::Work));
  }
  const TimelineReport report = timeline.close(Cycles(0), Cycles(200'000));
  EXPECT_LE(report.rows[0].pieces.size(), 256u);
  std::int64_t work = 0;
  for (const auto& piece : report.rows[0].pieces) {
    if (report.kinds[static_cast<std::size_t>(piece.kind)].reason == "work") work += piece.cycles;
  }
  EXPECT_EQ(work, 80'000);
}

}  // namespace
}  // namespace dvmsim
