#include "vm/machine/machine.h"

#include "vm/base/error.h"
#include "vm/base/rounding.h"
#include "vm/machine/fields.h"

namespace dvmsim {

Machine::Machine() {
  for (const MachineField& field : machine_fields()) field.set(field, *this, field.about.value);
}

Rational Machine::rate(VectorClass which, DType type) const {
  const int size = size_of(type);
  const std::size_t width = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
  return vector_class(which).by_width[width];
}

bool Machine::supports(VectorClass which, DType type) const {
  return contains(vector_class(which).types, type) && rate(which, type).num() > 0;
}

Bytes Machine::size_of_space(Space space) const {
  switch (space) {
    case Space::GM:
      return hbm.size;
    case Space::L1:
      return l1.size;
    case Space::L0A:
      return l0a.size;
    case Space::L0B:
      return l0b.size;
    case Space::L0C:
      return l0c.size;
    case Space::BT:
      return bt.size;
    case Space::FB:
      return fb.size;
    case Space::UB:
      return ub.size;
    case Space::ARG:
    case Space::PROG:
      break;
  }
  return Bytes(0);
}

int Machine::queue_depth(Pipe pipe) const {
  switch (pipe) {
    case Pipe::MTE1:
      return queue.mte1;
    case Pipe::MTE2:
      return queue.mte2;
    case Pipe::MTE3:
      return queue.mte3;
    case Pipe::Cube:
      return queue.cube;
    case Pipe::Vector:
      return queue.vector;
    case Pipe::Fix:
      return queue.fix;
    case Pipe::Scalar:
      break;
  }
  DVMSIM_ASSERT(false, "the scalar unit has no queue");
  return 0;
}

int Machine::cores_of(CoreKind kind) const {
  if (cores.unified) return kind == CoreKind::Unified ? cores.cube : 0;
  return kind == CoreKind::Cube ? cores.cube : kind == CoreKind::Vector ? cores.vector : 0;
}

Bytes Machine::ub_for_tiles(Bytes program) const {
  const Bytes kept = firmware.memory == ProgramMemory::Ub ? ub.reserved + program : ub.reserved;
  const std::int64_t align = ub.align.count();
  const std::int64_t first = round_up(kept.count(), align);
  return first < ub.size.count() ? Bytes(ub.size.count() - first) : Bytes(0);
}

Machine default_machine() {
  return Machine();
}

void apply_set(Machine& machine, std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    throw Error("--set " + std::string(assignment) + ": no '=': write key=value");
  }
  try {
    set_field(machine, assignment.substr(0, equals), assignment.substr(equals + 1));
  } catch (const Error& error) {
    throw Error("--set " + std::string(assignment) + ": " + error.what());
  }
}

std::uint64_t hash_of(const Machine& machine) {
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a, 64 bits
  const auto add = [&](std::string_view text) {
    for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  };
  for (const MachineField& field : machine_fields()) {
    if (field.about.key == "name") continue;
    add(field.about.key + "=" + field.print(machine) + "\n");
  }
  return hash;
}

std::vector<Parameter> parameters() {
  std::vector<Parameter> list;
  for (const MachineField& field : machine_fields()) list.push_back(field.about);
  return list;
}

std::string value_of(const Machine& machine, std::string_view key) {
  for (const MachineField& field : machine_fields()) {
    if (field.about.key == key) return field.print(machine);
  }
  throw Error("unknown key '" + std::string(key) +
              "': `dvmsim config show` lists the keys of a machine");
}

}  // namespace dvmsim
