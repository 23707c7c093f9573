// The command line as plain data. Owns the grammar and what is refused; only this folder uses
// CLI11.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/options/values.h"
#include "sim/mem/server.h"
#include "traces/perfetto.h"
#include "vm/base/dtype.h"
#include "vm/device/device.h"

namespace dvmsim {

/// What `run`, `op`, `compile` and `bench` share. Empty texts: not given.
struct RunOptions {
  std::string model{};
  std::optional<DType> floats{};  // type of the model's floating point instead of F32
  std::string hardware{};
  std::vector<std::string> sets{};
  std::vector<std::pair<std::string, std::int64_t>> dims{};
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> shapes{};
  Named inputs{};
  std::vector<std::pair<std::string, std::int64_t>> scalars{};  // of an assembled program
  std::string launch{};                                         // words that override its .launch
  std::vector<std::string> known{};  // inputs whose values decide shapes or attributes
  std::int64_t seed = 1;
  std::string output{};
  std::string strategy{"dvm"};
  std::string strategies{};                              // file of constants; empty: the project's
  std::vector<std::pair<std::string, bool>> features{};  // name, on
  std::optional<Mode> mode{};
  std::string tiling{};
  std::string schedule{};  // file of overrides
  MemoryModel memory = MemoryModel::Detailed;
  bool warm_l2 = false;
  std::vector<std::string> bypass{};  // tensors that L2 does not keep; "all"
  int repeat = 1;
  int cores = 0;  // 0: all
  int workers = 0;
  bool check = false;
  bool decode = true;  // run again to measure what decoding costs
  bool critical_path = true;
  std::string trace{};
  TraceLevel trace_level = TraceLevel::Instruction;
  std::optional<std::pair<std::int64_t, std::int64_t>> trace_window{};
  std::int64_t trace_budget = 2'000'000;
  std::string json{}, html{};
  bool detail = false;   // the report holds a timeline and a listing
  std::string stream{};  // file of a stream of inputs
  std::string csv{};     // table of its steps to write
};

struct OpOptions {
  std::string op{};
  std::vector<std::vector<std::int64_t>> shapes{};
  DType dtype = DType::F16;
  Named attributes{};
  bool trans_a = false, trans_b = false;
};

/// What `validate` and `fit` share: a table and what holds for all its cases.
struct TableOptions {
  std::string table{};  // empty: the project's own
  std::string hardware{};
  std::vector<std::string> sets{};
  std::string memory{};
  std::vector<std::string> groups{}, ids{};  // only these rows; empty: all
  std::string tolerance{};                   // of rows that state none
  int jobs = 0;                              // 0: one per processor
};

struct ValidateOptions {
  TableOptions from{};
  std::string json{}, plot{};
  bool failures_only = false;
  bool ablate = false;
  std::string ablation{};  // list of mechanisms; empty: the project's own
  int sensitivity = 0;     // parameters to show; 0: none
};

struct FitOptions {
  TableOptions from{};
  std::vector<std::string> parameters{};  // key or key=low:high
  int folds = 5;
  int rounds = 40;
  std::string base{};  // hardware file to build on; empty: the rows'
  std::string output{};
};

/// Two reports, and what moved between them.
struct DiffOptions {
  std::string before{}, after{};
  std::string json{};
  std::size_t most = 8;  // rows shown of each section; 0: all
};

/// Cases against their baselines.
struct RegressOptions {
  std::string list{};                // empty: the project's own
  std::vector<std::string> cases{};  // only these; empty: all
  std::vector<std::string> sets{};   // of every machine
  bool update = false;               // what is measured now becomes the baseline
  std::string junit{}, markdown{};
  std::size_t most = 4;
};

struct CompareOptions {
  std::string study{};
  std::optional<CompareView> view{};  // none: the study's
  std::string strategies{};           // file of constants; empty: the project's
  std::vector<std::string> sets{};    // of strategies: "jit.workers=16"
  std::string json{}, csv{}, html{}, trace{};
  int jobs = 0;  // 0: one per processor
};

struct SweepOptions {
  std::string study{};
  std::string output{};               // folder of results; empty: named after the study, here
  std::string json{}, csv{}, html{};  // empty: in that folder
  int jobs = 0;                       // 0: one per processor
  bool collect = false;               // only put together what there is
  std::optional<std::pair<std::int64_t, std::int64_t>> part{};  // which, of how many
  int slurm = 0;         // tasks of a job array to submit; 0: run here
  std::string sbatch{};  // further words for sbatch
};

/// Of `bench compile`.
struct BenchOptions {
  std::string only{};           // what the names of its cases hold
  std::string strategy{"dvm"};  // whose features compile
  bool instructions = false;
};

/// What keeps a graph interesting while it is reduced; exactly one.
struct ReduceOptions {
  std::string test{};                 // a command that exits with 0 for it
  std::string differs_from{};         // another strategy's values
  std::string condition{};            // of figures of the report: "host.launches > 1"
  bool fault = false;                 // it ends in a simulated fault
  std::optional<int> exit_code{};     // of run
  std::string message{};              // which its error has in it
  std::optional<double> tolerance{};  // of max_rel_err, instead of that of the types
  std::int64_t tries = 10'000;        // 0: only ask about the graph itself
  std::string output{"reduced.graph"};
};

enum class Dump : std::uint8_t {
  None,
  Graph,
  Passes,   // what each did
  Changes,  // the graph after each that changed it
  Groups,
  Remarks,  // what became of each edge
  Schedule,
  Overrides,  // the same as a file for --schedule
  Bytecode
};

/// What `compile` shows and writes beside the module.
struct CompileViews {
  Dump dump = Dump::None;
  std::string remarks{};     // JSON to write; - for standard output
  bool time_passes = false;  // measured, to standard error
};

struct CommandLine {
  enum class Verb : std::uint8_t {
    Run,
    Op,
    Compile,
    Disasm,
    Asm,
    ConfigCheck,
    ConfigShow,
    Report,
    Bench,
    BenchCompile,
    Validate,
    Fit,
    Diff,
    Regress,
    Sweep,
    Compare,
    Reduce
  };
  Verb verb = Verb::Run;
  RunOptions run{};
  OpOptions op{};
  ValidateOptions validate{};
  FitOptions fit{};
  DiffOptions diff{};
  RegressOptions regress{};
  CompareOptions compare{};
  SweepOptions sweep{};
  BenchOptions bench{};
  ReduceOptions reduce{};
  CompileViews views{};
  std::string file{};    // disasm, asm, config, report: what is read
  std::string output{};  // compile, asm, report: what is written
  bool as_json = false;  // config show
};

/// Either a command line, or the text that answers it (help, version, what is wrong) with its exit
/// code.
struct Parsed {
  std::optional<CommandLine> line{};
  int exit_code = 0;
  std::string text{};
};
[[nodiscard]] Parsed parse_command_line(int argc, const char* const* argv);

}  // namespace dvmsim
