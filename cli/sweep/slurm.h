// A sweep on several machines: a Slurm job array whose tasks run a part each, and a job after it
// that collects. All of them share the folder of results.
#pragma once

#include <string>

namespace dvmsim {

struct SlurmJob {
  std::string program{}, study{}, folder{};  // as the tasks will open them: absolute
  int tasks = 1;
  int jobs = 0;          // workers of a task, and processors it asks for; 0: as Slurm gives it
  std::string sbatch{};  // further words of the user's
};

/// The scripts of the array and of the job that collects.
[[nodiscard]] std::string array_script(const SlurmJob& job);
[[nodiscard]] std::string collect_script(const SlurmJob& job);

/// Writes both into the folder, as array.sbatch and collect.sbatch, and submits them. Returns what
/// to tell the user. Throws Error if sbatch is not there or refuses.
[[nodiscard]] std::string submit(const SlurmJob& job);

}  // namespace dvmsim
