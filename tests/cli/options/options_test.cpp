#include "cli/options/options.h"

#include <gtest/gtest.h>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

Parsed parse(std::vector<const char*> words) {
  words.insert(words.begin(), "dvmsim");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

CommandLine line_of(std::vector<const char*> words) {
  const Parsed parsed = parse(std::move(words));
  if (!parsed.line) throw Error(parsed.text);
  return *parsed.line;
}

/// The text of the Error, or "" if there is none.
std::string error_of(std::vector<const char*> words) {
  try {
    const Parsed parsed = parse(std::move(words));
    return parsed.exit_code == 2 ? parsed.text : "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Options, run_takes_what_the_design_names) {
  const CommandLine line = line_of({"run",           "m.graph",    "--hw",      "h.yaml",
                                    "--set",         "a.b=1",      "--set",     "c.d=2",
                                    "--dim",         "seq=16",     "--shape",   "x=2x3",
                                    "--input",       "y=y.npy",    "--seed",    "7",
                                    "--strategy",    "eager",      "--feature", "+fuse,-cache",
                                    "--mode",        "functional", "--tiling",  "cost",
                                    "--memory",      "ideal",      "--l2",      "warm",
                                    "--repeat",      "3",          "--cores",   "4",
                                    "--check",       "eval",       "--trace",   "t.pftrace",
                                    "--trace-level", "tile",       "--json",    "-"});
  EXPECT_EQ(line.verb, CommandLine::Verb::Run);
  const RunOptions& run = line.run;
  EXPECT_EQ(run.model, "m.graph");
  EXPECT_EQ(run.sets, (std::vector<std::string>{"a.b=1", "c.d=2"}));
  ASSERT_EQ(run.dims.size(), 1u);
  EXPECT_EQ(run.dims[0].second, 16);
  EXPECT_EQ(run.shapes[0].second, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(run.inputs[0].second, "y.npy");
  EXPECT_EQ(run.seed, 7);
  EXPECT_EQ(run.strategy, "eager");
  ASSERT_EQ(run.features.size(), 2u);
  EXPECT_TRUE(run.features[0].second);
  EXPECT_FALSE(run.features[1].second);
  EXPECT_EQ(run.mode, Mode::Functional);
  EXPECT_TRUE(run.memory == MemoryModel::Ideal && run.warm_l2 && run.check);
  EXPECT_EQ(run.repeat, 3);
  EXPECT_EQ(run.cores, 4);
  EXPECT_EQ(run.trace_level, TraceLevel::Tile);
  EXPECT_EQ(run.json, "-");
}

TEST(Options, op_takes_shapes_and_flags) {
  const CommandLine line = line_of(
      {"op", "matmul", "16384x4096", "4096x4096", "--dtype", "bf16", "--trans-b", "--attr", "k=v"});
  EXPECT_EQ(line.verb, CommandLine::Verb::Op);
  EXPECT_EQ(line.op.op, "matmul");
  EXPECT_EQ(line.op.shapes.size(), 2u);
  EXPECT_EQ(line.op.shapes[1], (std::vector<std::int64_t>{4096, 4096}));
  EXPECT_EQ(line.op.dtype, DType::BF16);
  EXPECT_TRUE(line.op.trans_b);
  EXPECT_EQ(line.op.attributes[0].second, "v");
  EXPECT_EQ(line.run.strategy, "dvm");
}

TEST(Options, values_of_repeated_options_do_not_swallow_the_model) {
  const CommandLine line = line_of({"run", "--dim", "seq=16", "--set", "a.b=1", "m.graph"});
  EXPECT_EQ(line.run.model, "m.graph");
  EXPECT_EQ(line.run.dims.size(), 1u);
}

TEST(Options, the_other_verbs) {
  EXPECT_EQ(line_of({"disasm", "a.dvm"}).verb, CommandLine::Verb::Disasm);
  const CommandLine assemble = line_of({"asm", "a.s", "-o", "a.dvm"});
  EXPECT_EQ(assemble.verb, CommandLine::Verb::Asm);
  EXPECT_EQ(assemble.output, "a.dvm");
  EXPECT_EQ(line_of({"config", "check", "h.yaml"}).verb, CommandLine::Verb::ConfigCheck);
  EXPECT_EQ(line_of({"config", "show"}).verb, CommandLine::Verb::ConfigShow);
  EXPECT_EQ(line_of({"compile", "m.graph", "--dump", "bytecode"}).views.dump, Dump::Bytecode);
  EXPECT_EQ(line_of({"bench"}).verb, CommandLine::Verb::Bench);
  const CommandLine report = line_of({"report", "a.json", "--html", "a.html"});
  EXPECT_EQ(report.verb, CommandLine::Verb::Report);
  EXPECT_EQ(report.file, "a.json");
  EXPECT_EQ(report.output, "a.html");
}

TEST(Options, wrong_values_are_refused_with_what_to_write) {
  EXPECT_EQ(line_of({"run", "m", "--tiling", "dvm-v3"}).run.tiling, "dvm-v3");
  EXPECT_NE(error_of({"run", "m", "--tiling", "dvm-v4"}).find("dvm-v3 (today's)"),
            std::string::npos);
  EXPECT_NE(error_of({"run", "m", "--strategy", "fast"})
                .find("use eager, graph, sink, jit, bucket, dvm, dvm-eager or resident"),
            std::string::npos);
  EXPECT_NE(error_of({"run", "m", "--dim", "seq"}).find("name=value"), std::string::npos);
  EXPECT_NE(error_of({"run", "m", "--dim", "seq=x"}).find("not a whole number"), std::string::npos);
  EXPECT_NE(error_of({"run", "m", "--shape", "x=2x"}).find("--shape x"), std::string::npos);
  EXPECT_NE(error_of({"run", "m", "--mode", "fast"}).find("functional or timing"),
            std::string::npos);
  EXPECT_NE(error_of({"run", "m", "--mode", "timing", "--check", "eval"}).find("no values"),
            std::string::npos);
  EXPECT_NE(error_of({"op", "add", "2", "--dtype", "f99"}).find("f99"), std::string::npos);
}

TEST(Options, usage_errors_exit_with_2_and_help_with_0) {
  EXPECT_EQ(parse({}).exit_code, 2);
  EXPECT_EQ(parse({"sweep"}).exit_code, 2);
  EXPECT_EQ(parse({"run"}).exit_code, 2);
  EXPECT_EQ(parse({"run", "m", "--no-such-option"}).exit_code, 2);
  const Parsed help = parse({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_NE(help.text.find("config"), std::string::npos);
}

TEST(ParseShape, reads_sizes_and_scalars) {
  EXPECT_EQ(parse_shape("2x3x48", "s"), (std::vector<std::int64_t>{2, 3, 48}));
  EXPECT_TRUE(parse_shape("scalar", "s").empty());
  for (const char* wrong : {"", "x", "2x", "x2", "2xx3", "-2", "2.5"}) {
    EXPECT_THROW((void)parse_shape(wrong, "s"), Error) << wrong;
  }
}

}  // namespace
}  // namespace dvmsim
