// `diff [FILE|N] [N]`: how a configuration differs from the one that runs, or two of the history
// from each other. Exit 0 when they are the same, 1 when they differ, as diff(1).
#include <fmt/format.h>

#include "base/scalar.h"
#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/config_diff.h"
#include "control/controller.h"

namespace rampart {
namespace {

struct Side {
    std::string name;
    SourceTexts sources;
};

Result<Side> from_history(const ConfigTransaction& transaction, const std::string& word) {
    const auto number = parse_decimal(word, UINT32_MAX);
    if (!number) return failure(fmt::format("diff: '{}' is not a number of `history`", word));
    if (transaction.store() == nullptr)
        return failure("there is no history: " + transaction.why_no_store());
    auto sources = transaction.store()->sources(*number);
    if (!sources) return tl::unexpected<Error>(sources.error());
    return Side{"configuration " + word, std::move(*sources)};
}

// Without words: what runs and what a start begins with.
Result<std::pair<Side, Side>> sides(const ApiRequest& request, const ConfigTransaction& transaction,
                                    const std::string& first, const std::string& second) {
    Result<Side> before = Side{"the running configuration", transaction.running()};
    Result<Side> after = before;
    if (request.file) {
        after = Side{request.file->path,
                     {{request.file->path, request.file->text}, request.file->included}};
        if (!second.empty()) before = from_history(transaction, second);
    } else if (!second.empty()) {
        before = from_history(transaction, first);
        after = from_history(transaction, second);
    } else {
        after = from_history(transaction,
                             first.empty() ? std::to_string(transaction.startup_entry()) : first);
    }
    if (!before) return tl::unexpected<Error>(before.error());
    if (!after) return tl::unexpected<Error>(after.error());
    return std::pair(std::move(*before), std::move(*after));
}

}  // namespace

CommandOutput run_diff(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser(
        "How a file, or a configuration of the history, differs from what runs; of two numbers, "
        "the "
        "second from the first. Without any: what a start begins with.");
    std::string first, second;
    parser.option("what", first, "a file, or a number of `history`");
    parser.option("other", second, "a number of `history`");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    const auto both = sides(request, controller.transaction(), first, second);
    if (!both) return CommandOutput::failed(exit_code::kUsage, both.error().message + '\n');
    Diagnostics diagnostics;
    const auto before = controller.load_aside(both->first.sources, diagnostics);
    const auto after = controller.load_aside(both->second.sources, diagnostics);
    if (!before || !after)
        return CommandOutput::failed(exit_code::kConfiguration,
                                     diagnostics.to_text() + diagnostics.summary() + '\n');
    const std::vector<Difference> differences = compare(*before, *after);
    CommandOutput output;
    output.exit = differences.empty() ? exit_code::kOk : exit_code::kFailure;
    output.out = to_text(differences);
    output.result = {{"before", both->first.name},
                     {"after", both->second.name},
                     {"differences", to_json(differences)}};
    return output;
}

}  // namespace rampart
