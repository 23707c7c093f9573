#include "traces/check.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <protozero/pbf_reader.hpp>
#include <set>
#include <utility>

#include "traces/packets.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

using namespace perfetto;
using Reader = protozero::pbf_reader;
constexpr std::size_t kMostErrors = 20;

struct Slice {
  std::int64_t begin = 0;
  std::string category{};
};

struct Track {
  std::string name{};
  bool counter = false;
  std::int64_t last = 0;
  std::vector<Slice> open{};
};

struct Event {
  std::int32_t type = 0;
  std::uint64_t track = 0;
  std::uint64_t name = 0, category = 0;
  bool counted = false;
  std::vector<std::uint64_t> flows{}, terminating{};
  std::vector<std::pair<std::uint64_t, std::uint64_t>> args{};  // name, string value or 0
};

struct Flow {
  int begins = 0, ends = 0;
  std::int64_t begin = 0, end = 0;
};

class Checker {
 public:
  TraceCheck take() && {
    for (const auto& [uuid, track] : tracks_) {
      if (!track.open.empty()) fail(track.name + ": a slice never ends");
    }
    for (const auto& [id, flow] : flows_) finish(id, flow);
    return std::move(result_);
  }

  void packet(Reader packet);
  void fail(const std::string& text) {
    if (result_.errors.size() < kMostErrors) {
      result_.errors.push_back(fmt::format("packet {}: {}", result_.packets, text));
    }
  }

 private:
  using Strings = std::map<std::uint32_t, std::map<std::uint64_t, std::string>>;  // by kind, iid
  Strings& interned() { return sequences_[sequence_]; }
  void intern(Reader data);
  void describe(Reader descriptor);
  Event read_event(Reader reader);
  void check_iids(const Event& event);
  void apply(const Event& event, std::int64_t at);
  void begin(const Event& event, Track& track, std::int64_t at);
  void end(Track& track, std::int64_t at);
  void count(const Event& event, Track& track, std::int64_t at);
  void finish(std::uint64_t id, const Flow& flow);

  TraceCheck result_{};
  std::map<std::uint64_t, Strings> sequences_{};
  std::uint64_t sequence_ = 0;  // of the packet
  std::map<std::uint64_t, Track> tracks_{};
  std::map<std::int32_t, std::string> processes_{};  // by pid
  std::map<std::uint64_t, Flow> flows_{};
};

void Checker::packet(Reader packet) {
  ++result_.packets;
  sequence_ = 0;
  std::uint64_t flags = 0;
  bool first = false;  // of its sequence
  std::int64_t at = 0;
  bool has_event = false;
  Event event;
  while (packet.next()) {
    switch (packet.tag()) {
      case kTimestamp:
        at = static_cast<std::int64_t>(packet.get_uint64());
        break;
      case kSequenceId:
        sequence_ = packet.get_uint32();
        first = sequences_.try_emplace(sequence_).second;
        break;
      case kSequenceFlags:
        flags = packet.get_uint32();
        break;
      case kInternedData:
        intern(packet.get_message());
        break;
      case kTrackDescriptor:
        describe(packet.get_message());
        break;
      case kTrackEvent:
        has_event = true;
        event = read_event(packet.get_message());
        break;
      default:
        packet.skip();
    }
  }
  if (sequence_ == 0) fail("no sequence id");
  if (first && (flags & kCleared) == 0) fail("the first packet of a sequence clears no state");
  if ((flags & kNeedsState) == 0) fail("does not say that it needs the interned strings");
  if (!has_event) return;
  check_iids(event);
  apply(event, at);
}

void Checker::intern(Reader data) {
  while (data.next()) {
    const std::uint32_t kind = data.tag();
    Reader entry = data.get_message();
    std::uint64_t iid = 0;
    std::string text;
    while (entry.next()) {
      if (entry.tag() == kIid) {
        iid = entry.get_uint64();
      } else if (entry.tag() == kText) {
        text = entry.get_string();
      } else {
        entry.skip();
      }
    }
    if (iid == 0) fail("an interned string without number");
    if (!interned()[kind].emplace(iid, text).second) fail("a string is interned twice: " + text);
  }
}

void Checker::describe(Reader descriptor) {
  std::uint64_t uuid = 0, parent = 0;
  Track track;
  while (descriptor.next()) {
    if (descriptor.tag() == kUuid) {
      uuid = descriptor.get_uint64();
    } else if (descriptor.tag() == kParent) {
      parent = descriptor.get_uint64();
    } else if (descriptor.tag() == kTrackName) {
      track.name = descriptor.get_string();
    } else if (descriptor.tag() == kProcess) {
      std::int32_t pid = 0;
      for (Reader process = descriptor.get_message(); process.next();) {
        if (process.tag() == kPid)
          pid = process.get_int32();
        else if (process.tag() == kProcessName)
          track.name = process.get_string();
        else
          process.skip();
      }
      if (!processes_.emplace(pid, track.name).second) fail("two processes with one pid");
    } else if (descriptor.tag() == kThread) {
      for (Reader thread = descriptor.get_message(); thread.next();) {
        if (thread.tag() == kThreadPid)
          track.name = processes_[thread.get_int32()];
        else if (thread.tag() == kThreadName)
          track.name += "/" + thread.get_string();
        else
          thread.skip();
      }
    } else if (descriptor.tag() == kCounterTrack) {
      track.counter = true;
      descriptor.skip();
    } else {
      descriptor.skip();
    }
  }
  if (uuid == 0) fail("a track without uuid");
  if (parent != 0 && !tracks_.contains(parent)) fail(track.name + ": its parent is not described");
  if (!tracks_.emplace(uuid, track).second) fail(track.name + ": described twice");
}

Event Checker::read_event(Reader reader) {
  Event event;
  while (reader.next()) {
    switch (reader.tag()) {
      case kType:
        event.type = reader.get_enum();
        break;
      case kTrack:
        event.track = reader.get_uint64();
        break;
      case kNameIid:
        event.name = reader.get_uint64();
        break;
      case kCategoryIid:
        event.category = reader.get_uint64();
        break;
      case kFlow:
        event.flows.push_back(reader.get_fixed64());
        break;
      case kTerminatingFlow:
        event.terminating.push_back(reader.get_fixed64());
        break;
      case kCounterValue:
      case kDoubleCounterValue:
        event.counted = true;
        reader.skip();
        break;
      case kAnnotation: {
        std::pair<std::uint64_t, std::uint64_t> arg;
        for (Reader annotation = reader.get_message(); annotation.next();) {
          if (annotation.tag() == kArgNameIid)
            arg.first = annotation.get_uint64();
          else if (annotation.tag() == kArgStringIid)
            arg.second = annotation.get_uint64();
          else
            annotation.skip();
        }
        event.args.push_back(arg);
        break;
      }
      default:
        reader.skip();
    }
  }
  return event;
}

void Checker::check_iids(const Event& event) {
  const auto known = [&](std::uint32_t kind, std::uint64_t iid) {
    return iid == 0 || interned()[kind].contains(iid);
  };
  if (!known(kNames, event.name)) fail("an event name is not defined");
  if (!known(kCategories, event.category)) fail("a category is not defined");
  for (const auto& [name, text] : event.args) {
    if (name == 0 || !known(kArgNames, name)) fail("an argument name is not defined");
    if (!known(kStrings, text)) fail("an argument string is not defined");
  }
}

void Checker::apply(const Event& event, std::int64_t at) {
  const auto found = tracks_.find(event.track);
  if (found == tracks_.end()) return fail("an event on a track that is not described");
  Track& track = found->second;
  switch (event.type) {
    case kBegin:
      begin(event, track, at);
      break;
    case kEnd:
      end(track, at);
      break;
    case kInstant:
      ++result_.instants;
      ++result_.names[interned()[kNames][event.name]];
      break;
    case kCounter:
      count(event, track, at);
      break;
    default:
      fail("an event of unknown type");
  }
  for (std::uint64_t id : event.flows) {
    ++flows_[id].begins;
    flows_[id].begin = at;
  }
  for (std::uint64_t id : event.terminating) {
    ++flows_[id].ends;
    flows_[id].end = at;
  }
}

void Checker::begin(const Event& event, Track& track, std::int64_t at) {
  ++result_.slices;
  const std::string& category = interned()[kCategories][event.category];
  ++result_.names[interned()[kNames][event.name]];
  if (event.name == 0) fail(track.name + ": a slice without name");
  if (at < track.last) fail(fmt::format("{}: goes back to {}", track.name, at));
  static const std::set<std::string, std::less<>> kContainers = {"operator", "tile"};
  if (!track.open.empty() && !kContainers.contains(track.open.back().category)) {
    fail(fmt::format("{}: overlaps the slice before it at {}", track.name, at));
  }
  if (category == "operator" && !track.open.empty()) fail(track.name + ": operator inside a slice");
  track.last = at;
  track.open.push_back({at, category});
}

void Checker::end(Track& track, std::int64_t at) {
  if (track.open.empty()) return fail(track.name + ": an end without begin");
  if (at < track.last) fail(fmt::format("{}: goes back to {}", track.name, at));
  const Slice slice = track.open.back();
  track.open.pop_back();
  track.last = at;
  result_.cycles[track.name][slice.category] += at - slice.begin;
}

void Checker::count(const Event& event, Track& track, std::int64_t at) {
  ++result_.samples;
  if (!track.counter) fail(track.name + ": a sample on a track that is no counter");
  if (!event.counted) fail(track.name + ": a sample without value");
  if (at < track.last) fail(track.name + ": samples go back in time");
  track.last = at;
}

void Checker::finish(std::uint64_t id, const Flow& flow) {
  if (flow.begins > 1 || flow.ends > 1) {
    fail(fmt::format("flow {}: {} begins and {} ends", id, flow.begins, flow.ends));
  } else if (flow.begins == 0) {
    fail(fmt::format("flow {}: ends without begin", id));
  } else if (flow.ends == 0) {
    ++result_.open_flows;
  } else {
    ++result_.flows;
    if (flow.begin > flow.end) {
      fail(fmt::format("flow {}: backwards, {} to {}", id, flow.begin, flow.end));
    }
  }
}

}  // namespace

TraceCheck check_trace(std::string_view bytes) {
  Checker checker;
  try {
    Reader trace(bytes.data(), bytes.size());
    while (trace.next()) {
      if (trace.tag() == kPacket) {
        checker.packet(trace.get_message());
      } else {
        checker.fail("not a packet");
        trace.skip();
      }
    }
  } catch (const protozero::exception& error) {
    checker.fail(std::string("not well-formed: ") + error.what());
  }
  return std::move(checker).take();
}

TraceCheck check_trace_file(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");  // plain files pass through
  if (file == nullptr) throw Error(path + ": cannot be read; name a trace file");
  std::string bytes;
  std::array<char, 1 << 16> piece{};
  for (int got; (got = gzread(file, piece.data(), piece.size())) > 0;) {
    bytes.append(piece.data(), static_cast<std::size_t>(got));
  }
  gzclose(file);
  return check_trace(bytes);
}

}  // namespace dvmsim
