// `log`: tells control about the packet, at most so often.

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "rules/log_statement.h"
#include "rules/packet_log.h"
#include "rules/ruleset.h"
#include "rules/statements/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

constexpr size_t kMaxPrefix_bytes = 127;
constexpr std::string_view kNoLimit = "none";

// Control characters would let one line pass for two.
bool is_prefix(std::string_view text) {
    return text.size() <= kMaxPrefix_bytes && std::all_of(text.begin(), text.end(), [](char c) {
               return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
           });
}

bool read_prefix(const Value& value, ParseContext& context, LogStatement& log) {
    log.prefix = value.text();
    if (value.is_scalar() && is_prefix(log.prefix)) return true;
    context.diagnostics.error(
        "E005", value.location(),
        fmt::format("a prefix is a text of up to {} bytes on one line", kMaxPrefix_bytes));
    return false;
}

bool read_limit(const Value& value, ParseContext& context, LogStatement& log) {
    if (value.is_scalar() && value.text() == kNoLimit) {
        log.limit.reset();
        return true;
    }
    log.limit = value.is_scalar() ? parse_rate(value.text()) : std::nullopt;
    if (log.limit) return true;
    context.diagnostics.error("E010", value.location(),
                              fmt::format("'limit' of 'log' is a rate or {}", kNoLimit),
                              "5/minute burst 10; units are second, minute, hour and day");
    return false;
}

bool read_level(const Value& value, ParseContext& context, LogStatement& log) {
    const auto level = std::find(std::begin(kLogLevels), std::end(kLogLevels), value.text());
    if (value.is_scalar() && level != std::end(kLogLevels)) {
        log.level = static_cast<uint8_t>(level - std::begin(kLogLevels));
        return true;
    }
    const std::vector<std::string_view> known(std::begin(kLogLevels), std::end(kLogLevels));
    std::string hint = did_you_mean(value.text(), known);
    context.diagnostics.error("E007", value.location(),
                              fmt::format("unknown level {}", quoted(value.text())),
                              hint.empty() ? "one of: " + listed(known) : std::move(hint));
    return false;
}

bool read_option(const Value::Entry& option, ParseContext& context, LogStatement& log) {
    const std::string& key = option.key.text();
    if (key == "prefix") return read_prefix(option.value, context, log);
    if (key == "limit") return read_limit(option.value, context, log);
    if (key == "level") return read_level(option.value, context, log);
    context.diagnostics.error("E002", option.key.location(),
                              fmt::format("unknown key {} in 'log'", quoted(key)),
                              did_you_mean(key, {"prefix", "limit", "level"}));
    return false;
}

Arguments parse(const Value& value, ParseContext& context) {
    LogStatement log;
    bool is_good = true;
    if (value.is_map()) {
        for (const Value::Entry& option : value.entries())
            is_good &= read_option(option, context, log);
    } else if (!value.is_scalar() || (value.text() == "false" && !value.is_quoted())) {
        context.diagnostics.error("E005", value.location(), "'log' is true, a prefix, or a mapping",
                                  "log: { prefix: \"drop: \", limit: 5/minute burst 10 }");
        is_good = false;
    } else if (value.is_quoted() || value.text() != "true") {
        is_good = read_prefix(value, context, log);
    }
    if (!is_good) return {};
    if (log.limit) log.rate = std::make_unique<SharedRate>(*log.limit);
    return Arguments::make(std::move(log));
}

PacketLogRecord record_of(const RuleInput& input) noexcept {
    const Packet& packet = input.packet;
    PacketLogRecord record;
    record.wall_ns = input.now.wall_ns;
    record.generation = input.generation;
    record.rule = input.rule->rule_index;
    record.mark = packet.mark;
    record.captured = static_cast<uint16_t>(
        std::min({uint32_t{packet.frame_contiguous}, PacketLogRecord::kFrameBytes,
                  uint32_t{packet.l3_offset} + packet.ip_length}));
    record.l3_offset = packet.l3_offset;
    record.vlan_tci = packet.vlan_tci;
    record.in = input.in;
    record.out = input.out;
    record.ct_class = input.ct_class;
    std::memcpy(record.frame, packet.frame, record.captured);
    return record;
}

void execute(const Arguments& arguments, RuleInput& input) noexcept {
    if (input.log == nullptr) return;
    const LogStatement& log = arguments.as<LogStatement>();
    const bool is_due = log.rate == nullptr || log.rate->take(input.now.ns);
    const RuleIndex logged = input.rule->logged_index;
    const bool is_logged = is_due && input.log->write(record_of(input));
    input.paths->count_direct(is_logged ? logged : logged + 1, 1, input.packet.ip_length);
}

// Always in quotes: a prefix ends in a space as a rule, and may be a word that means something.
std::string in_quotes(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result + '"';
}

std::string print(const Arguments& arguments, const Names&) {
    const LogStatement& log = arguments.as<LogStatement>();
    std::string limit, level;
    if (log.limit != kDefaultLogRate)
        limit = ", limit: " + (log.limit ? format_rate(*log.limit) : std::string(kNoLimit));
    if (log.level != kDefaultLogLevel) level = fmt::format(", level: {}", kLogLevels[log.level]);
    if (limit.empty() && level.empty()) return log.prefix.empty() ? "true" : in_quotes(log.prefix);
    std::string options = limit + level;
    options = log.prefix.empty() ? options.substr(2) : "prefix: " + in_quotes(log.prefix) + options;
    return "{ " + options + " }";
}

}  // namespace

const LogStatement* log_statement_of(const Rule& rule) noexcept {
    for (const Statement& statement : rule.statements)
        if (statement.type == &kStatementLog) return &statement.arguments.as<LogStatement>();
    return nullptr;
}

const SharedRate* only_log_rate(const Rule& rule) noexcept {
    const LogStatement* log = log_statement_of(rule);
    if (log == nullptr || rule.counts_in_sets) return nullptr;
    for (const Statement& statement : rule.statements)
        if (statement.type->execute != nullptr && statement.type != &kStatementLog) return nullptr;
    return log->rate.get();
}

const StatementType kStatementLog = {
    .key = "log",
    .hooks = kAllHooks,
    .parse = parse,
    .execute = execute,
    .print = print,
    .help =
        {
            .summary = "Logs the packet, at most 10/second burst 20 unless limit says otherwise; "
                       "logging.rules says where to.",
            .values = "true, a prefix, or { prefix, limit: RATE or none, level }",
            .example = "{ state: invalid, log: { prefix: \"INVALID: \", limit: 5/minute burst 10, "
                       "level: warning }, action: drop }",
            .iptables = "-m limit --limit 5/min --limit-burst 10 -j LOG --log-prefix",
            .nft = "limit rate 5/minute burst 10 packets log prefix",
        },
};

}  // namespace rampart
