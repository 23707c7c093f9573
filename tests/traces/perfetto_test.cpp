#include "traces/perfetto.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "traces/check.h"
#include "traces/stats.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;
using isa::Op;
using Kind = DebugMark::Kind;

/// loop { load -> vadd -> store } on a vector core, one word per instruction.
Program tile_program() {
  Program program;
  program.name = "add";
  for (Op op : {Op::loop, Op::load, Op::vadd, Op::store, Op::endloop, Op::halt}) {
    program.vector.push_back(static_cast<std::uint64_t>(op) | 1u << 8);
  }
  program.marks = {{Kind::Tile, CoreKind::Vector, 0, "tile"},
                   {Kind::Operator, CoreKind::Vector, 2, "add_1"}};
  return program;
}

isa::Command command(Op op, std::uint32_t pc, std::uint32_t iteration) {
  isa::Command made;
  made.op = op;
  made.pipe = isa::row_of(op).pipe;
  made.pc = pc;
  made.iteration = iteration;
  const isa::Row& row = isa::row_of(op);
  for (const char* name : {"len", "count"}) {
    const int at = row.find(name);
    if (at >= 0) made.operand[static_cast<std::size_t>(at)] = 256;
  }
  const int rows = row.find("rows");
  if (rows >= 0) made.operand[static_cast<std::size_t>(rows)] = 1;
  const int type = row.find("dtype");
  if (type >= 0) {
    made.operand[static_cast<std::size_t>(type)] = static_cast<std::int64_t>(DType::F16);
  }
  return made;
}

void wait_for(isa::Command& waiter, Pipe setter) {
  waiter.wait[waiter.waits++] = {true, setter, 0};
}
void tell(isa::Command& setter, Pipe waiter) {
  setter.set[setter.sets++] = {true, waiter, 0};
}

class Emitter {
 public:
  explicit Emitter(Probe& probe) : probe_(probe) {}

  void span(const CoreId& core, Pipe pipe, int begin, int end, Reason reason,
            const isa::Command* what = nullptr) {
    probe_.on_span(
        {{core, pipe}, Cycles(begin), Cycles(end), reason, what, Cycles(end + (what ? 20 : 0))});
  }

  /// Tiles 100 cycles apart: load 60, add 20, store 40, each waiting for the one before.
  void core(const CoreId& core, int start, int tiles) {
    for (int i = 0; i < tiles; ++i) {
      const auto iteration = static_cast<std::uint32_t>(i);
      const int at = start + 100 * i;
      isa::Command load = command(Op::load, 1, iteration), add = command(Op::vadd, 2, iteration),
                   store = command(Op::store, 3, iteration);
      tell(load, Pipe::Vector);
      wait_for(add, Pipe::MTE2);
      tell(add, Pipe::MTE3);
      wait_for(store, Pipe::Vector);
      span(core, Pipe::Scalar, at, at + 10, Reason::Work);
      span(core, Pipe::Scalar, at + 10, at + 100, Reason::QueueFull);
      span(core, Pipe::MTE2, at, at + 10, Reason::EmptyDecode);
      span(core, Pipe::MTE2, at + 10, at + 70, Reason::Work, &load);
      span(core, Pipe::MTE2, at + 70, at + 100, Reason::WaitMemory);
      span(core, Pipe::Vector, at, at + 70, Reason::WaitFlag);
      span(core, Pipe::Vector, at + 70, at + 90, Reason::Work, &add);
      span(core, Pipe::MTE3, at + 90, at + 130, Reason::Work, &store);
    }
  }

  void run(int cores, int tiles) {
    const Program program = tile_program();
    LaunchMark mark{0, "add", Cycles(300), Cycles(350), Cycles(500 + 100 * tiles)};
    probe_.on_host({HostThread::Front, HostWork::Compile, "add", 0, 200});
    probe_.on_host({HostThread::Queue, HostWork::Launch, "add", 200, 300});
    probe_.on_launch_begin(mark, program);
    for (int i = 0; i < cores; ++i) core({CoreKind::Vector, i}, 400, tiles);
    for (int i = 0; i < tiles; ++i) {
      probe_.on_traffic({Place::HbmRead, Bytes(512), Cycles(400 + 100 * i), Cycles(460 + 100 * i)});
    }
    probe_.on_launch_end(mark);
  }

 private:
  Probe& probe_;
};

class PerfettoTrace : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::path(testing::TempDir()) /
        (std::string("perfetto_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    options_.path = (folder_ / "a.pftrace").string();
    options_.machine = "tiny";
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// Writes a run and checks it.
  TraceCheck check(int cores, int tiles) {
    Perfetto trace(options_);
    Emitter(trace).run(cores, tiles);
    trace.close();
    totals_ = trace.totals();
    TraceCheck result = check_trace_file(options_.path);
    for (const std::string& error : result.errors) ADD_FAILURE() << error;
    return result;
  }
  static std::string content(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path folder_{};
  PerfettoOptions options_{};
  Perfetto::Totals totals_{};
};

TEST_F(PerfettoTrace, lanes_share_a_file_and_nothing_else) {
  const TraceCheck one = check(2, 5);
  const std::string path = (folder_ / "lanes.pftrace").string();
  OutputFile file(path);
  for (const char* name : {"a", "b", "c"}) {
    ++options_.lane.number;
    options_.lane.name = name;
    Perfetto lane(options_, file);
    Emitter(lane).run(2, 5);
    lane.close();
  }
  file.commit();
  const TraceCheck all = check_trace_file(path);
  for (const std::string& error : all.errors) ADD_FAILURE() << error;
  EXPECT_EQ(all.slices, 3 * one.slices);
  EXPECT_EQ(all.flows, 3 * one.flows);
  for (const auto& [track, cycles] : one.cycles) {
    for (const char* name : {"a", "b", "c"}) {
      const auto found = all.cycles.find(std::string(name) + ": " + track);
      ASSERT_NE(found, all.cycles.end()) << track;
      EXPECT_EQ(found->second, cycles) << track;
    }
  }
}

TEST_F(PerfettoTrace, nests_operator_tile_instruction_on_the_track_of_a_pipe) {
  const TraceCheck result = check(1, 3);
  const auto& load = result.cycles.at("vector core 0/mte2");
  EXPECT_EQ(load.at("instruction"), 3 * 60);
  EXPECT_EQ(load.at("operator"), 290);  // first begin to the end of the last memory wait
  EXPECT_EQ(load.at("tile"), 3 * 90);
  EXPECT_EQ(load.at("stall"), 3 * 40);      // decode and memory
  EXPECT_EQ(result.names.at("tile 2"), 3);  // one per pipe
  EXPECT_EQ(result.names.at("vadd"), 3);
  EXPECT_EQ(result.cycles.at("device/stream").at("launch"), 450);
}

TEST_F(PerfettoTrace, work_on_every_track_equals_the_statistics) {
  Stats stats;
  Emitter(stats).run(4, 5);
  stats.close(Cycles(400), Cycles(1000));
  const TraceCheck result = check(4, 5);
  for (const RowSum& row : stats.rows()) {
    const std::string track = "vector core " + std::to_string(row.row.core.index) + "/" +
                              std::string(name_of(row.row.pipe));
    const auto& cycles = result.cycles.at(track);
    const char* category = row.row.pipe == Pipe::Scalar ? "firmware" : "instruction";
    EXPECT_EQ(cycles.at(category), row.of(Reason::Work)) << track;
  }
}

TEST_F(PerfettoTrace, draws_an_arrow_for_every_flag_and_launch) {
  const TraceCheck result = check(2, 5);
  EXPECT_EQ(result.flows, 2 * 5 * 2 + 2);  // flags, host to launch, launch to first work
  EXPECT_EQ(result.open_flows, 0);
}

TEST_F(PerfettoTrace, flags_between_cores_are_instants_with_an_arrow) {
  Perfetto trace(options_);
  const RowId from{{CoreKind::Cube, 0}, Pipe::Fix}, to{{CoreKind::Vector, 1}, Pipe::MTE2};
  trace.on_flag({from, to, 3, Cycles(10), Cycles(40)});
  trace.close();
  const TraceCheck result = check_trace_file(options_.path);
  EXPECT_TRUE(result.errors.empty());
  EXPECT_EQ(result.flows, 1);
  EXPECT_EQ(result.names.at("flag 3 seen"), 1);
  EXPECT_EQ(result.names.at("flag 3 taken"), 1);
}

TEST_F(PerfettoTrace, the_same_run_gives_the_same_bytes) {
  check(3, 7);
  const std::string once = content(options_.path);
  check(3, 7);
  EXPECT_FALSE(once.empty());
  EXPECT_EQ(once, content(options_.path));
}

TEST_F(PerfettoTrace, levels_leave_out_what_is_below_them) {
  options_.level = TraceLevel::Tile;
  const TraceCheck tiles = check(1, 3);
  EXPECT_EQ(tiles.names.count("vadd"), 0u);
  EXPECT_EQ(tiles.names.at("tile 0"), 3);
  options_.level = TraceLevel::Op;
  const TraceCheck operators = check(1, 3);
  EXPECT_EQ(operators.names.count("tile 0"), 0u);
  EXPECT_EQ(operators.names.at("add"), 4);  // three pipes and the stream
}

TEST_F(PerfettoTrace, the_window_keeps_only_what_touches_it) {
  options_.from = Cycles(500);
  options_.to = Cycles(600);
  const TraceCheck result = check(1, 4);
  EXPECT_EQ(result.names.at("load"), 1);
  EXPECT_EQ(result.names.at("vadd"), 1);
  EXPECT_EQ(result.names.at("store"), 2);  // the one before is still running
  EXPECT_EQ(result.names.count("compile"), 0u);
}

TEST_F(PerfettoTrace, the_budget_is_kept_and_the_loss_is_said) {
  options_.budget = 100;
  const TraceCheck result = check(2, 50);
  EXPECT_LE(result.slices, 100);
  EXPECT_EQ(result.slices, totals_.slices);
  EXPECT_GT(totals_.left_out, 0);
  const bool said = std::any_of(result.names.begin(), result.names.end(), [](const auto& name) {
    return name.first.starts_with("slice budget of 100 used up");
  });
  EXPECT_TRUE(said);
}

TEST_F(PerfettoTrace, a_large_enough_budget_leaves_nothing_out) {
  const TraceCheck result = check(2, 50);
  EXPECT_EQ(totals_.left_out, 0);
  EXPECT_EQ(result.names.at("vadd"), 100);
}

TEST_F(PerfettoTrace, counts_bandwidth_and_ub) {
  const TraceCheck result = check(1, 20);
  EXPECT_GT(result.samples, 3);
}

TEST_F(PerfettoTrace, compressed_by_name_and_smaller) {
  check(2, 40);
  const auto plain = fs::file_size(options_.path);
  options_.path += ".gz";
  check(2, 40);
  EXPECT_LT(fs::file_size(options_.path), plain / 2);
}

TEST_F(PerfettoTrace, is_well_formed_to_protoc) {
  if (std::system("command -v protoc > /dev/null") != 0)
    FAIL() << "protobuf-compiler is not installed; run .ci/setup";
  check(2, 10);
  EXPECT_EQ(std::system(("protoc --decode_raw < '" + options_.path + "' > /dev/null").c_str()), 0);
}

TEST_F(PerfettoTrace, without_close_there_is_no_file) {
  { Perfetto trace(options_); }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(PerfettoTrace, an_unwritable_place_is_found_before_the_run) {
  options_.path = (folder_ / "none" / "a.pftrace").string();
  EXPECT_THROW(Perfetto{options_}, Error);
}

TEST_F(PerfettoTrace, overlapping_spans_break_the_invariant) {
  Perfetto trace(options_);
  Emitter emitter(trace);
  emitter.span({CoreKind::Vector, 0}, Pipe::MTE2, 0, 10, Reason::WaitMemory);
  EXPECT_DEATH(emitter.span({CoreKind::Vector, 0}, Pipe::MTE2, 9, 12, Reason::WaitMemory),
               "never overlap");
}

// The checker itself: each fault is found.
class TraceFault : public PerfettoTrace {
 protected:
  template <class Write>
  std::string first_error(Write write) {
    const std::string path = (folder_ / "fault").string();
    OutputFile file(path);
    Packets packets(file);
    packets.process(TrackId{1}, 1, "p", "");
    packets.thread(TrackId{2}, 1, 2, "t");
    write(packets);
    packets.flush();
    file.commit();
    const TraceCheck result = check_trace_file(path);
    return result.errors.empty() ? "" : result.errors.front();
  }
  static void slice(Packets& packets, int begin, int end) {
    packets.begin(TrackId{2}, Cycles(begin)).named(packets.name("a"), packets.category("c"));
    packets.end(TrackId{2}, Cycles(end));
  }
};

TEST_F(TraceFault, none_in_touching_slices) {
  EXPECT_EQ(first_error([](Packets& packets) {
              slice(packets, 0, 10);
              slice(packets, 10, 20);
            }),
            "");
}

TEST_F(TraceFault, overlap_is_found) {
  const std::string error = first_error([](Packets& packets) {
    slice(packets, 0, 20);
    slice(packets, 10, 30);
  });
  EXPECT_NE(error.find("goes back to 10"), std::string::npos) << error;
}

TEST_F(TraceFault, begin_before_the_end_of_the_last_is_found) {
  const std::string error = first_error([](Packets& packets) {
    packets.begin(TrackId{2}, Cycles(0)).named(packets.name("a"), packets.category("c"));
    slice(packets, 10, 20);
  });
  EXPECT_NE(error.find("overlaps"), std::string::npos) << error;
}

TEST_F(TraceFault, an_unfinished_slice_is_found) {
  const std::string error = first_error([](Packets& packets) {
    packets.begin(TrackId{2}, Cycles(0)).named(packets.name("a"), packets.category("c"));
  });
  EXPECT_NE(error.find("never ends"), std::string::npos) << error;
}

TEST_F(TraceFault, an_undefined_name_is_found) {
  const std::string error = first_error([](Packets& packets) {
    packets.begin(TrackId{2}, Cycles(0)).named(NameId{99}, packets.category("c"));
    packets.end(TrackId{2}, Cycles(1));
  });
  EXPECT_NE(error.find("name is not defined"), std::string::npos) << error;
}

TEST_F(TraceFault, an_undescribed_track_is_found) {
  const std::string error = first_error([](Packets& packets) {
    packets.instant(TrackId{7}, Cycles(0)).named(packets.name("a"), packets.category("c"));
  });
  EXPECT_NE(error.find("not described"), std::string::npos) << error;
}

TEST_F(TraceFault, a_backward_flow_is_found) {
  const std::string error = first_error([](Packets& packets) {
    packets.instant(TrackId{2}, Cycles(5))
        .named(packets.name("a"), packets.category("c"))
        .flow(FlowId{1});
    packets.instant(TrackId{2}, Cycles(4))
        .named(packets.name("a"), packets.category("c"))
        .terminating_flow(FlowId{1});
  });
  EXPECT_NE(error.find("backwards"), std::string::npos) << error;
}

TEST_F(TraceFault, two_takers_of_one_flow_are_found) {
  const std::string error = first_error([](Packets& packets) {
    for (int i = 0; i < 2; ++i) {
      packets.instant(TrackId{2}, Cycles(5))
          .named(packets.name("a"), packets.category("c"))
          .terminating_flow(FlowId{1});
    }
  });
  EXPECT_NE(error.find("0 begins and 2 ends"), std::string::npos) << error;
}

TEST(CheckTrace, bytes_that_are_no_trace_are_an_error) {
  EXPECT_FALSE(check_trace("no trace at all").errors.empty());
}

}  // namespace
}  // namespace dvmsim
