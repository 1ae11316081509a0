// What both ends of a query call compute for its ACCESS and ACCESS_END blocks: the text of the question, and the rows of
// the answer as they are hashed.  Formats: docs/FORMAT.md, sections "ACCESS and ACCESS_END" and "Result hash".
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"
#include "proto/logvault.pb.h"

namespace logvault::net {

// Names of calls in ACCESS blocks.
inline constexpr std::string_view kCallHosts = "hosts";
inline constexpr std::string_view kCallSearch = "search";
inline constexpr std::string_view kCallTail = "tail";
inline constexpr std::string_view kCallShow = "show";
inline constexpr std::string_view kCallBlocks = "blocks";
inline constexpr std::string_view kCallAudit = "audit";
inline constexpr std::string_view kCallGoverning = "governing";
inline constexpr std::string_view kCallAlerts = "alerts";

// One JSON object; members in fixed order, those that say nothing left out.  `tree_size` is no part of it: the ACCESS
// block names the scope.
std::string QueryText(const v1::HostsRequest& request);
std::string QueryText(const v1::SearchRequest& request);
// What a search's text asks; kInvalidArgument for anything that is not such a text, byte for byte.
Result<v1::SearchRequest> ParseSearchText(std::string_view text);
std::string QueryText(const v1::TailRequest& request);
std::string QueryText(const v1::ShowRequest& request);
std::string QueryText(const v1::BlocksRequest& request);
std::string QueryText(const v1::AuditRequest& request);
std::string QueryText(const v1::GoverningRequest& request);
std::string QueryText(const v1::AlertsRequest& request);

// The bytes that evidence::ResultHash takes for one row of an answer.
std::string ResultRow(const v1::StreamSummary& stream);
std::string ResultRow(const v1::StreamName& stream, const v1::Row& row);
std::string ResultRow(const v1::TableRow& row);
std::string ResultRow(const v1::StoredBlock& block);
std::string ResultRow(const v1::Accessed& call);
std::string ResultRow(const v1::ProvenBlock& block);

}  // namespace logvault::net
