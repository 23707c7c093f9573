// ONNX operators that dvmsim refuses, and why.
#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

void random(Lower& l) {
  l.fail(
      "draws random numbers, and a run would not give the same result twice; make them an input");
}

void text(Lower& l) {
  l.fail("works on strings, which the machine has not; do it before the model");
}

void sequence(Lower& l) {
  l.fail("works on sequences or optional values; export the model with tensors only");
}

void unique(Lower& l) {
  l.fail("the shape of its result depends on data; do it before or after the model");
}

constexpr Entry kTable[] = {
    {"Bernoulli", random},
    {"ConcatFromSequence", sequence},
    {"Multinomial", random},
    {"Optional", sequence},
    {"OptionalGetElement", sequence},
    {"OptionalHasElement", sequence},
    {"RandomNormal", random},
    {"RandomNormalLike", random},
    {"RandomUniform", random},
    {"RandomUniformLike", random},
    {"RegexFullMatch", text},
    {"SequenceAt", sequence},
    {"SequenceConstruct", sequence},
    {"SequenceEmpty", sequence},
    {"SequenceErase", sequence},
    {"SequenceInsert", sequence},
    {"SequenceLength", sequence},
    {"SequenceMap", sequence},
    {"SplitToSequence", sequence},
    {"StringConcat", text},
    {"StringNormalizer", text},
    {"StringSplit", text},
    {"Unique", unique},
};

}  // namespace

std::span<const Entry> refused_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
