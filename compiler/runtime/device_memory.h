// Ranges of device memory with owners, and how much of it is used for what.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "compiler/graph/tensor.h"
#include "vm/base/dtype.h"
#include "vm/base/rounding.h"
#include "vm/device/device.h"
#include "vm/machine/machine.h"

namespace dvmsim {

enum class MemoryKind : std::uint8_t { Weights, InputsOutputs, Intermediates };

/// Bytes of device memory. Programs are counted, but the device places them.
struct MemoryUse {
  std::int64_t weights = 0, inputs_outputs = 0, intermediates = 0, programs = 0;
  [[nodiscard]] std::int64_t total() const {
    return weights + inputs_outputs + intermediates + programs;
  }
  [[nodiscard]] std::int64_t& of(MemoryKind kind) {
    return kind == MemoryKind::Weights         ? weights
           : kind == MemoryKind::InputsOutputs ? inputs_outputs
                                               : intermediates;
  }
  friend bool operator==(const MemoryUse&, const MemoryUse&) = default;
  friend MemoryUse operator+(MemoryUse a, const MemoryUse& b) {
    a.weights += b.weights;
    a.inputs_outputs += b.inputs_outputs;
    a.intermediates += b.intermediates;
    a.programs += b.programs;
    return a;
  }
};

/// The address of a range; the last owner gives the range back.
using DeviceRange = std::shared_ptr<const std::uint64_t>;

/// Outlives the ranges it hands out.
class DeviceMemory {
 public:
  explicit DeviceMemory(Device& device) : device_(device) {}

  /// What a buffer takes: at least one byte, rounded up to the 512 that GlobalMemory aligns to.
  [[nodiscard]] static constexpr std::int64_t rounded(std::int64_t bytes) {
    return round_up(std::max<std::int64_t>(bytes, 1), 512);
  }
  [[nodiscard]] DeviceRange allocate(MemoryKind kind, std::int64_t bytes);
  void count_programs(std::int64_t bytes);

  [[nodiscard]] const MemoryUse& used() const { return used_; }
  /// The use when it was highest since reset_peak.
  [[nodiscard]] const MemoryUse& peak() const { return peak_; }
  void reset_peak() { peak_ = used_; }

 private:
  void note_peak();

  Device& device_;
  MemoryUse used_{}, peak_{};
};

/// Error with the figures if the machine's memory is smaller than `all`.
void check_room(const MemoryUse& all, const Machine& machine);

/// A dense tensor on the device; several may share a range.
struct DeviceTensor {
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape{};
  DeviceRange range{};
  std::int64_t offset = 0;        // bytes into the range
  std::optional<Tensor> value{};  // of small ones the host wrote itself: it need not read them back

  [[nodiscard]] std::uint64_t address() const {
    return *range + static_cast<std::uint64_t>(offset);
  }
  [[nodiscard]] std::int64_t bytes() const { return element_count(shape) * size_of(dtype); }
};

}  // namespace dvmsim
