// Vector kernels that a module has already. Layers of a model repeat, and the same work again needs
// neither a schedule nor code: only arguments of its own.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "compiler/schedule/vector_kernel.h"

namespace dvmsim {

class Repeats {
 public:
  /// The launch of a kernel, and what it took to find it.
  struct Known {
    int program = 0, cores = 0;
    std::int64_t workspace = 0;  // bytes behind its tensors; 0: none
    std::int64_t tiles = 0, words = 0;
  };
  /// Null if there was none like it.
  [[nodiscard]] const Known* find(const VectorKernel& kernel) const;
  /// The kernel stays where it is until clear().
  void add(const VectorKernel& kernel, const Known& known);
  void clear() { known_.clear(); }

 private:
  struct Entry {
    const VectorKernel* kernel = nullptr;
    Known known{};
  };
  std::unordered_multimap<std::uint64_t, Entry> known_{};  // by a sum over sizes and steps
};

}  // namespace dvmsim
