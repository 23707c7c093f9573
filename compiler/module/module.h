// A module: everything a device needs to run a graph whose shapes are known. Programs, where every
// tensor lives, constants, and the host plan: what to launch in which order, with decisions between
// launches.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compiler/graph/tensor.h"
#include "vm/device/device.h"
#include "vm/program/program.h"

namespace dvmsim {

/// A tensor of the plan. Its storage is `offset` in a buffer: the workspace, the constants, or a
/// buffer of its own for an input or an output.
struct ModuleTensor {
  enum class Kind : std::uint8_t { Input, Output, Workspace, Constant };
  Kind kind = Kind::Workspace;
  std::string name{};
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape{};
  std::int64_t offset = 0;  // workspace and constants: in their block; else 0
  std::int64_t bytes = 0;
  friend bool operator==(const ModuleTensor&, const ModuleTensor&) = default;
};

/// An argument word of a launch.
struct ModuleArgument {
  enum class Kind : std::uint8_t { Tensor, Scalar };
  Kind kind = Kind::Scalar;
  int tensor = 0;          // Tensor: its address plus `value` bytes
  std::int64_t value = 0;  // Scalar: the word
  friend bool operator==(const ModuleArgument&, const ModuleArgument&) = default;
};

/// What a framework would dispatch as one call, where each has its own launches.
struct ModuleOperator {
  std::string kind{};  // "softmax", of one that the model writes as several; else empty
  int written = 1;     // as so many
  friend bool operator==(const ModuleOperator&, const ModuleOperator&) = default;
};

struct ModuleStep {
  enum class Kind : std::uint8_t {
    Launch,
    Branch,  // the host reads a bool on the device and continues with one of two lists of steps
  };
  Kind kind = Kind::Launch;
  // Launch
  int program = 0;
  CodePath path = CodePath::Bytecode;
  int cube_cores = 0, vector_cores = 0;
  std::vector<ModuleArgument> arguments{};
  std::string label{};
  int operation = -1;  // the operator that it belongs to; -1: to none
  // Branch
  int condition = 0;  // tensor
  std::vector<ModuleStep> then_steps{}, else_steps{};
  friend bool operator==(const ModuleStep&, const ModuleStep&) = default;
};

/// What a Constant tensor holds: bytes, or a rule for weights that nobody needs in timing mode.
struct ModuleConstant {
  int tensor = 0;
  std::optional<Tensor> bytes{};
  std::optional<Fill> fill{};
  friend bool operator==(const ModuleConstant&, const ModuleConstant&) = default;
};

struct Module {
  std::string name{}, strategy{};
  std::uint64_t machine = 0;
  std::vector<Program> programs{};
  std::vector<ModuleTensor> tensors{};
  std::vector<int> inputs{}, outputs{};  // tensors, in the graph's order
  std::vector<std::string> output_names{};
  std::vector<ModuleConstant> constants{};
  std::int64_t constant_bytes = 0, workspace_bytes = 0;  // of the two blocks
  std::vector<ModuleOperator> operators{};
  std::vector<ModuleStep> steps{};
  friend bool operator==(const Module&, const Module&) = default;
};

/// The bytes of a .dvm file, and back: Error with the offset for anything else.
[[nodiscard]] std::vector<std::uint8_t> save(const Module& module);
[[nodiscard]] Module load_module(std::span<const std::uint8_t> bytes, const std::string& where);

}  // namespace dvmsim
