// `history`: the configurations that were active, newest first; `history N` prints the text of one.
#include <ctime>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/scalar.h"
#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {
namespace {

std::string marks_of(const HistoryEntry& entry, const ConfigTransaction& transaction) {
    std::string marks;
    if (entry.number == transaction.running_entry()) marks += "running ";
    if (entry.number == transaction.startup_entry()) marks += "startup ";
    return marks.empty() ? "-" : marks.substr(0, marks.size() - 1);
}

Json to_json(const HistoryEntry& entry, const ConfigTransaction& transaction) {
    return {{"number", entry.number},
            {"when_ms", entry.when_ms},
            {"how", entry.how},
            {"who", entry.who},
            {"paths", entry.paths},
            {"hash", entry.hash},
            {"bytes", entry.bytes},
            {"comment", entry.comment},
            {"outcome", entry.outcome},
            {"running", entry.number == transaction.running_entry()},
            {"startup", entry.number == transaction.startup_entry()}};
}

CommandOutput list(const ConfigTransaction& transaction) {
    CommandOutput output;
    output.out = fmt::format("{:>4}  {:<16} {:<19} {:<12} {:<16} {}\n", "no", "now", "when (UTC)",
                             "hash", "how", "outcome, who, from");
    output.result = {{"entries", Json::array()}};
    const std::vector<HistoryEntry>& history = transaction.store()->history();
    for (auto newest = history.rbegin(); newest != history.rend(); ++newest) {
        const HistoryEntry& entry = *newest;
        output.out +=
            fmt::format("{:>4}  {:<16} {:%Y-%m-%d %H:%M:%S} {:<12} {:<16} {}; {}; {}{}{}\n",
                        entry.number, marks_of(entry, transaction),
                        fmt::gmtime(static_cast<std::time_t>(entry.when_ms / 1000)),
                        entry.hash.substr(0, 12), entry.how, entry.outcome, entry.who,
                        entry.paths.front(), entry.comment.empty() ? "" : "; ", entry.comment);
        output.result["entries"].push_back(to_json(entry, transaction));
    }
    if (const PendingConfirmation* pending = transaction.pending()) {
        output.out += fmt::format("{} waits for confirmation, {} s left; then {} again\n",
                                  pending->entry, transaction.time_left_s(), pending->previous);
        output.result["pending"] = {{"entry", pending->entry},
                                    {"previous", pending->previous},
                                    {"left_s", transaction.time_left_s()}};
    }
    return output;
}

// The first file as it is; those that it includes behind a line with their name.
CommandOutput print(const ConfigStore& store, EntryNumber number) {
    const auto sources = store.sources(number);
    if (!sources) return CommandOutput::failed(exit_code::kFailure, sources.error().message + '\n');
    CommandOutput output;
    output.out = sources->main.text;
    output.result = {{"number", number}, {"files", Json::array()}};
    output.result["files"].push_back({{"path", sources->main.path}, {"text", sources->main.text}});
    for (const SourceText& source : sources->included.value_or(std::vector<SourceText>())) {
        output.out += fmt::format("\n# included: {}\n{}", source.path, source.text);
        output.result["files"].push_back({{"path", source.path}, {"text", source.text}});
    }
    return output;
}

}  // namespace

CommandOutput run_history(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("The configurations that were active, newest first, or the text of one.");
    std::string number;
    parser.option("number", number, "print this one");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    const ConfigTransaction& transaction = controller.transaction();
    if (transaction.store() == nullptr)
        return CommandOutput::failed(exit_code::kFailure, fmt::format("there is no history: {}\n",
                                                                      transaction.why_no_store()));
    if (number.empty()) return list(transaction);
    const auto entry = parse_decimal(number, UINT32_MAX);
    if (!entry)
        return CommandOutput::failed(exit_code::kUsage,
                                     fmt::format("history: '{}' is not a number\n", number));
    return print(*transaction.store(), *entry);
}

}  // namespace rampart
