// Perfetto's TrackEvent packets on one sequence: interning, track descriptors, events with
// arguments. Owns the encoding and nothing of what is traced. A time stamp is a cycle.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "traces/output.h"
#include "vm/base/strong.h"

namespace dvmsim {

/// Field numbers of Perfetto's trace format that the writer and the checker use.
namespace perfetto {
enum Trace : std::uint32_t { kPacket = 1 };
enum Packet : std::uint32_t {
  kTimestamp = 8,
  kSequenceId = 10,
  kTrackEvent = 11,
  kInternedData = 12,
  kSequenceFlags = 13,
  kTrackDescriptor = 60,
  kFirstPacket = 87,
};
enum SequenceFlags : std::uint32_t { kCleared = 1, kNeedsState = 2 };
enum EventField : std::uint32_t {
  kCategoryIid = 3,
  kAnnotation = 4,
  kType = 9,
  kNameIid = 10,
  kTrack = 11,
  kCounterValue = 30,
  kDoubleCounterValue = 44,
  kFlow = 47,
  kTerminatingFlow = 48,
};
enum EventType : std::int32_t { kBegin = 1, kEnd = 2, kInstant = 3, kCounter = 4 };
enum AnnotationField : std::uint32_t { kArgNameIid = 1, kArgInt = 4, kArgStringIid = 17 };
enum Interned : std::uint32_t { kCategories = 1, kNames = 2, kArgNames = 3, kStrings = 29 };
enum InternedString : std::uint32_t { kIid = 1, kText = 2 };
enum Descriptor : std::uint32_t {
  kUuid = 1,
  kTrackName = 2,
  kProcess = 3,
  kThread = 4,
  kParent = 5,
  kCounterTrack = 8,
  kDescription = 14,
};
enum ProcessField : std::uint32_t { kPid = 1, kProcessName = 6 };
enum ThreadField : std::uint32_t { kThreadPid = 1, kTid = 2, kThreadName = 5 };
enum CounterField : std::uint32_t { kUnitName = 6 };
}  // namespace perfetto

/// Number of an interned string, unique within its kind.
enum class NameId : std::uint64_t {};
enum class CategoryId : std::uint64_t {};
enum class ArgId : std::uint64_t {};
enum class TextId : std::uint64_t {};
enum class TrackId : std::uint64_t {};
enum class FlowId : std::uint64_t {};

/// One of several traces in a file: its tracks, processes and sequence are its own.
struct TraceLane {
  int number = 0;      // a file has each once
  std::string name{};  // before the names of its processes; empty: the only one
};

class Packets {
 public:
  /// The file outlives the packets; nothing is in it for certain before flush.
  explicit Packets(OutputFile& file, TraceLane lane = {});

  NameId name(std::string_view text) { return NameId{intern(perfetto::kNames, text)}; }
  CategoryId category(std::string_view text) {
    return CategoryId{intern(perfetto::kCategories, text)};
  }
  ArgId arg(std::string_view text) { return ArgId{intern(perfetto::kArgNames, text)}; }
  TextId text(std::string_view text) { return TextId{intern(perfetto::kStrings, text)}; }

  void process(TrackId track, int pid, const std::string& name, const std::string& description);
  void thread(TrackId track, int pid, int tid, const std::string& name);
  void counter(TrackId track, TrackId parent, const std::string& name, const std::string& unit);

  /// One event, written when the object goes; intern its strings before it is made or while it
  /// lives.
  class Event {
   public:
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event();
    Event& named(NameId name, CategoryId category);
    Event& arg(ArgId name, std::int64_t value);
    Event& arg(ArgId name, TextId value);
    Event& flow(FlowId id);              // leaves here
    Event& terminating_flow(FlowId id);  // arrives here

   private:
    friend class Packets;
    Event(Packets& packets, perfetto::EventType type, TrackId track, Cycles at);
    Packets& packets_;
    Cycles at_;
  };
  [[nodiscard]] Event begin(TrackId track, Cycles at) {
    return {*this, perfetto::kBegin, track, at};
  }
  Event end(TrackId track, Cycles at) { return {*this, perfetto::kEnd, track, at}; }
  [[nodiscard]] Event instant(TrackId track, Cycles at) {
    return {*this, perfetto::kInstant, track, at};
  }
  void count(TrackId track, Cycles at, std::int64_t value);
  void count(TrackId track, Cycles at, double value);

  void flush();

 private:
  using Table = std::map<std::string, std::uint64_t, std::less<>>;

  /// Of a track or a flow, in the file.
  [[nodiscard]] std::uint64_t uuid(std::uint64_t number) const;
  [[nodiscard]] int process_number(int pid) const;
  std::uint64_t intern(perfetto::Interned kind, std::string_view text);
  Table& table_of(perfetto::Interned kind);
  /// Before a packet: writing may fail and destructors may not, so room is made first.
  void make_room();
  void write_packet(perfetto::Packet field, std::string_view message, const Cycles* at);

  OutputFile& file_;
  TraceLane lane_;
  std::string buffer_{};
  std::string event_{};  // the fields of the event that is open
  bool event_open_ = false;
  bool first_ = true;
  Table names_{}, categories_{}, args_{}, texts_{};
  struct Fresh {
    perfetto::Interned kind;
    std::uint64_t iid;
    std::string text;
  };
  std::vector<Fresh> fresh_{};  // interned, not yet in the file
};

}  // namespace dvmsim
