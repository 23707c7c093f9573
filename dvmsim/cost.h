// What an operator or a small graph costs on a simulated NPU, as a call: `dvmsim op` and `dvmsim
// run` for programs that ask often, such as auto-tuners. The only header of the installed package;
// it needs C++17 and nothing else.
//
//   dvmsim::api::Simulator npu;                                  // the built-in Ascend 910B1
//   const auto cost = npu.cost({"softmax", {{64, 4096}}});
//   std::cout << cost.cycles << " cycles, " << cost.task_us << " us\n";
//
// Nothing is computed on data: costs are of shapes. Calls do not depend on one another: the same
// question has the same answer, to the cycle, as on the command line. One thread at a time in a
// process; parallel searches use processes.
//
// Errors: everything throws std::runtime_error for what is wrong with a question (no such operator,
// shapes that do not fit, a bad file) or cannot be simulated without data; what() names it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace dvmsim::api {

using Shape = std::vector<std::int64_t>;  // sizes, outermost first; empty: a scalar

/// An operator by its name in the text form: "matmul", "softmax", "add", "layer_norm" ...
struct Operator {
  std::string name{};
  std::vector<Shape> shapes{};  // of its inputs, as stored, row-major
  std::string dtype{"f16"};     // of its inputs: f16, bf16, f32, i8 ...
  /// As `--attr`: {"axis", "-1"}, {"perm", "0,2,1"}, {"trans_b", "1"}.
  std::map<std::string, std::string> attributes{};
};

/// Several operators in the text form of graphs; `dims`: a size for each of its symbols.
struct Graph {
  std::string text{};
  std::map<std::string, std::int64_t> dims{};
};

enum class Memory { Ideal, ClosedForm, Detailed };

/// How it is compiled and run; as the options of the same names.
struct Options {
  std::string strategy{"dvm"};  // eager: a native kernel per operator; dvm; resident
  std::string tiling{};         // of products: cost, dvm, dvm-v1, dvm-v2, dvm-v3; empty: cost
  int cores = 0;                // cube cores to use, vector cores in proportion; 0: all
  bool warm_l2 = false;         // inputs, constants and outputs are in L2 as far as it holds them
  Memory memory = Memory::Detailed;
};

struct Cost {
  std::int64_t cycles = 0;  // of the device's clock, first dispatch to last end
  double task_us = 0;       // launches alone: taken up by the device, to their last core's end
  double e2e_us = 0;        // with the host's compiling, encoding and launching
  std::int64_t launches = 0;
  std::int64_t program_bytes = 0;  // bytecode of the distinct programs
  std::int64_t hbm_read_bytes = 0, hbm_write_bytes = 0, l2_hit_bytes = 0;
  std::int64_t peak_bytes = 0;    // device memory in use at most
  std::int64_t ideal_cycles = 0;  // nothing can be faster on this machine
  std::string bound{};    // "memory bound", "compute bound", "low efficiency", "latency bound"
  std::string limiter{};  // the component that bounds, or the busiest: "cube", "vector.mte2", "hbm"
};

/// A machine that can be asked. Copies are machines of their own, so that a variant is a copy that
/// is set.
class Simulator {
 public:
  /// The built-in machine, an Ascend 910B1.
  Simulator();
  /// A hardware file.
  explicit Simulator(const std::string& hardware_file);
  Simulator(const Simulator& other);
  Simulator(Simulator&& other) noexcept;
  Simulator& operator=(Simulator other) noexcept;
  ~Simulator();

  /// A parameter by its dotted key, with its unit: set("cores.cube", "20"), set("hbm.peak",
  /// "1.2TB/s"). Keys that must fit together are set in one call.
  void set(const std::string& key, const std::string& value);
  void set(const std::map<std::string, std::string>& values);
  [[nodiscard]] std::string get(const std::string& key) const;
  [[nodiscard]] const std::string& name() const;

  [[nodiscard]] Cost cost(const Operator& what, const Options& options = {}) const;
  [[nodiscard]] Cost cost(const Graph& what, const Options& options = {}) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dvmsim::api
