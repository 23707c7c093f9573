#include "traces/roofline.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace dvmsim {
namespace {

constexpr CoreId kCube{CoreKind::Cube, 0};
constexpr CoreId kVector{CoreKind::Vector, 0};

/// A run of 1000 cycles, told span by span.
class Story {
 public:
  explicit Story(const Machine& machine = default_machine())
      : machine_(machine), demands_(machine_) {}

  Story& work(const CoreId& core, Pipe pipe, int from, int to,
              const isa::Command* command = nullptr) {
    return span({{core, pipe}, Cycles(from), Cycles(to), Reason::Work, command, Cycles(to)});
  }
  Story& wait(const CoreId& core, Pipe pipe, int from, int to, Reason reason) {
    return span({{core, pipe}, Cycles(from), Cycles(to), reason});
  }
  Story& moved(Place place, int bytes) {
    stats_.on_traffic({place, Bytes(bytes), Cycles(0), Cycles(100)});
    return *this;
  }
  Story& launched(int from, int to) {
    stats_.on_launch_end({0, "g", Cycles(from), Cycles(from), Cycles(to)});
    return *this;
  }
  Roofline judged(const Capacity& capacity, int cycles = 1000) {
    stats_.close(Cycles(0), Cycles(cycles));
    return roofline(stats_, demands_, capacity);
  }

 private:
  Story& span(const Span& span) {
    stats_.on_span(span);
    demands_.on_span(span);
    return *this;
  }
  Machine machine_;
  Stats stats_{};
  Demands demands_;
};

Capacity cores(int cube, int vector) {
  Capacity capacity;
  capacity.cores = {cube, vector, 0};
  capacity.hbm_bytes_per_cycle = 10;
  return capacity;
}

isa::Command product(int m, int k, int n, DType type = DType::F16) {
  isa::Command command;
  command.op = isa::Op::mmad;
  command.pipe = Pipe::Cube;
  command.operand = {static_cast<int>(type), 0, 0, 0, m, k, n};
  return command;
}

/// Bytes from GM to L1 or UB.
isa::Command copy(isa::Op op, int bytes) {
  isa::Command command;
  command.op = op;
  command.pipe = Pipe::MTE2;
  const isa::Row& row = isa::row_of(op);
  command.operand[static_cast<std::size_t>(row.find("len"))] = bytes;
  if (row.find("rows") >= 0) command.operand[static_cast<std::size_t>(row.find("rows"))] = 1;
  return command;
}

const Component& named(const Roofline& verdict, const std::string& name) {
  const auto found = std::find_if(verdict.components.begin(), verdict.components.end(),
                                  [&](const Component& item) { return item.name == name; });
  if (found == verdict.components.end()) throw std::out_of_range(name);
  return *found;
}

TEST(Roofline, a_cube_near_its_peak_is_compute_bound) {
  // 4096 multiply-accumulates per cycle: 900 cycles at best, 950 taken.
  const isa::Command multiply = product(16 * 15, 16 * 6, 16 * 10);
  const Roofline verdict = Story().work(kCube, Pipe::Cube, 0, 950, &multiply).judged(cores(1, 0));
  EXPECT_EQ(verdict.verdict, Verdict::Compute);
  EXPECT_EQ(verdict.bound, "cube");
  EXPECT_EQ(verdict.ideal_cycles, 900);
  EXPECT_DOUBLE_EQ(verdict.fraction, 0.9);
  EXPECT_DOUBLE_EQ(named(verdict, "cube").busy, 0.95);
}

TEST(Roofline, a_busy_cube_far_from_its_peak_is_inefficient) {
  // A product of 1 x 16 x 16 fills one sixteenth of a step.
  const isa::Command multiply = product(1, 16 * 100, 16 * 8);
  const Roofline verdict = Story().work(kCube, Pipe::Cube, 0, 900, &multiply).judged(cores(1, 0));
  EXPECT_EQ(verdict.verdict, Verdict::LowEfficiency);
  EXPECT_EQ(verdict.limiter, "cube");
  EXPECT_EQ(verdict.cause, Side::Compute);
  EXPECT_EQ(verdict.ideal_cycles, 50);
}

TEST(Roofline, a_type_has_its_own_peak) {
  const isa::Command multiply = product(16, 16, 16, DType::F32);
  EXPECT_EQ(Story().work(kCube, Pipe::Cube, 0, 10, &multiply).judged(cores(1, 0)).ideal_cycles, 4);
}

TEST(Roofline, a_port_at_its_best_rate_is_memory_bound_on_its_side) {
  const isa::Command load = copy(isa::Op::load, 627 * 85);  // gm_to_ub: 62.7 bytes per cycle
  const Roofline verdict = Story().work(kVector, Pipe::MTE2, 0, 870, &load).judged(cores(1, 1));
  EXPECT_EQ(verdict.verdict, Verdict::Memory);
  EXPECT_EQ(verdict.limiter, "vector.mte2");
  EXPECT_EQ(verdict.ideal_cycles, 850);
}

TEST(Roofline, a_port_that_waits_for_memory_is_inefficient_because_of_memory) {
  const isa::Command load = copy(isa::Op::loadl1, 98 * 300);
  const Roofline verdict = Story()
                               .work(kCube, Pipe::MTE2, 0, 300, &load)
                               .wait(kCube, Pipe::MTE2, 300, 900, Reason::WaitMemory)
                               .judged(cores(1, 1));
  EXPECT_EQ(verdict.verdict, Verdict::LowEfficiency);
  EXPECT_EQ(verdict.limiter, "cube.mte2");
  EXPECT_EQ(verdict.cause, Side::Memory);
  EXPECT_EQ(named(verdict, "cube.mte2").ceiling_cycles, 300);
  EXPECT_EQ(named(verdict, "cube.mte2").busy_cycles, 900);
}

TEST(Roofline, without_a_busy_pipe_latency_bounds_and_the_busiest_says_why_it_waits) {
  const Roofline verdict = Story()
                               .work(kCube, Pipe::Cube, 0, 300)
                               .work(kCube, Pipe::MTE2, 0, 500)
                               .wait(kCube, Pipe::MTE2, 500, 900, Reason::WaitFlag)
                               .judged(cores(1, 0));
  EXPECT_EQ(verdict.verdict, Verdict::Latency);
  EXPECT_EQ(verdict.limiter, "cube.mte2");
  ASSERT_EQ(verdict.waits.size(), 2u);
  EXPECT_EQ(verdict.waits[0], std::make_pair(Reason::WaitFlag, 0.4));
  EXPECT_EQ(verdict.waits[1], std::make_pair(Reason::Idle, 0.1));
}

TEST(Roofline, time_between_launches_is_told) {
  const Roofline verdict = Story()
                               .work(kCube, Pipe::Cube, 0, 50)
                               .launched(-30, 100)
                               .launched(700, 1000)
                               .judged(cores(1, 0));
  EXPECT_DOUBLE_EQ(verdict.between_launches, 0.6);
}

TEST(Roofline, cores_that_do_nothing_count) {
  const isa::Command multiply = product(16, 16 * 900, 16);
  const Roofline verdict = Story().work(kCube, Pipe::Cube, 0, 900, &multiply).judged(cores(2, 0));
  EXPECT_EQ(verdict.ideal_cycles, 450);  // over both cores
  EXPECT_EQ(verdict.verdict, Verdict::Latency);
  EXPECT_EQ(verdict.per_pipe[0].cycles, 450);
}

TEST(Roofline, memory_bounds_when_its_bytes_take_longest) {
  const Roofline verdict =
      Story().work(kCube, Pipe::MTE2, 0, 600).moved(Place::HbmRead, 8501).judged(cores(1, 0));
  EXPECT_EQ(verdict.bound, "hbm");
  EXPECT_EQ(verdict.ideal_cycles, 851);
  EXPECT_EQ(verdict.verdict, Verdict::Memory);
  EXPECT_EQ(floors_of(verdict).hbm, 851);
}

TEST(Roofline, what_is_written_may_cost_more) {
  Capacity capacity = cores(1, 0);
  capacity.hbm_write_cost = 2;
  const Roofline verdict =
      Story().moved(Place::HbmRead, 1000).moved(Place::HbmWrite, 1000).judged(capacity);
  EXPECT_EQ(verdict.ideal_cycles, 300);
}

TEST(Roofline, the_ideal_never_exceeds_the_actual) {
  const Roofline verdict = Story().moved(Place::HbmWrite, 20000).judged(cores(1, 0));
  EXPECT_EQ(verdict.ideal_cycles, 1000);
  EXPECT_DOUBLE_EQ(verdict.fraction, 1.0);
}

TEST(Roofline, an_empty_run_has_no_bound) {
  const Roofline verdict = Story().judged(cores(1, 0), 0);
  EXPECT_EQ(verdict.bound, "");
  EXPECT_EQ(verdict.verdict, Verdict::None);
}

}  // namespace
}  // namespace dvmsim
