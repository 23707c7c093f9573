#include "cli/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

void be_silent() {
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
}

/// A child that runs the program and writes to `output`, to nowhere if it is -1.
pid_t start(const std::string& program, const std::vector<std::string>& arguments, int output) {
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(output >= 0 ? output : nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
  execvp(program.c_str(), argv.data());
  _exit(127);
}

}  // namespace

std::optional<double> process_seconds(const std::string& program,
                                      const std::vector<std::string>& arguments) {
  std::optional<double> best;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = start(program, arguments, -1);
    int status = 0;
    rusage used{};
    if (child < 0 || wait4(child, &status, 0, &used) < 0 || status != 0) return std::nullopt;
    const double took = seconds(used.ru_utime) + seconds(used.ru_stime);
    if (!best || took < *best) best = took;
  }
  return best;
}

std::optional<std::string> process_output(const std::string& program,
                                          const std::vector<std::string>& arguments) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  const pid_t child = start(program, arguments, ends[1]);
  close(ends[1]);
  std::string text;
  char piece[4096];
  for (ssize_t got = 0; (got = read(ends[0], piece, sizeof piece)) > 0;) {
    text.append(piece, static_cast<std::size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) return std::nullopt;
  return text;
}

int child_code(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child < 0) throw Error("no process can be started");
  if (child == 0) {
    be_silent();
    _exit(work());
  }
  int status = 0;
  if (waitpid(child, &status, 0) < 0) throw Error("a process that was started is lost");
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int command_code(const std::string& command, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"sh", "-c", command + " \"$@\"", "sh"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return child_code([&] {
    execv("/bin/sh", argv.data());
    return 127;
  });
}

}  // namespace dvmsim
