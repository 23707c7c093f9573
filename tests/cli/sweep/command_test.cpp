// `dvmsim sweep` as a process: killed, resumed, in parts.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <thread>

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class SweepCommand : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    std::ofstream(folder_ / "s.yaml")
        << "axes:\n  ub.size: [1KiB, 64KiB, 192KiB]\n  hbm.peak: [0.5TB/s, 1TB/s, 2TB/s]\n"
           "workloads:\n  - {op: softmax, shapes: [nx2048], attrs: {axis: -1}, dims: {n: [64, "
           "2048]}}\nstrategies: [eager, dvm]\nmetrics: [task_us, host.launches]\n"
           "cost: {area: {unit: mm2, ub: {value: \"ub.size / 1KiB\", source: assumed}}}\n";
  }
  void TearDown() override { fs::remove_all(folder_); }

  pid_t start(const std::string& arguments) const {
    const std::string command = std::string("exec " DVMSIM_BINARY " sweep ") +
                                (folder_ / "s.yaml").string() + " " + arguments + " > " +
                                (folder_ / "out").string() + " 2> " + (folder_ / "err").string();
    const pid_t process = fork();
    if (process == 0) {
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    return process;
  }
  int run(const std::string& arguments) const {
    int status = 0;
    waitpid(start(arguments), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  [[nodiscard]] std::string in(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] std::string tables(const std::string& name) const {
    return contents(folder_ / name / "points.csv") + contents(folder_ / name / "sweep.json");
  }
  /// The keys of all results, in all logs.
  [[nodiscard]] std::multiset<std::string> keys(const std::string& name) const {
    std::multiset<std::string> keys;
    for (const auto& entry : fs::directory_iterator(folder_ / name)) {
      if (entry.path().extension() != ".log") continue;
      std::istringstream lines(contents(entry.path()));
      for (std::string line; std::getline(lines, line);) {
        if (!line.empty()) keys.insert(line.substr(0, line.find('\t')));
      }
    }
    return keys;
  }

  fs::path folder_;
};

TEST_F(SweepCommand, the_number_of_workers_changes_nothing) {
  ASSERT_EQ(run("--jobs 1 -o " + in("one")), 0) << contents(folder_ / "err");
  ASSERT_EQ(run("--jobs 3 -o " + in("three")), 0);
  EXPECT_EQ(tables("one"), tables("three"));
  EXPECT_NE(tables("one").find("36"), std::string::npos);
  EXPECT_NE(tables("one").find("no kernel can be made of it"), std::string::npos);
}

TEST_F(SweepCommand, killed_at_any_moment_it_goes_on_and_runs_nothing_twice) {
  ASSERT_EQ(run("-o " + in("whole")), 0);
  int kills = 0;
  for (int wait = 1; wait < 1000; wait += 7) {  // milliseconds until the kill
    const pid_t process = start("--jobs 2 -o " + in("killed"));
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + wait));
    kill(process, SIGKILL);
    int status = 0;
    waitpid(process, &status, 0);
    if (WIFEXITED(status)) break;
    ++kills;
  }
  ASSERT_EQ(run("--jobs 2 -o " + in("killed")), 0);
  EXPECT_EQ(tables("killed"), tables("whole"));
  const auto all = keys("killed");
  EXPECT_EQ(all.size(), 36u);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 36u);
  EXPECT_GT(kills, 0);
}

TEST_F(SweepCommand, a_torn_log_is_completed) {
  ASSERT_EQ(run("-o " + in("whole")), 0);
  fs::create_directories(folder_ / "torn");
  const std::string log = contents(folder_ / "whole" / "results.log");
  std::ofstream(folder_ / "torn" / "results.log") << log.substr(0, log.size() / 2);
  ASSERT_EQ(run("-o " + in("torn")), 0);
  EXPECT_EQ(tables("torn"), tables("whole"));
}

TEST_F(SweepCommand, parts_are_collected_to_the_same_bytes) {
  ASSERT_EQ(run("-o " + in("whole")), 0);
  ASSERT_EQ(run("--part 0/3 -o " + in("parts")), 0);
  ASSERT_EQ(run("--part 2/3 -o " + in("parts")), 0);
  EXPECT_FALSE(fs::exists(folder_ / "parts" / "points.csv"));
  EXPECT_EQ(run("--collect -o " + in("parts")), 1);  // a part is missing
  EXPECT_NE(contents(folder_ / "out").find("12 x missing: has not been run"), std::string::npos);
  ASSERT_EQ(run("--part 1/3 -o " + in("parts")), 0);
  ASSERT_EQ(run("--collect -o " + in("parts")), 0);
  EXPECT_EQ(tables("parts"), tables("whole"));
}

TEST_F(SweepCommand, an_edited_study_runs_only_what_is_new) {
  ASSERT_EQ(run("-o " + in("d")), 0);
  const auto before = keys("d");
  std::string study = contents(folder_ / "s.yaml");
  study.replace(study.find("2TB/s"), 5, "3TB/s");
  std::ofstream(folder_ / "s.yaml") << study;
  ASSERT_EQ(run("-o " + in("d")), 0);
  EXPECT_EQ(keys("d").size(), before.size() + 12);
}

TEST_F(SweepCommand, what_a_strategy_rests_on_is_said) {
  std::string study = contents(folder_ / "s.yaml");
  study.replace(study.find("[eager, dvm]"), 12, "[jit, dvm]");
  std::ofstream(folder_ / "s.yaml") << study;
  ASSERT_EQ(run("-o " + in("d")), 0) << contents(folder_ / "err");
  constexpr const char* kRests = "strategy jit rests on numbers without a source: jit.trace=5ms";
  EXPECT_NE(contents(folder_ / "out").find(kRests), std::string::npos);
  EXPECT_NE(contents(folder_ / "d" / "sweep.json").find(kRests), std::string::npos);
}

TEST_F(SweepCommand, constants_are_swept_and_say_who_wins) {
  std::ofstream(folder_ / "s.yaml")
      << "axes:\n  graph.infer: [0us, 1ms]\nstrategies: [graph, sink, eager]\n"
         "workloads: [{op: softmax, shapes: [64x256]}]\nmetrics: [e2e_us]\n";
  ASSERT_EQ(run("-o " + in("d")), 0) << contents(folder_ / "err");
  const std::string out = contents(folder_ / "out");
  EXPECT_NE(out.find("strategy graph rests on numbers without a source: graph.infer, varied here"),
            std::string::npos)
      << out;
  EXPECT_NE(out.find("least e2e_us: "), std::string::npos) << out;
  EXPECT_NE(out.find("1ms: eager 100 %"), std::string::npos) << out;
  EXPECT_EQ(keys("d").size(), 5u);  // eager does not infer
}

TEST_F(SweepCommand, a_stream_that_carries_state_is_a_point) {
  std::ofstream(folder_ / "g.graph")
      << "graph g\ndim past\ninput x: f32[1, 8]\ninput s: f32[past, 8]\n"
         "t = concat(s, x) {axis=0}\ny = reduce_sum(t) {axes=[0], keepdims=1}\n"
         "output y\noutput t as next\n";
  std::ofstream(folder_ / "g.stream")
      << "state: {next: s}\ninitial: {past: 2}\nsteps: [{repeat: 5}]\n";
  std::ofstream(folder_ / "s.yaml")
      << "strategies: [eager, dvm]\nworkloads: [{model: g.graph, trace: g.stream}]\n"
         "metrics: [e2e_us, host.launches, roofline.fraction]\n";
  ASSERT_EQ(run("-o " + in("d")), 0) << contents(folder_ / "err");
  const std::string csv = contents(folder_ / "d" / "points.csv");
  EXPECT_EQ(csv.find("refused"), std::string::npos) << csv;
  EXPECT_NE(csv.find(",10,"), std::string::npos) << csv;  // two launches a step
}

TEST_F(SweepCommand, two_sweeps_do_not_share_a_log) {
  fs::create_directories(folder_ / "d");
  const pid_t holder = fork();
  if (holder == 0) {
    const std::string command = "exec flock -x " + in("d/results.log") + " sleep 30";
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(run("-o " + in("d")), 2);
  EXPECT_NE(contents(folder_ / "err").find("another sweep is writing it"), std::string::npos);
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
}

TEST_F(SweepCommand, refuses_before_it_runs) {
  EXPECT_EQ(run("-o " + in("d") + " --part 3/3"), 2);
  EXPECT_EQ(run("-o " + in("d") + " --collect --slurm 2"), 2);
  EXPECT_EQ(run("-o " + in("d") + " --csv /nowhere/at/all.csv"), 2);
  std::ofstream(folder_ / "s.yaml") << "workloads: [{op: nonsense, shapes: [8]}]\n";
  EXPECT_EQ(run("-o " + in("d")), 2);
  EXPECT_NE(contents(folder_ / "err").find("s.yaml:1: op nonsense: no such operator"),
            std::string::npos)
      << contents(folder_ / "err");
  std::ofstream(folder_ / "s.yaml") << "strategies: [{strategy: eager, feature: +nonsense}]\n"
                                       "workloads: [{op: exp, shapes: [8]}]\n";
  EXPECT_EQ(run("-o " + in("d")), 2);
  EXPECT_NE(contents(folder_ / "err").find("s.yaml:1: --feature"), std::string::npos)
      << contents(folder_ / "err");
}

}  // namespace
}  // namespace dvmsim
