#include "cli/workers.h"

#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <vector>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

/// The next case to take, shared by all workers.
class SharedCounter {
 public:
  SharedCounter() {
    void* memory = mmap(nullptr, sizeof(std::atomic<std::size_t>), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw Error("--jobs: no shared memory; use --jobs 1");
    next_ = new (memory) std::atomic<std::size_t>(0);
  }
  SharedCounter(const SharedCounter&) = delete;
  SharedCounter& operator=(const SharedCounter&) = delete;
  ~SharedCounter() { munmap(next_, sizeof(*next_)); }
  std::size_t take() { return next_->fetch_add(1); }

 private:
  std::atomic<std::size_t>* next_ = nullptr;
};

// A message: index 8, size 8, text. A size of kBegun announces that the case begins.
constexpr std::uint64_t kBegun = ~std::uint64_t{0};

bool send_all(int pipe, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = write(pipe, data, size);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}
bool send_message(int pipe, std::uint64_t index, std::uint64_t size, const std::string& text) {
  const std::uint64_t head[] = {index, size};
  return send_all(pipe, reinterpret_cast<const char*>(head), sizeof(head)) &&
         send_all(pipe, text.data(), text.size());
}

struct Worker {
  pid_t process = -1;
  int pipe = -1;
  std::string received{};
  std::uint64_t running = kBegun;  // index; kBegun: none
};

[[noreturn]] void work(std::size_t count, const Work& tasks, int pipe, SharedCounter& counter) {
  for (std::size_t i = counter.take(); i < count; i = counter.take()) {
    if (!send_message(pipe, i, kBegun, "")) break;
    const std::string text = tasks.task(i);
    if (!send_message(pipe, i, text.size(), text)) break;
  }
  _exit(0);
}

Worker start(std::size_t count, const Work& tasks, SharedCounter& counter) {
  int ends[2] = {-1, -1};
  if (pipe(ends) != 0) throw Error("--jobs: no pipe to a worker; use fewer");
  const pid_t parent = getpid();
  const pid_t process = fork();
  if (process < 0) throw Error("--jobs: no worker could be started; use fewer");
  if (process == 0) {
    close(ends[0]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
    work(count, tasks, ends[1], counter);
  }
  close(ends[1]);
  return {process, ends[0], {}, kBegun};
}

/// Takes whole messages off what has been received.
template <class Take>
void take_messages(Worker& worker, Take&& take) {
  std::uint64_t head[2] = {};
  while (worker.received.size() >= sizeof(head)) {
    std::memcpy(head, worker.received.data(), sizeof(head));
    const std::size_t size = head[1] == kBegun ? 0 : static_cast<std::size_t>(head[1]);
    if (worker.received.size() < sizeof(head) + size) return;
    worker.running = head[1] == kBegun ? head[0] : kBegun;
    if (head[1] != kBegun) take(head[0], worker.received.substr(sizeof(head), size));
    worker.received.erase(0, sizeof(head) + size);
  }
}

/// Reads what the worker sent; false when it has ended.
bool receive(Worker& worker, const Work& work) {
  std::string buffer(1 << 16, '\0');
  const ssize_t size = read(worker.pipe, buffer.data(), buffer.size());
  if (size < 0 && errno == EINTR) return true;
  if (size <= 0) return false;
  worker.received.append(buffer, 0, static_cast<std::size_t>(size));
  take_messages(worker, [&](std::uint64_t index, const std::string& text) {
    work.done(static_cast<std::size_t>(index), text);
  });
  return true;
}

}  // namespace

void run_in_workers(std::size_t count, int jobs, const Work& work) {
  std::fflush(nullptr);
  SharedCounter counter;
  std::vector<Worker> workers;
  const auto wanted = std::min(static_cast<std::size_t>(jobs), count);
  while (workers.size() < wanted) workers.push_back(start(count, work, counter));
  while (!workers.empty()) {
    std::vector<pollfd> polls;
    for (const Worker& worker : workers) polls.push_back({worker.pipe, POLLIN, 0});
    if (poll(polls.data(), polls.size(), -1) < 0) continue;
    for (std::size_t i = workers.size(); i-- > 0;) {
      if (polls[i].revents == 0) continue;
      Worker& worker = workers[i];
      if (receive(worker, work)) continue;
      close(worker.pipe);
      int status = 0;
      waitpid(worker.process, &status, 0);
      const std::uint64_t lost = worker.running;
      workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(i));
      if (lost == kBegun) continue;
      work.lost(static_cast<std::size_t>(lost), status);
      workers.push_back(start(count, work, counter));  // takes over what is left
    }
  }
}

int worker_count(int jobs) {
  if (jobs > 0) return jobs;
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

}  // namespace dvmsim
