// What the passes did to a graph, and how long that took: a listener of the pipeline.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "compiler/pass/pipeline.h"

namespace dvmsim {

class PassReport {
 public:
  /// `bodies`: keep the text of the graph after each pass that changed it. It outlives the
  /// observer.
  explicit PassReport(bool bodies) : bodies_(bodies) {}
  [[nodiscard]] PassObserver observer() {
    return [this](const PassStep& step) { add(step); };
  }
  /// Something beside the passes that took time.
  void add_time(std::string name, std::chrono::nanoseconds time) {
    rows_.push_back({std::move(name), 0, 0, false, true, time, {}});
  }

  /// A row a pass: did it change the graph, and how many nodes were there before and after?
  [[nodiscard]] std::string table() const;
  /// The same, the graph's text below each pass that changed it.
  [[nodiscard]] std::string changes() const;
  /// Measured, so never the same twice.
  [[nodiscard]] std::string times() const;

 private:
  struct Row {
    std::string pass{};
    std::size_t before = 0, after = 0;
    bool changed = false, timed_only = false;
    std::chrono::nanoseconds time{};
    std::string body{};
  };
  void add(const PassStep& step);

  bool bodies_;
  std::vector<Row> rows_{};
};

}  // namespace dvmsim
