#include "traces/packets.h"

#include <protozero/pbf_writer.hpp>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;
constexpr std::uint32_t kFirstSequence = 1;  // events without one are dropped silently
constexpr int kProcessesOfLane = 10'000, kThreadsOfProcess = 100;
constexpr unsigned kLaneBit = 48;  // of a uuid

std::uint64_t number(auto id) {
  return static_cast<std::uint64_t>(id);
}

}  // namespace

using namespace perfetto;
using Writer = protozero::pbf_writer;

Packets::Packets(OutputFile& file, TraceLane lane) : file_(file), lane_(std::move(lane)) {
  buffer_.reserve(kBufferBytes + (64 << 10));
}

std::uint64_t Packets::uuid(std::uint64_t number) const {
  return number | static_cast<std::uint64_t>(lane_.number) << kLaneBit;
}

int Packets::process_number(int pid) const {
  return lane_.number * kProcessesOfLane + pid;
}

Packets::Table& Packets::table_of(Interned kind) {
  switch (kind) {
    case kCategories:
      return categories_;
    case kNames:
      return names_;
    case kArgNames:
      return args_;
    case kStrings:
      break;
  }
  return texts_;
}

std::uint64_t Packets::intern(Interned kind, std::string_view text) {
  Table& table = table_of(kind);
  const auto found = table.find(text);
  if (found != table.end()) return found->second;
  const std::uint64_t iid = table.size() + 1;
  table.emplace(text, iid);
  fresh_.push_back({kind, iid, std::string(text)});
  return iid;
}

void Packets::make_room() {
  if (buffer_.size() >= kBufferBytes) flush();
}

/// Strings interned since the last packet are defined in the packet that may use them first.
void Packets::write_packet(Packet field, std::string_view message, const Cycles* at) {
  Writer trace(buffer_);
  Writer packet(trace, kPacket);
  if (at != nullptr) packet.add_uint64(kTimestamp, static_cast<std::uint64_t>(at->count()));
  packet.add_uint32(kSequenceId, kFirstSequence + static_cast<std::uint32_t>(lane_.number));
  packet.add_uint32(kSequenceFlags, first_ ? kCleared | kNeedsState : kNeedsState);
  if (first_) packet.add_bool(kFirstPacket, true);
  first_ = false;
  packet.add_message(field, message.data(), message.size());
  if (fresh_.empty()) return;
  Writer interned(packet, kInternedData);
  for (const Fresh& fresh : fresh_) {
    Writer entry(interned, fresh.kind);
    entry.add_uint64(kIid, fresh.iid);
    entry.add_string(kText, fresh.text);
  }
  fresh_.clear();
}

void Packets::flush() {
  file_.write(buffer_);
  buffer_.clear();
}

void Packets::process(TrackId track, int pid, const std::string& name,
                      const std::string& description) {
  make_room();
  std::string message;
  Writer descriptor(message);
  descriptor.add_uint64(kUuid, uuid(number(track)));
  descriptor.add_string(kDescription, description);
  {
    Writer process(descriptor, kProcess);
    process.add_int32(kPid, process_number(pid));
    process.add_string(kProcessName, lane_.name.empty() ? name : lane_.name + ": " + name);
  }
  write_packet(kTrackDescriptor, message, nullptr);
}

void Packets::thread(TrackId track, int pid, int tid, const std::string& name) {
  make_room();
  std::string message;
  Writer descriptor(message);
  descriptor.add_uint64(kUuid, uuid(number(track)));
  {
    Writer thread(descriptor, kThread);
    thread.add_int32(kThreadPid, process_number(pid));
    thread.add_int32(kTid, lane_.number * kProcessesOfLane * kThreadsOfProcess + tid);
    thread.add_string(kThreadName, name);
  }
  write_packet(kTrackDescriptor, message, nullptr);
}

void Packets::counter(TrackId track, TrackId parent, const std::string& name,
                      const std::string& unit) {
  make_room();
  std::string message;
  Writer descriptor(message);
  descriptor.add_uint64(kUuid, uuid(number(track)));
  descriptor.add_uint64(kParent, uuid(number(parent)));
  descriptor.add_string(kTrackName, name);
  {
    Writer counter(descriptor, kCounterTrack);
    counter.add_string(kUnitName, unit);
  }
  write_packet(kTrackDescriptor, message, nullptr);
}

Packets::Event::Event(Packets& packets, EventType type, TrackId track, Cycles at)
    : packets_(packets), at_(at) {
  DVMSIM_ASSERT(!packets.event_open_, "one event lives at a time");
  packets.make_room();
  packets.event_open_ = true;
  packets.event_.clear();
  Writer event(packets.event_);
  event.add_enum(kType, type);
  event.add_uint64(kTrack, packets.uuid(number(track)));
}

Packets::Event::~Event() {
  packets_.write_packet(kTrackEvent, packets_.event_, &at_);
  packets_.event_open_ = false;
}

Packets::Event& Packets::Event::named(NameId name, CategoryId category) {
  Writer(packets_.event_).add_uint64(kCategoryIid, number(category));
  Writer(packets_.event_).add_uint64(kNameIid, number(name));
  return *this;
}

Packets::Event& Packets::Event::arg(ArgId name, std::int64_t value) {
  Writer event(packets_.event_);
  Writer annotation(event, kAnnotation);
  annotation.add_uint64(kArgNameIid, number(name));
  annotation.add_int64(kArgInt, value);
  return *this;
}

Packets::Event& Packets::Event::arg(ArgId name, TextId value) {
  Writer event(packets_.event_);
  Writer annotation(event, kAnnotation);
  annotation.add_uint64(kArgNameIid, number(name));
  annotation.add_uint64(kArgStringIid, number(value));
  return *this;
}

Packets::Event& Packets::Event::flow(FlowId id) {
  Writer(packets_.event_).add_fixed64(kFlow, packets_.uuid(number(id)));
  return *this;
}

Packets::Event& Packets::Event::terminating_flow(FlowId id) {
  Writer(packets_.event_).add_fixed64(kTerminatingFlow, packets_.uuid(number(id)));
  return *this;
}

void Packets::count(TrackId track, Cycles at, std::int64_t value) {
  Event event(*this, kCounter, track, at);
  Writer(event_).add_int64(kCounterValue, value);
}

void Packets::count(TrackId track, Cycles at, double value) {
  Event event(*this, kCounter, track, at);
  Writer(event_).add_double(kDoubleCounterValue, value);
}

}  // namespace dvmsim
