#include "cli/count_instructions.h"

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace dvmsim {
namespace {

[[noreturn]] void run_watched(const std::function<void()>& work) {
  if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(1);
  (void)raise(SIGSTOP);
  work();
  (void)raise(SIGSTOP);
  _exit(0);
}

/// Of everything between the two stops.
std::optional<std::int64_t> count_steps(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child < 0) return std::nullopt;
  if (child == 0) run_watched(work);
  std::int64_t steps = 0;
  int status = 0;
  bool stopped = waitpid(child, &status, 0) == child && WIFSTOPPED(status);
  while (stopped) {
    if (ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) break;
    stopped = waitpid(child, &status, 0) == child && WIFSTOPPED(status);
    if (!stopped || WSTOPSIG(status) != SIGTRAP) break;
    ++steps;
  }
  const bool whole = stopped && WSTOPSIG(status) == SIGSTOP;
  if (stopped) {
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
  }
  return whole ? std::optional(steps) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> count_instructions(const std::function<void()>& work) {
  const auto nothing = count_steps([] {}), all = count_steps(work);
  if (!nothing || !all) return std::nullopt;
  return *all - *nothing;
}

}  // namespace dvmsim
