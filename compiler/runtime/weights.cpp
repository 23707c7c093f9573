#include "compiler/runtime/weights.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace dvmsim {
namespace {

/// FNV-1a over words of eight bytes.
std::uint64_t hash_of(std::span<const std::byte> bytes) {
  constexpr std::uint64_t kPrime = 0x100000001b3u;
  std::uint64_t hash = 0xcbf29ce484222325u ^ bytes.size();
  for (std::size_t i = 0; i < bytes.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, std::min(sizeof(word), bytes.size() - i));
    hash = (hash ^ word) * kPrime;
    hash ^= hash >> 32;
  }
  return hash;
}

const ModuleTensor& tensor_of(const Module& module, const ModuleConstant& constant) {
  return module.tensors[static_cast<std::size_t>(constant.tensor)];
}

/// May it decide what a program does?
bool is_control(const ModuleTensor& tensor) {
  const bool integer = tensor.dtype == DType::I32 || tensor.dtype == DType::I64;
  return integer && tensor.bytes <= kMostControlBytes;
}

}  // namespace

Weights::Key Weights::key_of(const ModuleTensor& tensor, const ModuleConstant& constant) {
  if (constant.bytes) {
    return {tensor.dtype, tensor.shape, false, hash_of(constant.bytes->bytes()), 0};
  }
  const bool random = constant.fill->kind == Fill::Kind::Random;
  const auto seed = static_cast<std::uint64_t>(constant.fill->seed);
  return {tensor.dtype, tensor.shape, true, random ? seed * 2 + 1 : 0,
          std::bit_cast<std::uint64_t>(constant.fill->value)};
}

Weights::Placed Weights::find(const ModuleTensor& tensor, const ModuleConstant& constant) const {
  if (constant.bytes) {
    const auto stored = by_storage_.find(constant.bytes->bytes().data());
    const Placed placed = stored == by_storage_.end() ? nullptr : stored->second.lock();
    if (placed != nullptr && placed->tensor.bytes().data() == constant.bytes->bytes().data() &&
        placed->tensor.dtype() == tensor.dtype && placed->tensor.shape() == tensor.shape) {
      return placed;
    }
  }
  const auto found = by_content_.find(key_of(tensor, constant));
  const Placed placed = found == by_content_.end() ? nullptr : found->second.lock();
  if (placed == nullptr || !constant.bytes) return placed;
  const auto same = std::ranges::equal(placed->tensor.bytes(), constant.bytes->bytes());
  return same ? placed : nullptr;
}

std::int64_t Weights::missing(const Module& module) const {
  std::int64_t bytes = 0;
  for (const ModuleConstant& constant : module.constants) {
    const ModuleTensor& tensor = tensor_of(module, constant);
    if (find(tensor, constant) == nullptr) bytes += DeviceMemory::rounded(tensor.bytes);
  }
  return bytes;
}

PlacedConstants Weights::place(Module& module) {
  forget_released();
  PlacedConstants result;
  std::vector<const ModuleConstant*> fresh;
  std::int64_t bytes = 0;
  for (ModuleConstant& constant : module.constants) {
    const ModuleTensor& tensor = tensor_of(module, constant);
    const Placed placed = result[constant.tensor] = find(tensor, constant);
    if (placed != nullptr) {
      if (constant.bytes) constant.bytes = placed->tensor;
      continue;
    }
    fresh.push_back(&constant);
    bytes += DeviceMemory::rounded(tensor.bytes);
  }
  if (fresh.empty()) return result;
  const DeviceRange block = memory_.allocate(MemoryKind::Weights, bytes);
  std::uint64_t address = *block;
  for (const ModuleConstant* constant : fresh) {
    const ModuleTensor& tensor = tensor_of(module, *constant);
    const auto placed = std::make_shared<PlacedConstant>();
    placed->block = block;
    placed->address = address;
    if (constant->bytes) placed->tensor = *constant->bytes;
    if (mode_ == Mode::Functional || is_control(tensor)) {
      const Tensor values =
          constant->bytes ? *constant->bytes : filled(tensor.dtype, tensor.shape, *constant->fill);
      device_.write(address, values.bytes());
    }
    address += static_cast<std::uint64_t>(DeviceMemory::rounded(tensor.bytes));
    by_content_[key_of(tensor, *constant)] = placed;
    if (constant->bytes) by_storage_[constant->bytes->bytes().data()] = placed;
    result[constant->tensor] = placed;
  }
  return result;
}

void Weights::forget_released() {
  std::erase_if(by_content_, [](const auto& entry) { return entry.second.expired(); });
  std::erase_if(by_storage_, [](const auto& entry) { return entry.second.expired(); });
}

}  // namespace dvmsim
