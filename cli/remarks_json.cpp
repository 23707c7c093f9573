#include "cli/remarks_json.h"

#include <nlohmann/json.hpp>

namespace dvmsim {
namespace {

using Json = nlohmann::ordered_json;

Json edge_of(const EdgeRemark& edge) {
  Json json = {{"producer", edge.from},
               {"consumer", edge.to},
               {"tensor", edge.tensor},
               {"fate", std::string(name_of(edge.fate))},
               {edge.fate == EdgeFate::Fused ? "kernel" : "reason", edge.text}};
  if (!edge.detail.empty()) json["detail"] = edge.detail;
  json["bytes"] = edge.bytes;
  return json;
}

Json share_of(const RemarkSummary::Share& share) {
  return {{"edges", share.edges}, {"bytes", share.bytes}};
}

}  // namespace

std::string to_json(const std::string& model, const std::vector<GraphRemarks>& remarks) {
  const RemarkSummary summary = summary_of(remarks);
  Json json = {{"schema", "dvmsim.remarks/1"}, {"model", model}};
  json["summary"]["edges"] = summary.edges;
  for (const auto& [fate, share] : summary.fates) {
    json["summary"][std::string(name_of(fate))] = share_of(share);
  }
  json["summary"]["reasons"] = Json::array();
  for (const auto& [reason, share] : summary.reasons) {
    Json row = share_of(share);
    row["reason"] = reason;
    json["summary"]["reasons"].push_back(std::move(row));
  }
  json["graphs"] = Json::array();
  for (const GraphRemarks& graph : remarks) {
    Json edges = Json::array();
    for (const EdgeRemark& edge : graph.edges) edges.push_back(edge_of(edge));
    json["graphs"].push_back({{"graph", graph.graph}, {"edges", std::move(edges)}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dvmsim
