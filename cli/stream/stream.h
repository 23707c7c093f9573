// A stream file: the inputs that a server would see one after another, as plain data. Owns the
// YAML form and what is refused; what a run of it is made of is run_stream.cpp.
//
//   seed: 7                          of every random size and input
//   state: {"*.keys_next": "*.keys"} output: the input of the next step; * is the same text in both
//   initial: {past: 0}               sizes of the state before the first step; it is zeros then
//   steps:
//     - repeat: 1000
//       dims: {batch: 1, width: 48..320 by 8, length: [1, 7, 64]}    random, or one after another
//     - shapes: {x: 1x3x48x48..320}
//       inputs: {x: picture.npy}     beside the stream file; the others are random
//       seed: 3                      the same random inputs in every repetition
//       fresh: true                  forget the state before each repetition
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cli/options/options.h"

namespace dvmsim {

/// A size, or how each repetition draws one.
struct StreamSize {
  std::vector<std::int64_t> values{};        // one after another; one value: fixed
  std::int64_t first = 0, last = 0, by = 0;  // by > 0: uniformly among first, first + by ... last
};

struct StreamGroup {
  int line = 0;
  std::int64_t repeat = 1;
  std::vector<std::pair<std::string, StreamSize>> dims{};
  std::vector<std::pair<std::string, std::vector<StreamSize>>> shapes{};
  Named inputs{};          // paths as they are to be opened
  std::int64_t seed = -1;  // none: another for every step
  bool fresh = false;
};

struct Stream {
  std::string file{};
  std::int64_t seed = 1;
  Named state{};  // output and input, perhaps with a * each
  std::vector<std::pair<std::string, std::int64_t>> initial{};
  std::vector<StreamGroup> groups{};
};

/// One run of the model.
struct StreamStep {
  const StreamGroup* group = nullptr;
  std::vector<std::pair<std::string, std::int64_t>> dims{};
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> shapes{};
  std::int64_t seed = 0;  // of its random inputs
};

/// Throws Error beginning with file and line.
[[nodiscard]] Stream load_stream(const std::string& path);
[[nodiscard]] Stream parse_stream(const std::string& text, const std::string& file);
/// All runs in order: the same file gives the same list on every machine.
[[nodiscard]] std::vector<StreamStep> steps_of(const Stream& stream);
/// State with every * replaced: pairs of an output and an input the model has. Throws Error.
[[nodiscard]] Named state_of(const Stream& stream, const std::vector<std::string>& outputs,
                             const std::vector<std::string>& inputs);

}  // namespace dvmsim
