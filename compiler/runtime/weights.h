// The constants of a model on the device: each once, however many modules of the model use it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "compiler/module/module.h"
#include "compiler/runtime/device_memory.h"

namespace dvmsim {

/// A constant on the device, owned by the modules that read it.
struct PlacedConstant {
  Tensor tensor{};  // its bytes on the host, so that their place there stays theirs
  DeviceRange block{};
  std::uint64_t address = 0;
};
using PlacedConstants = std::map<int, std::shared_ptr<const PlacedConstant>>;  // by tensor

class Weights {
 public:
  Weights(Device& device, DeviceMemory& memory, Mode mode)
      : device_(device), memory_(memory), mode_(mode) {}

  /// Bytes that place() would allocate for this module.
  [[nodiscard]] std::int64_t missing(const Module& module) const;
  /// Uploads what no living module has brought; of the rest, the module shares the bytes there are.
  [[nodiscard]] PlacedConstants place(Module& module);

 private:
  using Placed = std::shared_ptr<const PlacedConstant>;
  /// Type, shape, and the rule or a hash of the bytes.
  using Key = std::tuple<DType, std::vector<std::int64_t>, bool, std::uint64_t, std::uint64_t>;
  [[nodiscard]] static Key key_of(const ModuleTensor& tensor, const ModuleConstant& constant);
  [[nodiscard]] Placed find(const ModuleTensor& tensor, const ModuleConstant& constant) const;
  void forget_released();

  Device& device_;
  DeviceMemory& memory_;
  Mode mode_;
  std::map<Key, std::weak_ptr<const PlacedConstant>> by_content_{};
  // Copies of a tensor share their bytes: most constants are found without looking at them.
  std::map<const std::byte*, std::weak_ptr<const PlacedConstant>> by_storage_{};
};

}  // namespace dvmsim
