#include "cli/validation/pool.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <set>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

Outcome attempt(const Pool::Runner& runner, const Words& words) {
  try {
    return {runner(words), ""};
  } catch (const Error& error) {
    return {{}, error.what()};
  } catch (const std::bad_alloc&) {
    return {{}, "not enough memory"};
  }
}

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

[[noreturn]] void work(const std::vector<Words>& cases, const Pool::Runner& runner, int pipe,
                       SharedCounter& counter) {
  for (std::size_t i = counter.take(); i < cases.size(); i = counter.take()) {
    if (!send_message(pipe, i, kBegun, "")) break;
    const std::string text = to_text(attempt(runner, cases[i]));
    if (!send_message(pipe, i, text.size(), text)) break;
  }
  _exit(0);
}

Worker start(const std::vector<Words>& cases, const Pool::Runner& runner, SharedCounter& counter) {
  int ends[2] = {-1, -1};
  if (pipe(ends) != 0) throw Error("--jobs: no pipe to a worker; use fewer");
  const pid_t process = fork();
  if (process < 0) throw Error("--jobs: no worker could be started; use fewer");
  if (process == 0) {
    close(ends[0]);
    work(cases, runner, ends[1], counter);
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

}  // namespace

std::string to_text(const Outcome& outcome) {
  if (!outcome.error.empty()) return "error " + outcome.error;
  std::string text = "figures";
  for (const auto& [name, value] : outcome.figures) {
    text += " " + name + " " + std::to_string(std::bit_cast<std::uint64_t>(value));
  }
  return text;
}

Outcome outcome_of(const std::string& text) {
  if (text.starts_with("error ")) return {{}, text.substr(6)};
  Outcome outcome;
  std::size_t at = text.find(' ');
  const auto word = [&] {
    const std::size_t begin = at + 1;
    at = std::min(text.find(' ', begin), text.size());
    return text.substr(begin, at - begin);
  };
  while (at < text.size()) {
    const std::string name = word();
    outcome.figures[name] = std::bit_cast<double>(std::uint64_t{std::stoull(word())});
  }
  return outcome;
}

Pool::Pool(Runner runner, int jobs, Progress progress)
    : runner_(std::move(runner)), jobs_(jobs), progress_(std::move(progress)) {}

void Pool::run(const std::vector<Words>& cases) {
  std::vector<Words> wanted;
  std::set<Words> seen;
  for (const Words& words : cases) {
    if (!done_.contains(words) && seen.insert(words).second) wanted.push_back(words);
  }
  if (wanted.empty()) return;
  if (jobs_ == 0) return run_here(wanted);
  run_apart(wanted);
}

void Pool::run_here(const std::vector<Words>& cases) {
  for (std::size_t i = 0; i < cases.size(); ++i) {
    done_[cases[i]] = attempt(runner_, cases[i]);
    if (progress_) progress_(i + 1, cases.size());
  }
}

void Pool::run_apart(const std::vector<Words>& cases) {
  std::fflush(nullptr);
  SharedCounter counter;
  std::size_t finished = 0;
  const auto take = [&](std::uint64_t index, const std::string& text) {
    done_[cases[static_cast<std::size_t>(index)]] = outcome_of(text);
    if (progress_) progress_(++finished, cases.size());
  };
  std::vector<Worker> workers;
  const auto wanted = std::min<std::size_t>(static_cast<std::size_t>(jobs_), cases.size());
  while (workers.size() < wanted) workers.push_back(start(cases, runner_, counter));
  while (!workers.empty()) {
    std::vector<pollfd> polls;
    for (const Worker& worker : workers) polls.push_back({worker.pipe, POLLIN, 0});
    if (poll(polls.data(), polls.size(), -1) < 0) continue;
    for (std::size_t i = workers.size(); i-- > 0;) {
      if (polls[i].revents == 0) continue;
      Worker& worker = workers[i];
      std::string buffer(1 << 16, '\0');
      const ssize_t size = read(worker.pipe, buffer.data(), buffer.size());
      if (size > 0) {
        worker.received.append(buffer, 0, static_cast<std::size_t>(size));
        take_messages(worker, take);
        continue;
      }
      if (size < 0 && errno == EINTR) continue;
      close(worker.pipe);
      int status = 0;
      waitpid(worker.process, &status, 0);
      const std::uint64_t lost = worker.running;
      workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(i));
      if (lost == kBegun) continue;
      take(lost, to_text({{}, "the run was aborted; run it alone to see why"}));
      workers.push_back(start(cases, runner_, counter));  // takes over what is left
    }
  }
}

}  // namespace dvmsim
