// StrategyFigures as text and back: what workers send. Numbers bit by bit, texts with their length.
#include <bit>
#include <string>
#include <type_traits>

#include "cli/comparison/stream_measure.h"

namespace dvmsim {
namespace {

class Writer {
 public:
  void operator()(const std::string& text) {
    (*this)(static_cast<std::int64_t>(text.size()));
    text_ += text;
  }
  void operator()(double value) { (*this)(std::bit_cast<std::int64_t>(value)); }
  void operator()(int value) { (*this)(static_cast<std::int64_t>(value)); }
  void operator()(std::int64_t value) { text_ += std::to_string(value) + " "; }
  template <class Each>
  void list(std::vector<Each>& values, auto&& visit) {
    (*this)(static_cast<std::int64_t>(values.size()));
    for (Each& value : values) visit(*this, value);
  }
  template <class Value>
  bool some(std::optional<Value>& value) {
    (*this)(static_cast<int>(value.has_value()));
    return value.has_value();
  }
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  std::string text_{};
};

class Reader {
 public:
  explicit Reader(const std::string& text) : text_(text) {}
  void operator()(std::string& text) {
    const auto size = static_cast<std::size_t>(number());
    text = text_.substr(at_, size);
    at_ += size;
  }
  void operator()(double& value) { value = std::bit_cast<double>(number()); }
  void operator()(int& value) { value = static_cast<int>(number()); }
  void operator()(std::int64_t& value) { value = number(); }
  template <class Each>
  void list(std::vector<Each>& values, auto&& visit) {
    values.resize(static_cast<std::size_t>(number()));
    for (Each& value : values) visit(*this, value);
  }
  template <class Value>
  bool some(std::optional<Value>& value) {
    if (number() == 0) return false;
    value.emplace();
    return true;
  }

 private:
  std::int64_t number() {
    const std::size_t end = text_.find(' ', at_);
    const std::int64_t value = std::stoll(text_.substr(at_, end - at_));
    at_ = end + 1;
    return value;
  }
  const std::string& text_;
  std::size_t at_ = 0;
};

void visit(auto& archive, DeviceFigures& device) {
  for (std::int64_t* value :
       {&device.launches, &device.hbm_read_bytes, &device.hbm_write_bytes, &device.l2_hit_bytes}) {
    archive(*value);
  }
  archive.list(device.head_us, [](auto& each, auto& value) { each(value); });
  for (double* value : {&device.body_us, &device.fixed_us, &device.memory_us, &device.ideal_us}) {
    archive(*value);
  }
  archive(device.bound);
  if (!archive.some(device.decode_us)) return;
  for (double& value : *device.decode_us) archive(value);
}

void visit(auto& archive, ShapeFigures& shape) {
  const auto plain = [](auto& each, auto& value) { each(value); };
  archive.list(shape.first_us, plain);
  archive.list(shape.again_us, plain);
  for (double* value : {&shape.device_us, &shape.compile_us, &shape.encode_us, &shape.dispatch_us,
                        &shape.ahead_us}) {
    archive(*value);
  }
  for (std::int64_t* value : {&shape.launches, &shape.elements, &shape.padded_elements,
                              &shape.operators.framework, &shape.operators.written}) {
    archive(*value);
  }
  if (archive.some(shape.device)) visit(archive, *shape.device);
  std::vector<std::pair<std::string, std::int64_t>> rerolled(shape.operators.rerolled.begin(),
                                                             shape.operators.rerolled.end());
  archive.list(rerolled, [](auto& each, auto& kind) {
    each(kind.first);
    each(kind.second);
  });
  shape.operators.rerolled = {rerolled.begin(), rerolled.end()};
}

void visit(auto& archive, StreamFigures& stream) {
  archive.list(stream.latency_us, [](auto& each, auto& value) { each(value); });
  for (double* value : {&stream.total_us, &stream.head_us, &stream.body_us,
                        &stream.exposed_compile_us, &stream.exposed_encode_us}) {
    archive(*value);
  }
}

void visit(auto& archive, StrategyFigures& figures) {
  const auto plain = [](auto& each, auto& value) { each(value); };
  archive(figures.name);
  archive(figures.strategy);
  archive.list(figures.features, plain);
  archive.list(figures.assumed, plain);
  archive(figures.refused);
  archive.list(figures.shapes, [](auto& each, auto& value) { visit(each, value); });
  archive.list(figures.streams, [](auto& each, auto& value) { visit(each, value); });
  archive(figures.code_bytes);
  archive(figures.ahead_us);
  if (!archive.some(figures.decode)) return;
  archive(figures.decode->shape);
  archive(figures.decode->free_us);
  for (double& value : figures.decode->exposed_us) archive(value);
}

}  // namespace

std::string StrategyFigures::to_text() const {
  StrategyFigures copy = *this;
  Writer writer;
  visit(writer, copy);
  return std::move(writer).text();
}

StrategyFigures StrategyFigures::from_text(const std::string& text) {
  StrategyFigures figures;
  Reader reader(text);
  visit(reader, figures);
  return figures;
}

}  // namespace dvmsim
