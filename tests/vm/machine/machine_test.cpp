#include "vm/machine/machine.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "vm/base/error.h"
#include "vm/machine/derived.h"

namespace dvmsim {
namespace {

const std::string kHardware = std::string(DVMSIM_SOURCE_DIR) + "/configs/hardware/";

/// Another legal value of the parameter than its default.
std::string another_value(const Parameter& about) {
  if (about.type == "Bool") return about.value == "true" ? "false" : "true";
  if (about.type == "Text") return "another";
  if (about.type == "DTypes") return about.value == "f32" ? "f16" : "f32";
  if (about.type == "ProgramMemory") return "cached";
  if (about.type == "DecodeProfile") return "high";
  return about.value == about.least ? about.most : about.least;
}

std::string failure_of(const std::string& text, const std::string& folder = ".") {
  try {
    (void)parse_machine(text, "m.yaml", folder);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string set_failure(const std::string& assignment) {
  try {
    Machine machine;
    apply_set(machine, assignment);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Machine, a_dump_loads_to_the_same_machine) {
  for (const auto& file : std::filesystem::directory_iterator(kHardware)) {
    const Machine machine = load_machine(file.path().string());
    const Machine again = parse_machine(dump(machine), "dump");
    EXPECT_EQ(dump(again), dump(machine)) << file.path();
    EXPECT_EQ(hash_of(again), hash_of(machine)) << file.path();
    EXPECT_EQ(dump(parse_machine(dump(machine, true), "dump")), dump(machine)) << file.path();
  }
}

TEST(Machine, every_hardware_file_bears_the_name_of_its_machine_and_differs_from_the_others) {
  std::set<std::uint64_t> hashes;
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(kHardware)) {
    const Machine machine = load_machine(file.path().string());
    EXPECT_EQ(machine.name, file.path().stem().string());
    hashes.insert(hash_of(machine));
    ++files;
  }
  EXPECT_EQ(hashes.size(), static_cast<std::size_t>(files));
  EXPECT_GE(files, 6);
}

TEST(Machine, the_910b1_file_says_what_the_built_in_machine_is) {
  EXPECT_EQ(dump(load_machine(kHardware + "ascend910b1.yaml")), dump(default_machine()));
}

TEST(Machine, every_parameter_can_be_set_read_back_and_changes_the_hash) {
  for (const Parameter& about : parameters()) {
    Machine machine;
    EXPECT_EQ(value_of(machine, about.key).empty(), false) << about.key;
    const std::string value = another_value(about);
    apply_set(machine, about.key + "=" + value);
    Machine again;
    apply_set(again, about.key + "=" + value_of(machine, about.key));
    EXPECT_EQ(dump(again), dump(machine)) << about.key;
    EXPECT_NE(dump(machine), dump(default_machine())) << about.key;
    EXPECT_EQ(hash_of(machine) == hash_of(default_machine()), about.key == "name") << about.key;
  }
}

TEST(Machine, every_parameter_refuses_a_value_below_and_above_its_range) {
  int ranges = 0;
  for (const Parameter& about : parameters()) {
    if (about.most.empty()) continue;
    ++ranges;
    const auto digits = about.most.find_first_not_of("0123456789./x");
    const std::string unit = digits == std::string::npos ? "" : about.most.substr(digits);
    const std::string above = about.type == "CubeStep" ? "65537x1x1" : "1900000000" + unit;
    EXPECT_NE(set_failure(about.key + "=" + above), "no error") << about.key;
  }
  EXPECT_GT(ranges, 100);
  EXPECT_EQ(set_failure("cores.cube=0"),
            "--set cores.cube=0: cores.cube: '0' is out of range: write 1 to 1024");
}

TEST(Machine, parameters_are_documented_and_unique) {
  std::set<std::string> keys;
  for (const Parameter& about : parameters()) {
    EXPECT_FALSE(about.doc.empty()) << about.key;
    EXPECT_TRUE(keys.insert(about.key).second) << about.key;
  }
}

TEST(Machine, rates_in_time_stay_and_rates_per_cycle_follow_the_clock) {
  Machine machine;
  apply_set(machine, "clock.core=925MHz");
  EXPECT_DOUBLE_EQ(peak_hbm(machine), 1.8e12);
  EXPECT_EQ(machine.mte2.gm_to_l1, Rate(98));
  EXPECT_EQ(machine.mte2.latency, Cycles(112));
  EXPECT_EQ(machine.l2.read_latency.cycles(), Cycles(56));  // 60 ns: 111 at 1.85 GHz
  EXPECT_EQ(value_of(machine, "l2.read"), "5.6TB/s");
  Machine other;  // the order of changes does not matter
  apply_set(other, "hbm.peak=1TB/s");
  apply_set(other, "clock.core=800MHz");
  Machine reverse;
  apply_set(reverse, "clock.core=800MHz");
  apply_set(reverse, "hbm.peak=1TB/s");
  EXPECT_EQ(dump(other), dump(reverse));
  EXPECT_EQ(other.hbm.peak, reverse.hbm.peak);
}

TEST(Machine, a_file_may_say_only_what_differs) {
  const Machine machine = parse_machine("ub: {size: 128KiB}\n", "m.yaml");
  EXPECT_EQ(machine.ub.size, Bytes(128 << 10));
  EXPECT_EQ(machine.l1.size, default_machine().l1.size);
}

TEST(Machine, a_base_is_read_first) {
  const Machine machine =
      parse_machine("base: ascend910b4.yaml\nclock: {core: 1650MHz}\n", "m.yaml", kHardware);
  EXPECT_EQ(machine.clock.core, Hertz(1'650'000'000));
  EXPECT_EQ(machine.l2.size, Bytes(96 << 20));
  EXPECT_DOUBLE_EQ(peak_hbm(machine), 0.8e12);
}

TEST(Machine, errors_name_file_line_and_what_to_do) {
  EXPECT_EQ(failure_of("clock:\n  core: 1850\n"),
            "m.yaml:2: clock.core: '1850' has no unit: write one of Hz, kHz, MHz, GHz");
  EXPECT_EQ(failure_of("clock:\n  core: 1GB\n"),
            "m.yaml:2: clock.core: '1GB' has unknown unit 'GB': write one of Hz, kHz, MHz, GHz");
  EXPECT_EQ(failure_of("ub:\n\n  sice: 1KiB\n"),
            "m.yaml:3: unknown key 'ub.sice': `dvmsim config show` lists the keys of a machine");
  EXPECT_EQ(failure_of("cores:\n  cube: 1\n  cube: 2\n"), "m.yaml:3: 'cores.cube' is given twice");
  EXPECT_EQ(failure_of("cores:\n  cube: 2000\n"),
            "m.yaml:2: cores.cube: '2000' is out of range: write 1 to 1024");
  EXPECT_EQ(failure_of("cores:\n  cube: two\n"),
            "m.yaml:2: cores.cube: 'two' is not a whole number");
  EXPECT_EQ(failure_of("cores:\n  cube:\n"),
            "m.yaml:2: cores.cube: no value: write one, or remove the key");
  EXPECT_EQ(failure_of("cores:\n  cube: [[1]]\n"),
            "m.yaml:2: cores.cube: a list here holds plain values only");
  EXPECT_EQ(failure_of("ub: {size: 0.3B}\n"),
            "m.yaml:1: ub.size: '0.3B' is not a whole number of B");
  EXPECT_EQ(failure_of("can:\n  atomic: [f16, f7]\n"),
            "m.yaml:2: can.atomic: 'f7' is no element type: list types such as f16 f32, or write "
            "none");
  EXPECT_EQ(failure_of("firmware: {memory: disk}\n"),
            "m.yaml:1: firmware.memory: 'disk' is none of ub, tcm, cached");
  EXPECT_EQ(failure_of("cube: {step: {f16: 16x16}}\n"),
            "m.yaml:1: cube.step.f16: '16x16' is not of the form m x n x k, such as 16x16x16");
  EXPECT_EQ(failure_of("cube: 3\n").substr(0, 27), "m.yaml:1: unknown key 'cube");
  EXPECT_EQ(failure_of("a: [\n").substr(0, 7), "m.yaml:");
  EXPECT_EQ(failure_of("").substr(0, 9), "m.yaml:1:");
}

TEST(Machine, a_base_that_is_missing_or_circular_is_an_error) {
  EXPECT_EQ(failure_of("\nbase: nowhere.yaml\n"),
            "m.yaml:2: base: cannot read './nowhere.yaml': give the path of a hardware file");
  const std::string folder = testing::TempDir() + "dvmsim_machine_circle";
  std::filesystem::create_directories(folder);
  FILE* file = std::fopen((folder + "/a.yaml").c_str(), "w");
  std::fputs("base: a.yaml\n", file);
  std::fclose(file);
  EXPECT_NE(failure_of("base: a.yaml\n", folder).find("is it a circle?"), std::string::npos);
  EXPECT_THROW((void)load_machine(folder), Error);
}

TEST(Machine, parameters_must_fit_together) {
  const auto rule = [](const std::string& text) { return failure_of(text); };
  EXPECT_EQ(rule("cores: {vector: 47}\n"),
            "m.yaml: machine 'ascend910b1': set cores.vector to cores.cube x cores.per_group");
  EXPECT_NE(rule("cores: {unified: true}\n").find("cores.per_group to 0"), std::string::npos);
  EXPECT_NE(rule("ub: {size: 1000KiB, align: 3B}\n").find("multiple of ub.align"),
            std::string::npos);
  EXPECT_NE(rule("ub: {reserved: 1MiB}\n").find("ub.reserved"), std::string::npos);
  EXPECT_NE(rule("dma: {chunk: 1000B}\n").find("dma.chunk"), std::string::npos);
  EXPECT_NE(rule("dma: {request: 500B}\n").find("dma.request"), std::string::npos);
  EXPECT_NE(rule("l2: {line: 96B}\n").find("l2.line"), std::string::npos);
  EXPECT_NE(rule("l2: {size: 1000B}\n").find("l2.size"), std::string::npos);
  EXPECT_NE(rule("hbm: {interleave: 100B}\n").find("hbm.interleave"), std::string::npos);
  EXPECT_NE(rule("cube: {step: {f16: 16x0x16}}\n").find("cube.step"), std::string::npos);
}

TEST(Machine, set_wants_an_assignment_and_a_known_key) {
  EXPECT_EQ(set_failure("clock.core"), "--set clock.core: no '=': write key=value");
  EXPECT_EQ(set_failure("clok=1").substr(0, 30), "--set clok=1: unknown key 'clo");
  EXPECT_THROW((void)value_of(Machine(), "clok"), Error);
}

TEST(Machine, answers_by_space_pipe_and_kind_of_core) {
  const Machine machine;
  EXPECT_EQ(machine.size_of_space(Space::UB), Bytes(192 << 10));
  EXPECT_EQ(machine.size_of_space(Space::ARG), Bytes(0));
  EXPECT_EQ(machine.queue_depth(Pipe::Fix), 32);
  EXPECT_EQ(machine.cores_of(CoreKind::Vector), 48);
  EXPECT_EQ(machine.cores_of(CoreKind::Unified), 0);
  EXPECT_EQ(load_machine(kHardware + "ascend910a.yaml").cores_of(CoreKind::Unified), 32);
}

TEST(Machine, a_program_in_ub_takes_tile_space) {
  Machine machine;
  EXPECT_EQ(machine.ub_for_tiles(Bytes(1000)), Bytes((192 << 10) - 512 - 1024));  // to 32 bytes
  EXPECT_EQ(machine.ub_for_tiles(Bytes(1 << 20)), Bytes(0));
  apply_set(machine, "firmware.memory=tcm");
  EXPECT_EQ(machine.ub_for_tiles(Bytes(1000)), Bytes((192 << 10) - 512));
}

TEST(Machine, the_decode_profile_chooses_the_column) {
  Machine machine;
  const Cycles nominal = machine.decode_cost(DecodeTerm::dispatch);
  apply_set(machine, "firmware.profile=low");
  EXPECT_LT(machine.decode_cost(DecodeTerm::dispatch), nominal);
  apply_set(machine, "firmware.profile=high");
  EXPECT_LT(nominal, machine.decode_cost(DecodeTerm::dispatch));
}

TEST(Machine, vector_classes_know_their_types_and_rates) {
  Machine machine;
  EXPECT_EQ(machine.rate(VectorClass::reduce_repeat, DType::F16), Rational(128, 7));
  EXPECT_EQ(machine.rate(VectorClass::convert, DType::I64), Rational(32));
  EXPECT_TRUE(machine.supports(VectorClass::simple, DType::I32));
  EXPECT_FALSE(machine.supports(VectorClass::simple, DType::BF16));  // no bf16 arithmetic here
  EXPECT_FALSE(machine.supports(VectorClass::simple, DType::I64));
  apply_set(machine, "vector.rate.simple.types=i64");
  EXPECT_FALSE(machine.supports(VectorClass::simple, DType::I64));  // still without a rate
  apply_set(machine, "vector.rate.simple.b64=32");
  EXPECT_TRUE(machine.supports(VectorClass::simple, DType::I64));
}

}  // namespace
}  // namespace dvmsim
