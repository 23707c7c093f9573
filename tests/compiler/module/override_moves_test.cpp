// Schedules of convolutions, windows and moves as a user decides: each field is obeyed, values stay
// what the evaluator says, nothing is unordered, and what cannot be is refused in words.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "compiler/graph/eval.h"
#include "compiler/runtime/session.h"
#include "tests/compiler/module/overridden.h"
#include "tests/support/random_graph.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"
#include "vm/isa/verify.h"

namespace dvmsim::testing {
namespace {

const std::string kConv =
    "input x: f16[2, 40, 30, 28]\nconst w: f16[96, 40, 3, 3] = random(1, 0.1)\n"
    "const b: f16[96] = random(2, 0.5)\nc = conv(x, w, b) {pads=[1, 1, 1, 1]}\noutput c\n";
const std::string kFinished =
    "input x: f16[2, 40, 30, 28]\nconst w: f16[96, 40, 3, 3] = random(1, 0.1)\n"
    "c = conv(x, w) {pads=[1, 1, 1, 1]}\nh = hard_swish(c)\noutput h\n";
const std::string kPool =
    "input x: f16[2, 300, 28, 24]\n"
    "p = max_pool(x) {kernel=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1]}\noutput p\n";
const std::string kDepthwise =
    "input x: f16[1, 160, 28, 24]\nconst w: f16[160, 1, 3, 3] = random(3, 0.5)\n"
    "d = conv(x, w) {pads=[1, 1, 1, 1], groups=160}\noutput d\n";
const std::string kTurned =
    "input x: f16[6, 300, 400]\nt = transpose(x) {perm=[0, 2, 1]}\noutput t\n";
const std::string kRuns = "input x: f32[50, 40, 60]\nt = transpose(x) {perm=[1, 0, 2]}\noutput t\n";
const std::string kPadded = "input x: f16[30, 70]\np = pad(x) {pads=[2, 3, 4, 5]}\noutput p\n";
const std::string kJoined =
    "input x: f16[64, 96]\ninput y: f16[64, 32]\nj = concat(x, y) {axis=1}\noutput j\n";
const std::string kRows =
    "input x: f32[90, 500]\ninput i: i64[70]\ng = gather(x, i) {axis=0}\noutput g\n";
const std::string kElements =
    "input x: f32[90, 500]\ninput i: i64[70]\ng = gather(x, i) {axis=1}\noutput g\n";

std::map<std::string, Tensor> inputs_of(const Graph& graph) {
  std::map<std::string, Tensor> inputs;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    inputs[value.name] = filled(value.type.dtype, resolve(*value.type.shape, {}),
                                {Fill::Kind::Random, 7, is_float(value.type.dtype) ? 1.0 : 40.0});
  }
  return inputs;
}

/// Runs on the reference device what was decided, and compares with the evaluator.
void expect_right(const Graph& graph, ScheduleOverrides& overrides) {
  const auto inputs = inputs_of(graph);
  const std::vector<Tensor> wanted = evaluate(graph, inputs);
  Reference device(machine());
  HazardChecker hazards(machine());
  device.listen_order(&hazards);
  SessionOptions options;
  options.overrides = &overrides;
  Session session(graph, machine(), device, options);
  for (const Program& program : session.module_for({}).programs) {
    isa::check(program, machine(), "");
  }
  const RunResult result = session.run({}, inputs);
  ASSERT_FALSE(result.fault) << result.fault.text;
  for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
  ASSERT_EQ(result.outputs.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::vector<float> a = result.outputs[i].floats(), b = wanted[i].floats();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t k = 0; k < a.size(); ++k) {
      ASSERT_NEAR(a[k], b[k], 2e-2 * (1 + std::abs(b[k]))) << "output " << i << " element " << k;
    }
  }
}

/// The decision with every choice of the kind as said; right and repeatable.
template <class Choice>
Choice decided(const std::string& lines, const Choice& choice) {
  ScheduleOverrides overrides = said("*", choice);
  const Graph graph = graph_of(lines);
  const Compiled made = compiled(graph, overrides);
  expect_right(graph, overrides);
  EXPECT_FALSE(overrides.unused().has_value()) << *overrides.unused();
  const Compiled again = compiled(lines, as_overrides(made.decisions));
  EXPECT_EQ(save(again.module), save(made.module));
  return made.first<Choice>();
}

TEST(MoveOverride, that_repeats_the_compiler_gives_its_module) {
  for (const std::string& lines :
       {kConv, kFinished, kPool, kDepthwise, kTurned, kRuns, kPadded, kJoined, kRows, kElements}) {
    for (const Features features : {Features{}, Features::all()}) {
      CompileOptions options;
      options.features = features;
      const Compiled plain = compiled(lines, {}, options);
      EXPECT_FALSE(plain.decisions.empty());
      EXPECT_EQ(save(plain.module), save(compile(graph_of(lines), machine(), options)));
      ScheduleOverrides own = as_overrides(plain.decisions);
      const Compiled again = compiled(graph_of(lines), own, options);
      EXPECT_EQ(save(again.module), save(plain.module)) << lines;
      EXPECT_FALSE(own.unused().has_value()) << *own.unused();
    }
  }
}

TEST(ConvOverride, sets_every_field) {
  for (const std::string& lines : {kConv, kFinished}) {
    const auto with = [&](const ConvChoice& choice) { return decided(lines, choice); };
    EXPECT_EQ(with({.m = 80}).m, 80);
    EXPECT_EQ(with({.n = 32}).n, 32);
    EXPECT_EQ(with({.c = 16}).c, 16);
    EXPECT_EQ(with({.resident = true}).resident, true);
    EXPECT_EQ(with({.resident = false}).resident, false);
    EXPECT_EQ(with({.m = 64, .n = 32, .visit = isa::Swizzle::DiagonalN, .width = 2}).visit,
              isa::Swizzle::DiagonalN);
    EXPECT_EQ(with({.cores = 3}).cores, 3);
  }
  EXPECT_EQ(decided<ConvChoice>(kConv, {.by_row = true}).by_row, true);
}

TEST(WindowOverride, sets_every_field) {
  for (const std::string& lines : {kPool, kDepthwise}) {
    const auto with = [&](const WindowChoice& choice) { return decided(lines, choice); };
    EXPECT_EQ(with({.rows = 5}).rows, 5);
    EXPECT_EQ(with({.columns = 10}).columns, 10);
    EXPECT_EQ(with({.channels = 48}).channels, 48);
    EXPECT_EQ(with({.channels = 50}).channels, 50) << "no whole blocks";
    EXPECT_EQ(with({.cores = 3}).cores, 3);
    EXPECT_EQ(with({.code = 4096}).code, 4096);
  }
  EXPECT_EQ(decided<WindowChoice>(kDepthwise, {.columns = 12, .repeat = 3}).repeat, 3);
}

/// Of every window tile that chance makes: those that are taken are right.
TEST(WindowOverride, any_tile_that_is_taken_is_right) {
  std::mt19937_64 random(11);
  const auto pick = [&](int most) {
    return 1 + static_cast<int>(random() % static_cast<std::uint64_t>(most));
  };
  int taken = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const int channels = pick(200), height = 7 + pick(20), width = 7 + pick(20), stride = pick(2);
    const bool weighted = trial % 3 == 0;
    const std::string where = fmt::format("pads=[1, 1, 1, 1], strides=[{}, {}], dilations=[{}, 1]",
                                          stride, pick(2), pick(2));
    std::string lines =
        fmt::format("input x: f16[{}, {}, {}, {}]\n", pick(2), channels, height, width);
    lines += weighted ? fmt::format(
                            "const w: f16[{0}, 1, 3, 3] = random(3, 0.5)\n"
                            "p = conv(x, w) {{{1}, groups={0}}}\noutput p\n",
                            channels, where)
                      : fmt::format("p = max_pool(x) {{kernel=[3, 3], {}}}\noutput p\n", where);
    WindowChoice choice;
    choice.rows = pick(height);
    choice.columns = pick(width);
    if (trial % 2 == 0) choice.channels = pick(channels);
    ScheduleOverrides own = said("*", choice);
    const Graph graph = graph_of(lines);
    try {
      (void)compiled(graph, own);
    } catch (const Error& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with("my.yaml:3: ")) << error.what();
      continue;
    }
    SCOPED_TRACE(lines);
    expect_right(graph, own);
    ++taken;
  }
  EXPECT_GT(taken, 15);
}

using Tiles = std::vector<std::vector<std::int64_t>>;

TEST(CopyOverride, sets_every_field) {
  EXPECT_EQ(decided<CopyChoice>(kTurned, {.tile = Tiles{{1, 40, 72}}}).tile, (Tiles{{1, 40, 72}}));
  EXPECT_EQ(decided<CopyChoice>(kRuns, {.tile = Tiles{{3, 7, 50}}}).tile, (Tiles{{3, 7, 50}}));
  EXPECT_EQ(decided<CopyChoice>(kRows, {.tile = Tiles{{1, 1, 99}}}).tile, (Tiles{{1, 1, 99}}));
  EXPECT_EQ(decided<CopyChoice>(kElements, {.tile = Tiles{{5, 33}}}).tile, (Tiles{{5, 33}}));
  for (const std::string& lines : {kTurned, kRuns, kRows}) {
    for (int turns = 1; turns <= 7; ++turns) {
      EXPECT_EQ(decided<CopyChoice>(lines, {.turns = std::vector{turns}}).turns,
                std::vector{turns});
    }
    EXPECT_EQ(decided<CopyChoice>(lines, {.cores = 5}).cores, 5);
  }
  EXPECT_EQ(decided<CopyChoice>(kElements, {.cores = 5}).cores, 5);
}

TEST(CopyOverride, of_several_boxes_says_one_for_all_or_one_for_each) {
  const auto both = decided<CopyChoice>(kJoined, {.tile = Tiles{{4, 20}}, .turns = {{2}}});
  EXPECT_EQ(both.tile, (Tiles{{4, 20}})) << "what is the same is said once";
  const auto each =
      decided<CopyChoice>(kJoined, {.tile = Tiles{{4, 20}, {8, 32}}, .turns = {{1, 3}}});
  EXPECT_EQ(each.tile, (Tiles{{4, 20}, {8, 32}}));
  EXPECT_EQ(each.turns, (std::vector{1, 3}));
}

/// Of every copy tile that chance makes: those that are taken are right.
TEST(CopyOverride, any_tile_that_is_taken_is_right) {
  std::mt19937_64 random(5);
  const auto pick = [&](std::int64_t most) {
    return 1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most));
  };
  int taken = 0;
  for (std::uint64_t seed = 0; seed < 80; ++seed) {
    const Graph graph = random_moves(seed).graph;
    ScheduleOverrides none;
    ScheduleOverrides own = as_overrides(compiled(graph, none).decisions);
    for (KernelOverride& entry : own.kernels) {
      auto* choice = std::get_if<CopyChoice>(&entry.choice);
      if (choice == nullptr) continue;
      for (auto& tile : *choice->tile) {
        for (std::int64_t& side : tile) side = pick(2 * side);
      }
      for (int& turns : *choice->turns) turns = static_cast<int>(pick(3));
      choice->cores.reset();
    }
    try {
      (void)compiled(graph, own);
    } catch (const Error& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with("own: ")) << error.what();
      continue;
    }
    SCOPED_TRACE("seed " + std::to_string(seed));
    expect_right(graph, own);
    ++taken;
  }
  EXPECT_GT(taken, 25);
}

template <class Choice>
void expect_refused(const std::string& lines, const Choice& choice, const std::string& why,
                    const std::string& own) {
  const std::string error = error_of(lines, said("*", choice));
  EXPECT_TRUE(error.starts_with("my.yaml:3: ")) << error;
  EXPECT_NE(error.find(why), std::string::npos) << error;
  EXPECT_NE(error.find("; the compiler has " + own), std::string::npos) << error;
}

TEST(ConvOverride, that_is_not_legal_says_what_the_compiler_has) {
  const auto refused = [](const ConvChoice& choice, const std::string& why) {
    expect_refused(kConv, choice, why, "m: ");
  };
  refused({.m = 40}, "convolution 'c': m: 40 is no multiple of 16");
  refused({.n = 8}, "n: 8 is no multiple of 16");
  refused({.c = 24}, "c: 24 is no multiple of 16");
  refused({.m = 512, .n = 128}, "a tile does not fit L0C");
  refused({.m = 2048, .n = 16, .c = 48, .resident = true}, "a part does not fit");
  refused({.cores = 25}, "cores: 25 of 24 cube cores");
  refused({.m = 1024, .n = 96, .cores = 24}, "does not fit L0C");
  refused({.m = 256, .n = 96, .cores = 20}, "cores: 20, but there are 8 tiles");
  refused({.m = 256, .width = 90}, "width: 90, but the longer side has ");
  EXPECT_NE(error_of(kFinished, said("*", ConvChoice{.by_row = true})).find("by_row: false"),
            std::string::npos);
}

TEST(WindowOverride, that_is_not_legal_says_what_the_compiler_has) {
  const auto refused = [](const WindowChoice& choice, const std::string& why) {
    expect_refused(kPool, choice, why, "rows: ");
  };
  refused({.rows = 29}, "pool or depthwise convolution 'p': rows: 29 of 28");
  refused({.columns = 25}, "columns: 25 of 24");
  refused({.channels = 301}, "channels: 301 of 300");
  refused({.cores = 49}, "cores: 49 of 48");
  refused({.repeat = 2}, "only weights of neighbouring windows repeat");
  refused({.rows = 28, .columns = 24, .channels = 300, .cores = 4}, "at most 2 tiles");
  refused({.rows = 28, .columns = 24, .channels = 300}, "no tile like that fits UB");
  refused({.code = 8}, "no tile like that fits UB");
  expect_refused(kDepthwise, WindowChoice{.columns = 10, .repeat = 3}, "does not divide 10 columns",
                 "rows: ");
}

TEST(CopyOverride, that_is_not_legal_says_what_the_compiler_has) {
  const auto refused = [](const std::string& lines, const CopyChoice& choice,
                          const std::string& why) {
    expect_refused(lines, choice, why, "tile: [");
  };
  refused(kTurned, {.tile = Tiles{{2, 40, 72}}},
          "copy or gather 't': tile: [2, 40, 72], but at most [1, 400, 300]");
  refused(kTurned, {.tile = Tiles{{40, 72}}}, "tile: [40, 72], but at most [1, 400, 300]");
  refused(kTurned, {.tile = Tiles{{1, 400, 300}}}, "of UB's 196608");
  refused(kTurned, {.turns = std::vector{8}}, "turns: 8, but at most 7");
  refused(kTurned, {.cores = 49}, "cores: 49 of 48 vector cores");
  refused(kRuns, {.tile = Tiles{{40, 10, 60}}, .cores = 6}, "cores: 6, but there are 5 tiles");
  refused(kJoined, {.tile = Tiles{{1, 1}, {1, 1}, {1, 1}}},
          "3 of them, but the kernel has 2 boxes");
  refused(kJoined, {.tile = Tiles{{64, 96}}}, "box 1: tile: [64, 96], but at most [64, 32]");
  refused(kPadded, {.turns = std::vector{2}}, "turns: 2, but at most 1");
  refused(kRows, {.tile = Tiles{{1, 2, 500}}}, "but at most [1, 1, 500]");
  refused(kElements, {.turns = std::vector{2}}, "turns: 2, but at most 1");
}

TEST(MoveOverride, that_names_no_kernel_of_its_kind_is_told) {
  ScheduleOverrides overrides = said("*", ConvChoice{.m = 16});
  (void)compiled(graph_of(kTurned), overrides);
  EXPECT_EQ(overrides.unused(),
            "my.yaml:3: no convolution is called '*'; compile --dump overrides lists them");
}

}  // namespace
}  // namespace dvmsim::testing
