#include "tests/agree/compare.h"

#include <algorithm>
#include <sstream>

#include "sim/device/device.h"
#include "tests/support/oracle.h"
#include "tests/support/random_inst.h"
#include "vm/exec/memory.h"

namespace dvmsim::testing {
namespace {

/// What the engine reports, in the oracle's form.
class Collector : public Probe {
 public:
  void on_span(const Span& span) override {
    const bool scalar = span.row.pipe == Pipe::Scalar;
    const bool command = span.reason == Reason::Work && !scalar;
    append(rows, span.row,
           {span.begin.count(), span.end.count(), span.reason,
            command ? span.visible.count() : std::int64_t{0}});
  }
  OracleRows rows{};
};

std::string text_of(const OracleSpan& span) {
  std::ostringstream text;
  text << name_of(span.reason) << " [" << span.begin << ", " << span.end << ")";
  if (span.visible != 0) text << " visible " << span.visible;
  return text.str();
}

std::string text_at(const std::vector<OracleSpan>& spans, std::size_t index) {
  return index < spans.size() ? text_of(spans[index]) : "nothing";
}

std::string difference_of(const OracleRows& engine, const OracleRows& oracle) {
  OracleRows both = engine;
  both.insert(oracle.begin(), oracle.end());
  std::string first;
  std::int64_t earliest = 0;
  for (const auto& [row, unused] : both) {
    const auto spans_in = [&row = row](const OracleRows& rows) {
      const auto found = rows.find(row);
      return found == rows.end() ? std::vector<OracleSpan>{} : found->second;
    };
    const std::vector<OracleSpan> fast = spans_in(engine), slow = spans_in(oracle);
    const auto [a, b] = std::mismatch(fast.begin(), fast.end(), slow.begin(), slow.end());
    if (a == fast.end() && b == slow.end()) continue;
    const auto index = static_cast<std::size_t>(a - fast.begin());
    const std::int64_t begin =
        std::min(a == fast.end() ? b->begin : a->begin, b == slow.end() ? a->begin : b->begin);
    if (!first.empty() && begin >= earliest) continue;
    earliest = begin;
    std::ostringstream text;
    text << name_of(row.core.kind) << ' ' << row.core.index << ' ' << name_of(row.pipe) << ", span "
         << index << ": engine " << text_at(fast, index) << ", oracle " << text_at(slow, index);
    if (index > 0) text << "; both before: " << text_at(fast, index - 1);
    first = text.str();
  }
  return first;
}

/// Who stands still for ever has said so far what it waited for, or not: only work is comparable.
OracleRows work_in(const OracleRows& rows) {
  OracleRows work;
  for (const auto& [row, spans] : rows) {
    if (row.pipe == Pipe::Scalar) continue;
    for (const OracleSpan& span : spans) {
      if (span.reason == Reason::Work) work[row].push_back(span);
    }
  }
  return work;
}

std::string difference_of(const LaunchReport& engine, const OracleResult& oracle) {
  std::string text;
  const auto same = [&](const char* what, std::int64_t fast, std::int64_t slow) {
    if (fast == slow) return;
    text += std::string(what) + ": engine " + std::to_string(fast) + ", oracle " +
            std::to_string(slow) + "; ";
  };
  same("end", engine.end.count(), oracle.end);
  same("first dispatch", engine.first_dispatch.count(), oracle.first_dispatch);
  same("commands", engine.commands, oracle.commands);
  same("decode", engine.decode.count(), oracle.decode);
  return text;
}

/// Draws parameters.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}
  bool chance(int percent) { return testing::chance(random_, percent); }
  std::int64_t number(std::int64_t low, std::int64_t high) { return pick(random_, low, high); }
  int small(int low, int high) { return static_cast<int>(number(low, high)); }
  Cycles cycles(std::int64_t most) { return Cycles(number(0, most)); }
  Delay delay(std::int64_t least, std::int64_t most) { return Delay(Cycles(number(least, most))); }
  Picoseconds time(std::int64_t most) { return Picoseconds(number(0, most)); }
  /// Bytes per cycle, half of the time not a whole number.
  Rate rate(std::int64_t low, std::int64_t high) {
    const std::int64_t den = chance(50) ? 1 : number(2, 97);
    return Rate(number(low * den, high * den), den);
  }
  template <class Port>
  void port(Port& port) {
    port.latency = Cycles(number(2, 300));
    port.issue_gap = cycles(40);
  }
  int outstanding() { return small(1, chance(50) ? 4 : 64); }

 private:
  Random random_;
};

void draw_pipes(Machine& m, Draw& draw) {
  for (int* depth : {&m.queue.mte1, &m.queue.mte2, &m.queue.mte3, &m.queue.cube, &m.queue.vector,
                     &m.queue.fix}) {
    *depth = draw.small(1, draw.chance(50) ? 3 : 32);
  }
  m.flag.hop = draw.cycles(20);
  m.xflag.latency = draw.delay(1, 500);
  m.cube.head = draw.cycles(60);
  m.cube.gap = draw.cycles(10);
  m.cube.tail = draw.cycles(20);
  m.vector.head = draw.cycles(30);
  m.vector.fixed = draw.cycles(30);
  m.vector.tail = draw.cycles(20);
  m.mte1.head = draw.cycles(10);
  m.mte1.tail = draw.cycles(20);
  m.fix.tail = draw.cycles(60);
}

void draw_memory(Machine& m, Draw& draw) {
  m.mte2.gm_to_l1 = draw.rate(8, 200);
  m.mte2.gm_to_l1_miss = draw.rate(8, 100);
  m.mte2.gm_to_ub = draw.rate(8, 100);
  m.mte2.gm_to_ub_miss = draw.rate(8, 100);
  m.mte3.ub_to_gm = draw.rate(8, 100);
  m.fix.l0c_to_gm = draw.rate(8, 100);
  m.mte2.nz_unaligned = draw.rate(4, 100);
  m.mte2.outstanding_l1 = draw.outstanding();
  m.mte2.outstanding_ub = draw.outstanding();
  m.mte3.outstanding = draw.outstanding();
  m.fix.outstanding = draw.outstanding();
  draw.port(m.mte2);
  draw.port(m.mte3);
  draw.port(m.fix);
  m.dma.request = Bytes(256 << draw.number(0, 2));
  m.dma.least_request = Bytes(32 << draw.number(0, 3));
  m.dma.chunk = Bytes(m.dma.request.count() << draw.number(0, 4));
  m.l2.line = draw.chance(60) ? m.dma.request : Bytes(128 << draw.number(0, 3));
  m.l2.same_line = draw.cycles(20);
  m.l2.write_allocate = draw.chance(80);
  m.l2.keep_partial = draw.chance(30);
  m.l2.ways = draw.small(1, 8);
  m.l2.size = m.l2.line * m.l2.ways * (draw.chance(50) ? draw.number(0, 16) : 4096);
  m.l2.read = draw.rate(20, 3000);
  m.l2.write = draw.rate(20, 3000);
  m.l2.read_latency = draw.delay(0, 200);
  m.l2.write_latency = draw.delay(0, 200);
  m.tlb.page = Bytes(4096 << draw.number(0, 9));
  m.tlb.entries = draw.small(1, draw.chance(50) ? 4 : 200);
  m.tlb.walk = draw.delay(0, 400);
  m.hbm.channels = draw.small(1, 40);
  m.hbm.interleave = Bytes(m.l2.line.count() << draw.number(0, 2));
  m.hbm.peak = draw.rate(20, 1000);
  m.hbm.efficiency = Rational(draw.number(30, 100), 100);
  m.hbm.write_cost = Rational(draw.number(5, 30), 10);
  m.hbm.latency = draw.delay(0, 300);
}

void draw_firmware(Machine& m, Draw& draw) {
  m.firmware.icache_miss = draw.delay(0, 300);
  m.firmware.icache_fill = Bytes(32 << draw.number(0, 6));
  m.firmware.memory = draw.chance(60)   ? ProgramMemory::Ub
                      : draw.chance(50) ? ProgramMemory::Tcm
                                        : ProgramMemory::Cached;
  m.firmware.profile = static_cast<DecodeProfile>(draw.number(0, kDecodeProfiles - 1));
  m.firmware.decode_cache = draw.chance(30) ? draw.small(1, 64) : 0;
  m.firmware.kept = draw.small(1, 200);
  if (draw.chance(20)) m.firmware.tcm = Bytes(64 << draw.number(0, 5));
  m.launch.entry = draw.time(500'000);
  m.launch.exit = draw.time(500'000);
  m.launch.per_core = draw.time(100'000);
  m.launch.skew = draw.time(1'000'000);
  m.task.dispatch = draw.delay(0, 300);
  m.task.signal = draw.delay(1, 300);
  m.task.poll = draw.delay(0, 300);
}

}  // namespace

Machine random_machine(std::uint64_t seed) {
  Draw draw(seed);
  Machine m = default_machine();
  m.name = "random";
  m.cores.unified = draw.chance(15);
  m.cores.cube = draw.small(1, 3);
  m.cores.per_group = m.cores.unified ? 0 : draw.small(1, 2);
  m.cores.vector = m.cores.cube * m.cores.per_group;
  draw_pipes(m, draw);
  draw_memory(m, draw);
  draw_firmware(m, draw);
  check(m);
  return m;
}

Verdict compare(const Machine& machine, const Trial& trial) {
  Verdict verdict;
  Collector collector;
  SimOptions options;
  options.mode = Mode::Timing;
  options.memory = trial.ideal_memory ? MemoryModel::Ideal : MemoryModel::Detailed;
  options.reverse_build = trial.reverse_build;
  SimDevice engine(machine, options);
  engine.listen({&collector});
  Oracle oracle(machine, trial.ideal_memory);
  GlobalMemory twin(machine.hbm.size);  // tells where the engine puts the code
  Launch launch;
  launch.program = trial.program;
  launch.path = trial.path;
  launch.cube_cores = trial.cube_cores;
  launch.vector_cores = trial.vector_cores;
  for (const Trial::Value& value : trial.arguments) {
    launch.arguments.push_back(value.bytes > 0 ? engine.allocate(Bytes(value.bytes))
                                               : value.scalar);
    if (value.bytes > 0) twin.allocate(Bytes(value.bytes), false);
  }
  const auto cube_code =
      static_cast<std::int64_t>(twin.allocate(Bytes(trial.program->bytes()), false));
  const auto vector_code = cube_code + static_cast<std::int64_t>(8 * trial.program->cube.size());
  OracleRows rows;
  for (int i = 0; i < trial.launches && verdict.difference.empty(); ++i) {
    const LaunchReport report = engine.wait(engine.submit(launch));
    const OracleResult result = oracle.run(launch, report.begin.count(), cube_code, vector_code);
    for (const auto& [row, spans] : result.rows) {
      for (const OracleSpan& span : spans) append(rows, row, span);
    }
    if (report.fault && !result.blocked.empty()) {
      verdict.fault = report.fault.text;
      verdict.difference = difference_of(work_in(collector.rows), work_in(rows));
      break;
    }
    verdict.difference = difference_of(collector.rows, rows);
    verdict.cycles += (report.end - report.begin).count();
    if (report.fault || !result.blocked.empty()) {
      verdict.difference +=
          "; engine's fault: " + report.fault.text + ", oracle's: " + result.blocked;
    }
    if (verdict.difference.empty()) verdict.difference = difference_of(report, result);
  }
  for (const auto& [row, spans] : rows) verdict.spans += spans.size();
  return verdict;
}

}  // namespace dvmsim::testing
