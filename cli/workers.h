// Tasks in worker processes: a task that aborts takes its worker along and nothing else, and
// workers end with the process that started them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace dvmsim {

struct Work {
  /// Called in a worker; throws nothing.
  std::function<std::string(std::size_t index)> task{};
  /// Called here as tasks finish, in no certain order.
  std::function<void(std::size_t index, const std::string& result)> done{};
  /// Called here for a task whose worker ended meanwhile; `status` is what waitpid says.
  std::function<void(std::size_t index, int status)> lost{};
};

/// Runs the tasks 0 to count - 1 in at most `jobs` processes at a time. Throws Error if there can
/// be no workers.
void run_in_workers(std::size_t count, int jobs, const Work& work);
/// As many as there are processors to run on, if `jobs` is 0.
[[nodiscard]] int worker_count(int jobs);

}  // namespace dvmsim
