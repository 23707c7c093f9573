#include "cli/sweep/slurm.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "cli/text/files.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

/// One word for a shell.
std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

std::string command_of(const SlurmJob& job) {
  return "exec " + quoted(job.program) + " sweep " + quoted(job.study) + " --output " +
         quoted(job.folder);
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + " ") {
    if (c != ' ') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  return words;
}

/// What the program prints. Throws Error if it cannot be run or fails; its own words are on stderr.
std::string output_of(std::vector<std::string> words) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) throw Error("--slurm: no pipe");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t process = fork();
  if (process == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t size = read(ends[0], buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    text.append(buffer, static_cast<std::size_t>(size));
  }
  close(ends[0]);
  int status = 0;
  if (process < 0 || waitpid(process, &status, 0) < 0 || status != 0) {
    const bool missing = WIFEXITED(status) && WEXITSTATUS(status) == 127;
    throw Error("--slurm: " + words[0] + (missing ? " is not there" : " refused"));
  }
  return text;
}

std::string submit_script(const SlurmJob& job, const std::string& script,
                          const std::string& after) {
  std::vector<std::string> words = {"sbatch", "--parsable"};
  if (!after.empty()) words.push_back("--dependency=afterany:" + after);
  for (std::string& word : words_of(job.sbatch)) words.push_back(std::move(word));
  words.push_back(job.folder + "/" + script);
  const std::string text = output_of(words);  // "12" or "12;cluster"
  return text.substr(0, text.find_first_of(";\n"));
}

}  // namespace

std::string array_script(const SlurmJob& job) {
  std::string text = fmt::format(
      "#!/bin/sh\n#SBATCH --job-name=dvmsim-sweep\n#SBATCH --array=0-{}\n"
      "#SBATCH --output={}/slurm-%A_%a.out\n",
      job.tasks - 1, job.folder);
  if (job.jobs > 0) text += fmt::format("#SBATCH --cpus-per-task={}\n", job.jobs);
  return text + command_of(job) +
         fmt::format(" --part \"$SLURM_ARRAY_TASK_ID/{}\" --jobs \"${{SLURM_CPUS_PER_TASK:-1}}\"\n",
                     job.tasks);
}

std::string collect_script(const SlurmJob& job) {
  return fmt::format(
             "#!/bin/sh\n#SBATCH --job-name=dvmsim-collect\n#SBATCH --output={}/summary.txt\n",
             job.folder) +
         command_of(job) + " --collect\n";
}

std::string submit(const SlurmJob& job) {
  write_file(job.folder + "/array.sbatch", array_script(job));
  write_file(job.folder + "/collect.sbatch", collect_script(job));
  const std::string by_hand =
      "; the scripts are " + job.folder + "/array.sbatch and collect.sbatch";
  try {
    const std::string array = submit_script(job, "array.sbatch", "");
    const std::string collect = submit_script(job, "collect.sbatch", array);
    return fmt::format(
        "submitted job {} of {} tasks, and job {} that collects their results in {}\n", array,
        job.tasks, collect, job.folder);
  } catch (const Error& error) {
    throw Error(error.what() + by_hand);
  }
}

}  // namespace dvmsim
