// Modules of captured calls, kept by what was captured: the same calls on the same shapes find
// their module, the same calls on other shapes the plan that another module was made by. Owns
// modules and plans; what is captured, and when it runs, is lazy.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/module/plan.h"
#include "compiler/runtime/module_runner.h"
#include "compiler/runtime/stage_key.h"

namespace dvmsim {

/// A capture with symbols for the sizes in which others of its structure may differ: those of
/// inputs, except 1 and what a constant's shape has. Equal sizes have one symbol.
struct SymbolicCapture {
  Graph graph{};
  std::vector<std::int64_t> sizes{};  // of the symbols, in order
};
[[nodiscard]] SymbolicCapture symbolic(const Graph& capture);

class CapturedModules {
 public:
  /// The machine and the runner outlive it. `most`: modules kept; the one used longest ago goes
  /// first.
  CapturedModules(const Machine& machine, ModuleRunner& runner, const CompileOptions& options,
                  int most)
      : machine_(machine), runner_(runner), options_(options), most_(most) {}

  enum class How : std::uint8_t {
    Compiled,  // from passes to programs
    Planned,   // only schedules and programs, by the plan of a capture of other shapes
    Known,     // nothing
  };
  struct Found {
    std::shared_ptr<ReadyModule> module{};
    How how = How::Known;
  };
  /// The module of a shaped graph whose sizes are numbers, on the device and with room to run.
  /// Throws Error for what cannot be compiled, and for what does not fit the device.
  Found find(const Graph& capture);

  [[nodiscard]] std::size_t size() const { return modules_.size(); }

 private:
  struct Kept {
    std::shared_ptr<ReadyModule> module{};
    std::int64_t last_use = 0;
  };
  using Modules = std::unordered_map<StageKey, Kept, StageKeyHash>;
  [[nodiscard]] Found make(const StageKey& key, const SymbolicCapture& with_symbols,
                           const Graph& capture);
  void keep_few(const ReadyModule& keep);
  void make_room(const ReadyModule& keep);
  /// The one used longest ago besides `keep`; with `placed`, of those on the device. Or the end.
  [[nodiscard]] Modules::iterator oldest(const ReadyModule& keep, bool placed);
  void drop(Modules::iterator module);

  const Machine& machine_;
  ModuleRunner& runner_;
  CompileOptions options_;
  std::size_t most_;
  std::int64_t uses_ = 0;
  Modules modules_{};
  std::map<std::string, std::vector<std::unique_ptr<Plan>>> plans_{};  // by structure
};

}  // namespace dvmsim
