#include "control/rule_log_feed.h"

#include <array>
#include <ctime>

#include <fmt/format.h>

#include "control/rule_action.h"
#include "control/slice_timer.h"
#include "dataplane/worker.h"
#include "rules/log_statement.h"

namespace rampart {
namespace {

constexpr uint64_t kTurn_us = 10'000;
constexpr uint32_t kRecordsAtOnce = 16;
constexpr unsigned kSecondsBetweenNotes = 10;

uint64_t wall_clock_ns() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

RuleLogFeed::RuleLogFeed(EventLoop& loop, std::vector<Worker*> workers)
    : loop_(loop), workers_(std::move(workers)) {}

void RuleLogFeed::follow(const Snapshot& snapshot, std::unique_ptr<LogDestination> destination) {
    if (destination != nullptr) destination_ = std::move(destination);
    Generation generation;
    const Names& names = snapshot.ruleset.names;
    for (const Interface& interface : names.interfaces)
        generation.interfaces.push_back(interface.name);
    for (const RuleInChain& known : snapshot.ruleset.logging) {
        const Rule& rule = *known.rule;
        const LogStatement* log = log_statement_of(rule);
        if (log == nullptr) continue;
        LoggingRule& logging = generation.rules[rule.rule_index];
        logging.names = {.prefix = log->prefix,
                         .in = {},
                         .out = {},
                         .chain = snapshot.ruleset.chains[known.chain].name,
                         .rule = rule.id,
                         .place = rule.place,
                         .action = rule_action(rule, names)};
        logging.level = log->level;
        logging.limit = log->limit ? format_rate(*log->limit) : "none";
        logging.suppressed_index = rule.logged_index + 1;
    }
    const bool is_wanted = !generation.rules.empty();
    if (!is_running_) generations_.clear();  // they logged nothing
    generations_[snapshot.generation] = std::move(generation);
    if (is_wanted && !is_running_) {
        timer_ = loop_.every(kTurn_us, [this] { turn(); });
        is_running_ = true;
    }
}

void RuleLogFeed::turn() {
    const SliceTimer timer;
    bool is_all_new = true;
    for (const Worker* worker : workers_)
        is_all_new &= worker->seen_generation() >= generations_.rbegin()->first;
    bool has_more = true;
    while (has_more && !timer.is_over()) {
        has_more = false;
        for (Worker* worker : workers_)
            has_more |= read_from(*worker);
    }
    // Whatever older rules logged was read: the workers had left them before.
    if (is_all_new && !has_more) forget_older();
}

void RuleLogFeed::forget_older() {
    generations_.erase(generations_.begin(), std::prev(generations_.end()));
    if (!generations_.begin()->second.rules.empty()) return;
    timer_ = {};
    is_running_ = false;
}

bool RuleLogFeed::read_from(Worker& worker) {
    std::array<PacketLogRecord, kRecordsAtOnce> records;
    const uint32_t count = worker.rule_log().read(records.data(), kRecordsAtOnce);
    for (uint32_t i = 0; i < count; ++i)
        write(records[i]);
    return count == kRecordsAtOnce;
}

void RuleLogFeed::write(const PacketLogRecord& record) {
    const auto generation = generations_.find(record.generation);
    if (generation == generations_.end()) return;
    const auto rule = generation->second.rules.find(record.rule);
    if (rule == generation->second.rules.end()) return;
    const std::vector<std::string>& interfaces = generation->second.interfaces;
    PacketLogNames names = rule->second.names;
    if (record.in < interfaces.size()) names.in = interfaces[record.in];
    if (record.out < interfaces.size()) names.out = interfaces[record.out];
    destination_->write({.wall_ns = record.wall_ns,
                         .level = rule->second.level,
                         .text = packet_log_text(record, names),
                         .fields = packet_log_json(record, names)});
}

void RuleLogFeed::tell_suppressed(const Snapshot& snapshot, bool at_once) {
    const auto generation = generations_.find(snapshot.generation);
    if (generation == generations_.end() || generation->second.rules.empty()) return;
    if (!at_once && ++seconds_ < kSecondsBetweenNotes) return;
    seconds_ = 0;
    for (auto& [index, rule] : generation->second.rules) {
        uint64_t suppressed = 0;
        for (const auto& paths : snapshot.paths)
            suppressed += paths->direct(rule.suppressed_index).packets;
        const uint64_t untold = suppressed - rule.told_suppressed;
        if (untold == 0) continue;
        rule.told_suppressed = suppressed;
        const PacketLogNames& names = rule.names;
        LogEntry entry{.wall_ns = wall_clock_ns(), .level = rule.level, .text = {}, .fields = {}};
        entry.text = fmt::format("{}{} packets were not logged (limit {}) rule={}", names.prefix,
                                 untold, rule.limit, names.rule);
        entry.fields = {{"time_ns", entry.wall_ns}, {"prefix", names.prefix},
                        {"chain", names.chain},     {"rule", names.rule},
                        {"place", names.place},     {"suppressed", untold}};
        destination_->write(entry);
    }
}

}  // namespace rampart
