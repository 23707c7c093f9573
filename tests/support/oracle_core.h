// A core of the oracle: the scalar unit and a process per queue.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <systemc>
#include <tuple>
#include <vector>

#include "tests/support/oracle.h"
#include "tests/support/oracle_flags.h"
#include "tests/support/oracle_port.h"
#include "vm/firmware/decode_cache.h"
#include "vm/firmware/firmware.h"
#include "vm/firmware/mode.h"
#include "vm/isa/cost.h"
#include "vm/isa/footprint.h"

namespace dvmsim::testing {

struct OracleEntry {
  isa::Command command{};
  Time fetched = 0, unblocked = 0, arrival = 0;
};

struct OracleQueue {
  std::deque<OracleEntry> entries{};
  std::size_t issued = 0;
  std::vector<Time> held{};  // end of hold of every command so far
  Time hold = kNever, visible = kNever, released = kNever;
  sc_core::sc_event arrived{}, done{};
};

class OracleCore {
 public:
  OracleCore(const CostModel& costs, const Launch& launch, CoreId id, Time start, std::int64_t code,
             Board& board, Server& server, Waiting& waiting, OracleRows& rows)
      : costs_(costs),
        machine_(costs.machine()),
        launch_(launch),
        id_(id),
        start_(start),
        code_(code),
        order_(id.kind == CoreKind::Vector ? launch.cube_cores + id.index : id.index),
        board_(board),
        server_(server),
        waiting_(waiting),
        rows_(rows),
        mode_(firmware_mode(machine_, *launch.program, launch.path)),
        decoded_(mode_.decode_cache) {
    for (Pipe pipe : {Pipe::MTE2, Pipe::MTE3, Pipe::Fix}) port(pipe) = port_of(machine_, pipe);
  }

  void scalar();
  void pipe(Pipe which);
  /// After everything has come to rest.
  void leave();
  /// After it has left.
  void add_to(OracleResult& result) const;
  void describe_blocked(std::string& text) const;

 private:
  struct Moves {
    Time hold = 0, uncontended = 0, visible = 0, released = 0;
  };

  OracleQueue& queue(Pipe pipe) { return queues_[static_cast<std::size_t>(pipe)]; }
  Port& port(Pipe pipe) { return ports_[static_cast<std::size_t>(pipe)]; }
  Tokens& tokens(Pipe from, Pipe to, std::uint8_t id) {
    std::unique_ptr<Tokens>& place = tokens_[{from, to, id}];
    if (!place) place = std::make_unique<Tokens>();
    return *place;
  }
  Cross& cross() { return *board_.flags[task_]; }

  void enter();
  void run(const Task* task);
  void begin(std::uint32_t task);
  void await(const Task& task);
  [[nodiscard]] static bool stays(const Step& step);
  void end(std::uint32_t task);
  void fetch(const CodeRange& code);
  void ask_ahead(const CodeRange& code, Time asked);
  void fetch_block(std::uint32_t pc);
  void work(Time cycles);
  void block(Time until, Reason reason);
  void own_flags(const isa::Command& command);
  void issue(const isa::Command& command);
  void drain(Pipe pipe);

  Time start_of(Pipe pipe, const OracleEntry& entry);
  void hold(Pipe pipe, const isa::Command& command, Time start);
  Moves move(Pipe pipe, const isa::Command& command, const isa::Region& region, Time start);
  void set(Pipe pipe, const isa::Command& command, const OracleQueue& own, Tokens::Range tile);

  void add(Pipe pipe, Time begin, Time end, Reason reason, Time visible = 0) {
    append(rows_, {id_, pipe}, {begin, end, reason, visible});
  }

  const CostModel& costs_;
  const Machine& machine_;
  const Launch& launch_;
  CoreId id_;
  Time start_;
  std::int64_t code_;
  int order_;
  Board& board_;
  Server& server_;
  Waiting& waiting_;
  OracleRows& rows_;
  FirmwareMode mode_;
  DecodeCache decoded_;
  std::uint32_t task_ = 0;  // whose flags it counts
  Time joined_ = kNever;    // its task
  std::array<OracleQueue, kPipes> queues_{};
  std::array<Port, kPipes> ports_{};
  std::map<std::tuple<Pipe, Pipe, std::uint8_t>, std::unique_ptr<Tokens>> tokens_{};
  Time entry_ = 0;       // of the table that comes next: when it is there
  Time there_ = kNever;  // the code that was asked for
  sc_core::sc_event answered_{};
  std::vector<OraclePiece> code_pieces_{};
  std::set<std::int64_t> code_blocks_{};  // of a program behind a cache, touched so far
  std::array<std::vector<OraclePiece>, kPipes> chunks_{};  // of the command under way
  Time s_ = 0, unblocked_ = 0, fetched_ = 0;
  bool halted_ = false;
  std::int64_t commands_ = 0, decode_ = 0;
  Time first_dispatch_ = kNever;
  void dispatched() {
    if (commands_++ == 0) first_dispatch_ = s_;
  }
  std::string fault_{};
};

}  // namespace dvmsim::testing
