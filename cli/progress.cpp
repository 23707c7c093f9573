#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace dvmsim {
namespace {

constexpr auto kBetweenDraws = std::chrono::milliseconds(100);
constexpr double kQuiet = 0.5;  // seconds: short runs show nothing
constexpr std::uint32_t kSpansBetweenLooks = 1u << 14;

std::size_t columns() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole < 100) return fmt::format("{} s", whole);
  if (whole < 6000) return fmt::format("{} min", (whole + 30) / 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string bar_text(const ProgressState& state, std::size_t width) {
  constexpr std::size_t kBar = 20;
  std::string text;
  if (state.total > 0) {
    const double share =
        std::min(1.0, static_cast<double>(state.done) / static_cast<double>(state.total));
    const auto filled = static_cast<std::size_t>(share * kBar);
    text = fmt::format("[{}{}] {:3.0f} %  ", std::string(filled, '#'),
                       std::string(kBar - filled, '.'), 100 * share);
  } else {
    text = fmt::format("{} done  ", state.done);
  }
  std::string end = state.cycle > 0 ? fmt::format("  cycle {}", state.cycle) : "";
  if (state.total > state.done && state.done > state.before) {
    const double each = state.seconds / static_cast<double>(state.done - state.before);
    end += fmt::format("  {} left",
                       duration_text(each * static_cast<double>(state.total - state.done)));
  }
  const std::size_t room = width > text.size() + end.size() ? width - text.size() - end.size() : 0;
  std::string label = state.label;
  if (label.size() > room) label = room > 3 ? label.substr(0, room - 3) + "..." : "";
  return (text + label + end).substr(0, width);
}

Progress::Progress() : terminal_(isatty(STDERR_FILENO) != 0), begin_(Clock::now()) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

Probes Progress::listeners() {
  return terminal_ ? Probes{this} : Probes{};
}

void Progress::expect(std::int64_t units, bool launches, std::int64_t before) {
  state_.total = units;
  state_.done = state_.before = before;
  launches_ = launches;
}

void Progress::step(const std::string& label) {
  ++state_.done;
  if (!label.empty()) state_.label = label;
  draw();
}

void Progress::on_launch_begin(const LaunchMark& mark, const Program&) {
  state_.label = mark.label;
  draw();
}

void Progress::on_launch_end(const LaunchMark& mark) {
  state_.cycle = mark.end.count();
  if (launches_) ++state_.done;
  draw();
}

void Progress::on_span(const Span& span) {
  if (!terminal_ || ++spans_ % kSpansBetweenLooks != 0) return;
  state_.cycle = span.end.count();
  draw();
}

void Progress::draw() {
  if (!terminal_) return;
  const auto now = Clock::now();
  state_.seconds = std::chrono::duration<double>(now - begin_).count();
  if (state_.seconds < kQuiet || now - drawn_ < kBetweenDraws) return;
  drawn_ = now;
  shown_ = true;
  fmt::print(stderr, "\r\033[K{}", bar_text(state_, columns() - 1));
}

}  // namespace dvmsim
