#include "vm/machine/fields.h"

#include <type_traits>

#include "vm/base/error.h"
#include "vm/machine/quantity.h"

namespace dvmsim {
namespace {

bool less(const Rate& a, const Rate& b) {
  return a.per_cycle() < b.per_cycle();
}
bool less(const Delay& a, const Delay& b) {
  return a.cycles() < b.cycles();
}
bool less(const CubeStep& a, const CubeStep& b) {
  return a.m < b.m || a.n < b.n || a.k < b.k;
}
template <class T>
bool less(const T& a, const T& b) {
  return a < b;
}

template <class T>
constexpr bool kOrdered = !std::is_same_v<T, std::string> && !std::is_same_v<T, bool> &&
                          !std::is_enum_v<T> && !std::is_same_v<T, machine_types::DTypes>;

template <class T>
void assign(const MachineField& field, Machine& machine, T& member, std::string_view text) {
  const Hertz clock = machine.clock.core;
  T value{};
  quantity::read_value(text, clock, value);
  if constexpr (kOrdered<T>) {
    T least{}, most{};
    quantity::read_value(field.about.least, clock, least);
    quantity::read_value(field.about.most, clock, most);
    if (less(value, least) || less(most, value)) {
      throw Error("'" + std::string(text) + "' is out of range: write " + field.about.least +
                  " to " + field.about.most);
    }
  }
  member = value;
}

template <class T>
void rescale_member(T& member, Hertz from, Hertz to) {
  if constexpr (std::is_same_v<T, Rate>) member = member.rescaled(from, to);
  if constexpr (std::is_same_v<T, Delay>) member = member.rescaled(to);
}

/// A row whose member is machine.*access: `Access` is a stateless callable that returns it.
template <class Access>
MachineField row(Parameter about, Access) {
  return {
      std::move(about),
      [](const MachineField& field, Machine& machine, std::string_view text) {
        assign(field, machine, Access{}(machine), text);
      },
      [](const Machine& machine) {
        return quantity::print_value(Access{}(machine), machine.clock.core);
      },
      [](Machine& machine, Hertz from, Hertz to) { rescale_member(Access{}(machine), from, to); }};
}

template <class Access>
MachineField types_row(Parameter about, Access) {
  return {std::move(about),
          [](const MachineField&, Machine& machine, std::string_view text) {
            machine_types::DTypes types;
            quantity::read_value(text, machine.clock.core, types);
            Access{}(machine) = types.set;
          },
          [](const Machine& machine) {
            return quantity::print_value(machine_types::DTypes{Access{}(machine)},
                                         machine.clock.core);
          },
          [](Machine&, Hertz, Hertz) {}};
}

template <VectorClass kClass, std::size_t kWidth>
struct RateAt {
  auto& operator()(auto& m) const {
    return m.vector_rate[static_cast<std::size_t>(kClass)].by_width[kWidth];
  }
};
template <VectorClass kClass>
struct TypesAt {
  auto& operator()(auto& m) const { return m.vector_rate[static_cast<std::size_t>(kClass)].types; }
};
template <VectorClass kClass>
struct ExtraAt {
  auto& operator()(auto& m) const { return m.vector_rate[static_cast<std::size_t>(kClass)].extra; }
};
template <DecodeTerm kTerm, DecodeProfile kProfile>
struct DecodeAt {
  auto& operator()(auto& m) const {
    return m.decode[static_cast<std::size_t>(kTerm)][static_cast<std::size_t>(kProfile)];
  }
};

template <VectorClass kClass>
void vector_rows(std::vector<MachineField>& rows, const std::string& name,
                 const std::array<const char*, 4>& rates, const char* types, const char* extra,
                 const char* doc) {
  const std::string key = "vector.rate." + name;
  const auto about = [&](const char* width, const char* value) {
    return Parameter{key + width, "Rational", value, "0", "1000000000", doc};
  };
  rows.push_back(row(about(".b8", rates[0]), RateAt<kClass, 0>{}));
  rows.push_back(row(about(".b16", rates[1]), RateAt<kClass, 1>{}));
  rows.push_back(row(about(".b32", rates[2]), RateAt<kClass, 2>{}));
  rows.push_back(row(about(".b64", rates[3]), RateAt<kClass, 3>{}));
  rows.push_back(types_row({key + ".types", "DTypes", types, "", "", doc}, TypesAt<kClass>{}));
  rows.push_back(
      row({key + ".extra", "Cycles", extra, "0cycles", "100000cycles", doc}, ExtraAt<kClass>{}));
}

template <DecodeTerm kTerm>
void decode_rows(std::vector<MachineField>& rows, const std::string& name,
                 const std::array<const char*, kDecodeProfiles>& costs, const char* doc) {
  const std::string key = "decode." + name;
  const auto about = [&](const char* profile, const char* value) {
    return Parameter{key + profile, "Cycles", value, "0cycles", "10000cycles", doc};
  };
  rows.push_back(row(about(".low", costs[0]), DecodeAt<kTerm, DecodeProfile::Low>{}));
  rows.push_back(row(about(".nominal", costs[1]), DecodeAt<kTerm, DecodeProfile::Nominal>{}));
  rows.push_back(row(about(".high", costs[2]), DecodeAt<kTerm, DecodeProfile::High>{}));
}

void plain_rows(std::vector<MachineField>& rows) {
#define FIELD_TOP(type, name, value, least, most, doc) \
  rows.push_back(row(                                  \
      {#name, #type, value, least, most, doc}, [](auto& m) -> auto& { return m.name; }));
#include "vm/machine/rows.h"
#define SECTION(name, ...)                          \
  {                                                 \
    constexpr auto section = [](auto& m) -> auto& { \
      return m.name;                                \
    };                                              \
    const std::string prefix = #name ".";
#define FIELD(type, name, value, least, most, doc)      \
  rows.push_back(row(                                   \
      {prefix + #name, #type, value, least, most, doc}, \
      [](auto& m) -> auto& { return decltype(section){}(m).name; }));
#define END(name) }
#include "vm/machine/rows.h"
}

std::vector<MachineField> all_rows() {
  std::vector<MachineField> rows;
  plain_rows(rows);
#define CUBE_STEP(type, value, doc)                                                  \
  rows.push_back(row(                                                                \
      {"cube.step." + std::string(name_of(DType::type)), "CubeStep", value, "0x0x0", \
       "65536x65536x65536", doc},                                                    \
      [](auto& m) -> auto& { return m.cube_step[std::size_t(DType::type)]; }));
#include "vm/machine/rows.h"
#define VECTOR_RATE(name, b8, b16, b32, b64, types, extra, doc) \
  vector_rows<VectorClass::name>(rows, #name, {b8, b16, b32, b64}, types, extra, doc);
#include "vm/machine/rows.h"
#define DECODE_COST(name, low, nominal, high, doc) \
  decode_rows<DecodeTerm::name>(rows, #name, {low, nominal, high}, doc);
#include "vm/machine/rows.h"
  return rows;
}

}  // namespace

const std::vector<MachineField>& machine_fields() {
  static const std::vector<MachineField> kRows = all_rows();
  return kRows;
}

void set_field(Machine& machine, std::string_view key, std::string_view text) {
  for (const MachineField& field : machine_fields()) {
    if (field.about.key != key) continue;
    const Hertz before = machine.clock.core;
    try {
      field.set(field, machine, text);
    } catch (const Error& error) {
      throw Error(std::string(key) + ": " + error.what());
    }
    if (before != machine.clock.core && before.count() > 0) {
      for (const MachineField& other : machine_fields()) {
        other.rescale(machine, before, machine.clock.core);
      }
    }
    return;
  }
  throw Error("unknown key '" + std::string(key) +
              "': `dvmsim config show` lists the keys of a machine");
}

}  // namespace dvmsim
