#include "vm/device/reference.h"

#include <algorithm>
#include <cstring>

#include "vm/base/error.h"
#include "vm/device/interleaving.h"

namespace dvmsim {
namespace {

void check(const Machine& machine, const Launch& launch) {
  DVMSIM_ASSERT(launch.program != nullptr, "a launch has a program");
  const std::string where = "program '" + launch.program->name + "': ";
  const auto fail = [&](const char* what) { throw Error(where + what); };
  const CoreKind first = machine.cores.unified ? CoreKind::Unified : CoreKind::Cube;
  if (launch.cube_cores < 0 || launch.cube_cores > machine.cores_of(first) ||
      launch.vector_cores < 0 || launch.vector_cores > machine.cores_of(CoreKind::Vector)) {
    fail("launched on more cores than the machine has; use fewer");
  }
  if ((launch.cube_cores > 0 && launch.program->cube.empty()) ||
      (launch.vector_cores > 0 && launch.program->vector.empty())) {
    fail("launched on a kind of core it has no code for; use none of that kind");
  }
}

}  // namespace

Reference::Reference(const Machine& machine, std::uint64_t seed)
    : machine_(machine), seed_(seed), global_(machine.hbm.size) {}
Reference::~Reference() = default;

std::uint64_t Reference::allocate(Bytes size) {
  return global_.allocate(size, true);
}
void Reference::release(std::uint64_t address) {
  global_.release(address);
}

void Reference::write(std::uint64_t address, std::span<const std::byte> data) {
  if (data.empty()) return;
  std::byte* to = global_.at(address, static_cast<std::int64_t>(data.size()));
  if (to == nullptr) throw Error("device write: outside every buffer; allocate it first");
  std::memcpy(to, data.data(), data.size());
}

void Reference::read(std::uint64_t address, std::span<std::byte> data) {
  if (data.empty()) return;
  const std::byte* from = global_.at(address, static_cast<std::int64_t>(data.size()));
  if (from == nullptr) throw Error("device read: outside every buffer; allocate it first");
  std::memcpy(data.data(), from, data.size());
}

void Reference::host_work(HostWork, std::int64_t, HostThread, const std::string&) {}
void Reference::listen(Probes probes) {
  probes_ = std::move(probes);
}

CoreMemory& Reference::memory_of(CoreId core) {
  auto& memory = memories_[core];
  if (memory == nullptr) {
    memory = std::make_unique<CoreMemory>(machine_, core.kind);
  } else {
    memory->poison();
  }
  return *memory;
}

Ticket Reference::submit(const Launch& launch) {
  check(machine_, launch);
  const Ticket ticket = first_ticket_ + static_cast<Ticket>(reports_.size());
  const LaunchMark mark{ticket, launch.label, {}, {}, {}};
  for (Probe* probe : probes_) probe->on_launch_begin(mark, *launch.program);
  Interleaving interleaving(machine_, launch, global_, seed_, order_);
  const CoreKind first_kind = machine_.cores.unified ? CoreKind::Unified : CoreKind::Cube;
  for (int i = 0; i < launch.cube_cores; ++i) {
    interleaving.add_core({first_kind, i}, memory_of({first_kind, i}));
  }
  for (int i = 0; i < launch.vector_cores; ++i) {
    interleaving.add_core({CoreKind::Vector, i}, memory_of({CoreKind::Vector, i}));
  }
  reports_.push_back(interleaving.run());
  for (Probe* probe : probes_) probe->on_launch_end(mark);
  return ticket;
}

LaunchReport Reference::wait(Ticket ticket) {
  const auto index = static_cast<std::size_t>(ticket - first_ticket_);
  DVMSIM_ASSERT(ticket >= first_ticket_ && index < reports_.size(),
                "a ticket comes from submit and has not been forgotten");
  return reports_[index];
}

void Reference::forget_launches() {
  first_ticket_ += static_cast<Ticket>(reports_.size());
  reports_.clear();
}

}  // namespace dvmsim
