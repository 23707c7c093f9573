#include "cli/workers.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>

namespace dvmsim {
namespace {

struct Seen {
  std::map<std::size_t, std::string> done{};
  std::map<std::size_t, int> lost{};
};

Seen run(std::size_t count, int jobs, std::function<std::string(std::size_t)> task) {
  Seen seen;
  Work work;
  work.task = std::move(task);
  work.done = [&](std::size_t index, const std::string& text) {
    EXPECT_TRUE(seen.done.emplace(index, text).second) << index << " twice";
  };
  work.lost = [&](std::size_t index, int status) { seen.lost[index] = status; };
  run_in_workers(count, jobs, work);
  return seen;
}

TEST(Workers, each_task_is_done_once_in_another_process) {
  const pid_t here = getpid();
  for (const int jobs : {1, 3, 40}) {
    const Seen seen = run(20, jobs, [here](std::size_t index) {
      return getpid() == here ? "here" : std::string(index * 10'000, 'x');
    });
    ASSERT_EQ(seen.done.size(), 20u);
    for (const auto& [index, text] : seen.done) EXPECT_EQ(text.size(), index * 10'000);
  }
  EXPECT_TRUE(run(0, 2, [](std::size_t) { return ""; }).done.empty());
}

TEST(Workers, a_task_that_ends_its_process_is_lost_alone) {
  const Seen seen = run(10, 2, [](std::size_t index) -> std::string {
    if (index == 3) std::abort();
    if (index == 5) kill(getpid(), SIGKILL);
    if (index == 9) _exit(4);
    return "good";
  });
  EXPECT_EQ(seen.done.size(), 7u);
  ASSERT_EQ(seen.lost.size(), 3u);
  EXPECT_EQ(WTERMSIG(seen.lost.at(3)), SIGABRT);
  EXPECT_EQ(WTERMSIG(seen.lost.at(5)), SIGKILL);
  EXPECT_EQ(WEXITSTATUS(seen.lost.at(9)), 4);
}

}  // namespace
}  // namespace dvmsim
