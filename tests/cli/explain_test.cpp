// What the compiler says about itself, what it lets itself be told, and graphs reduced, through the
// command.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/command.h"

namespace dvmsim {
namespace {

using testing::Command;
using testing::Outcome;
using Json = nlohmann::json;

class Explain : public Command {
 protected:
  void SetUp() override {
    Command::SetUp();
    write("net.graph",
          "graph net\ninput x: f16[32, 64]\nconst w: f16[64, 64] = random(1, 0.1)\n"
          "a = exp(x)\np = matmul(a, w)\nr = relu(p)\ns = softmax(r) {axis=-1}\noutput s\n");
  }
};

TEST_F(Explain, remarks_name_every_edge_and_a_summary) {
  const Outcome text = dvmsim("compile net.graph --dump remarks");
  ASSERT_EQ(text.code, 0) << text.err;
  EXPECT_NE(
      text.out.find("a:exp -> p:matmul 'a': missed: a product takes its operands from memory, "
                    "8.00 KiB"),
      std::string::npos)
      << text.out;
  EXPECT_NE(text.out.find("p:matmul -> r:relu 'p': fused into"), std::string::npos) << text.out;
  const Outcome json = dvmsim("compile net.graph --remarks -");
  ASSERT_EQ(json.code, 0) << json.err;
  const Json read = Json::parse(json.out);
  EXPECT_EQ(read["summary"]["edges"], read["graphs"][0]["edges"].size());
  EXPECT_EQ(read["graphs"][0]["edges"][0]["fate"], "missed");
  EXPECT_EQ(read["graphs"][0]["edges"][0]["bytes"], 8192);
  EXPECT_EQ(dvmsim("compile net.graph --remarks r.json").code, 0);
  EXPECT_EQ(content(path("r.json")), json.out);
  EXPECT_EQ(dvmsim("compile net.graph --remarks - --dump groups").code, 2);
}

TEST_F(Explain, passes_are_listed_and_printed_where_they_change_something) {
  const Outcome table = dvmsim("compile net.graph --dump passes");
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("decompose            yes"), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("fold-empty           no"), std::string::npos) << table.out;
  const Outcome bodies = dvmsim("compile net.graph --dump changes");
  EXPECT_NE(bodies.out.find("# after decompose: "), std::string::npos) << bodies.out;
  EXPECT_NE(bodies.out.find("reduce_max"), std::string::npos) << bodies.out;
  EXPECT_NE(bodies.out.find("# fold-empty changed nothing"), std::string::npos) << bodies.out;
  const Outcome timed = dvmsim("compile net.graph --dump passes --time-passes");
  EXPECT_EQ(timed.out, table.out) << "times are not for standard output";
  EXPECT_NE(timed.err.find("schedule, encode"), std::string::npos) << timed.err;
}

TEST_F(Explain, the_compilers_own_overrides_change_nothing) {
  for (const std::string strategy : {"dvm", "resident", "eager"}) {
    const std::string words = "compile net.graph --strategy " + strategy;
    const Outcome own = dvmsim(words + " --dump overrides");
    ASSERT_EQ(own.code, 0) << own.err;
    write("own.yaml", own.out);
    ASSERT_EQ(dvmsim(words + " -o plain.dvm").code, 0);
    const Outcome again = dvmsim(words + " --schedule own.yaml -o again.dvm");
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(content(path("plain.dvm")), content(path("again.dvm"))) << own.out;
  }
}

TEST_F(Explain, an_override_is_obeyed_told_and_still_right) {
  write("mine.yaml",
        "kernels:\n  - kernel: \"*s\"\n    vector: {rows: 2, cores: 5}\n"
        "partition:\n  - split: [p, r]\n");
  const Outcome shown = dvmsim("compile net.graph --schedule mine.yaml --dump schedule");
  ASSERT_EQ(shown.code, 0) << shown.err;
  EXPECT_NE(shown.out.find("tile 2 x 64 (pitch 64), 16 tiles on 5 cores"), std::string::npos)
      << shown.out;
  EXPECT_NE(shown.out.find("as mine.yaml:3 says"), std::string::npos) << shown.out;
  const Outcome run = dvmsim("run net.graph --schedule mine.yaml --check eval --json -");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_NE(run.out.find("mine.yaml"), std::string::npos) << "the report says it";
}

TEST_F(Explain, an_override_that_is_wrong_exits_with_2_and_its_line) {
  write("big.yaml", "kernels:\n  - kernel: \"*s\"\n    vector: {rows: 100}\n");
  write("none.yaml", "kernels:\n  - kernel: nobody\n    vector: {rows: 2}\n");
  write("bad.yaml", "kernels:\n  - kernel: s\n    vector: {hight: 2}\n");
  for (const std::string verb : {"compile", "run"}) {
    for (const std::string file : {"big.yaml", "none.yaml", "bad.yaml"}) {
      const Outcome outcome = dvmsim(verb + " net.graph --schedule " + file);
      EXPECT_EQ(outcome.code, 2) << verb << file;
      EXPECT_TRUE(outcome.err.starts_with("dvmsim: error: " + file + ":3: ")) << outcome.err;
    }
  }
  EXPECT_EQ(dvmsim("run net.graph --schedule big.yaml --strategy dvm-eager").code, 2);
}

TEST_F(Explain, schedules_of_convolutions_pools_and_moves_are_decided_too) {
  write("maps.graph",
        "graph maps\ninput x: f16[1, 32, 14, 14]\nconst w: f16[32, 32, 3, 3] = random(1, 0.1)\n"
        "c = conv(x, w) {pads=[1, 1, 1, 1]}\np = max_pool(c) {kernel=[2, 2], strides=[2, 2]}\n"
        "output p\n");
  const Outcome own = dvmsim("compile maps.graph --dump overrides");
  for (const char* kind : {" conv: {m: ", " window: {rows: ", " copy: {tile: ["}) {
    EXPECT_NE(own.out.find(kind), std::string::npos) << own.out;
  }
  write("own.yaml", own.out);
  ASSERT_EQ(dvmsim("compile maps.graph -o plain.dvm").code, 0);
  ASSERT_EQ(dvmsim("compile maps.graph --schedule own.yaml -o again.dvm").code, 0);
  EXPECT_EQ(content(path("plain.dvm")), content(path("again.dvm"))) << own.out;
  write("mine.yaml",
        "kernels:\n  - kernel: c\n    conv: {m: 32, n: 16, cores: 5}\n"
        "  - kernel: p\n    window: {rows: 3, columns: 4}\n");
  EXPECT_EQ(dvmsim("run maps.graph --schedule mine.yaml --check eval").code, 0);
  for (const std::string wrong : {"conv: {m: 8}", "window: {rows: 99}", "copy: {turns: 99}"}) {
    write("bad.yaml", "kernels:\n  - kernel: \"*\"\n    " + wrong + "\n");
    const Outcome refused = dvmsim("run maps.graph --schedule bad.yaml");
    EXPECT_EQ(refused.code, 2) << refused.err;
    EXPECT_TRUE(refused.err.starts_with("dvmsim: error: bad.yaml:3: ")) << refused.err;
    EXPECT_NE(refused.err.find("; the compiler has "), std::string::npos) << refused.err;
  }
}

TEST_F(Explain, products_are_made_a_chain_or_two_as_a_user_decides) {
  write("low.graph",
        "graph low\ninput x: f16[64, 128]\ninput a: f16[128, 16]\ninput b: f16[16, 128]\n"
        "n = matmul(x, a)\ny = matmul(n, b)\noutput y\n");
  const std::string run = "run low.graph --strategy resident --check eval --schedule ";
  write("fuse.yaml",
        "kernels:\n  - kernel: \"n, y\"\n    chain: {m: 16, whole: false}\n"
        "partition:\n  - fuse: [n, y]\n");
  const Outcome fused = dvmsim(run + "fuse.yaml");
  ASSERT_EQ(fused.code, 0) << fused.err;
  EXPECT_NE(fused.out.find("'n, y'"), std::string::npos) << fused.out;
  write("split.yaml", "partition:\n  - split: [n, y]\n");
  const Outcome split = dvmsim(run + "split.yaml");
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_EQ(split.out.find("'n, y'"), std::string::npos) << split.out;
  write("bad.yaml",
        "partition:\n  - fuse: [n, y]\nkernels:\n  - kernel: \"n, y\"\n    chain: {m: 20}\n");
  const Outcome refused = dvmsim(run + "bad.yaml");
  EXPECT_EQ(refused.code, 2);
  EXPECT_TRUE(refused.err.starts_with("dvmsim: error: bad.yaml:5: ")) << refused.err;
}

TEST_F(Explain, a_graph_is_reduced_to_what_a_command_looks_for) {
  write("looks.sh", "#!/bin/sh\ngrep -q softmax \"$1\"\n");
  const Outcome outcome = dvmsim("reduce net.graph --test 'sh looks.sh' -o out.graph");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("out.graph: 1 node, 1 input, 1 element; was 4 nodes"),
            std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.err.find("reduce: "), std::string::npos) << "progress";
  const std::string file = content(path("out.graph"));
  EXPECT_TRUE(file.starts_with("# sh looks.sh out.graph\n")) << file;
  EXPECT_EQ(dvmsim("run out.graph --check eval").code, 0);
  const Outcome again = dvmsim("reduce net.graph --test 'sh looks.sh' -o out.graph");
  EXPECT_EQ(again.out, outcome.out);
}

TEST_F(Explain, a_graph_is_reduced_to_what_fails_a_tolerance) {
  // Half precision rounds between the primitives of gelu, its definition only at the end.
  write("rounds.graph",
        "graph rounds\ninput x: f16[32, 64]\nconst w: f16[64, 64] = random(1, 0.1)\n"
        "a = exp(x)\np = matmul(a, w)\ng = gelu(p)\ns = softmax(g) {axis=-1}\noutput s\n");
  const Outcome outcome = dvmsim("reduce rounds.graph --check eval --tolerance 1e-4 -o out.graph");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("out.graph: 1 node"), std::string::npos) << outcome.out;
  const std::string command = outcome.out.substr(outcome.out.find("reproduce: dvmsim ") + 18);
  const Outcome shown = dvmsim(command.substr(0, command.find('\n')));
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_EQ(shown.out, "out.graph: interesting\n");
  const Outcome passes = dvmsim("reduce net.graph --check eval");
  EXPECT_EQ(passes.code, 2);
  EXPECT_NE(passes.err.find("nothing to reduce"), std::string::npos) << passes.err;
}

TEST_F(Explain, a_graph_is_reduced_by_figures_values_and_exit_codes) {
  const Outcome figures =
      dvmsim("reduce net.graph --mode timing --if 'host.launches >= 2' -o f.graph");
  ASSERT_EQ(figures.code, 0) << figures.err;
  EXPECT_NE(figures.out.find("f.graph: "), std::string::npos);
  const Outcome same = dvmsim("reduce net.graph --differs-from eager --tolerance 1 --tries 0");
  EXPECT_EQ(same.code, 1) << same.err;
  EXPECT_EQ(same.out, "net.graph: not interesting\n");
  write("refused.graph",
        "graph g\ninput x: f32[4, 4]\ninput y: f32[4, 4]\na = exp(x)\n"
        "b = add(a, y)\nc = relu(b)\noutput c\n");
  write("bad.yaml", "kernels:\n  - kernel: \"*\"\n    vector: {rows: 99}\n");
  const Outcome refused = dvmsim(
      "reduce refused.graph --exit 2 --message 'but there are' --schedule bad.yaml -o e.graph");
  ASSERT_EQ(refused.code, 0) << refused.err;
  EXPECT_NE(refused.out.find("e.graph: 1 node"), std::string::npos) << refused.out;
}

TEST_F(Explain, reduce_asks_one_question) {
  for (const std::string words :
       {"", "--check eval --fault", "--fault --tolerance 1", "--check eval --message x",
        "--if launches", "--fault --input x=a"}) {
    const Outcome outcome = dvmsim("reduce net.graph " + words);
    EXPECT_EQ(outcome.code, 2) << words;
    EXPECT_NE(outcome.err, "") << words;
  }
}

}  // namespace
}  // namespace dvmsim
