#include "import/chain_names.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "rules/chain_name.h"
#include "rules/target.h"

namespace rampart {

namespace {

constexpr size_t kMaxLength = 31;
// Words that may become actions or keys of a chain; no chain should be called so.
constexpr std::string_view kReserved[] = {"log", "synproxy"};

std::string allowed(std::string_view name) {
    std::string result(name.substr(0, kMaxLength));
    for (char& c : result) {
        const bool is_good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
        if (!is_good) c = '_';
    }
    return result;
}

bool is_taken_by_language(const std::string& name) {
    return hook_of_chain(name) != Hook::None || find_action(name) != nullptr ||
           std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved);
}

}  // namespace

std::string ChainNames::fresh(std::string_view stem) {
    std::string name = allowed(stem);
    for (unsigned number = 1; is_taken_by_language(name) || used_.contains(name); ++number) {
        const std::string suffix = fmt::format("-{}", number);
        name = allowed(stem).substr(0, kMaxLength - suffix.size()) + suffix;
    }
    used_.insert(name);
    return name;
}

const std::string& ChainNames::name_of(std::string_view table, std::string_view chain) {
    const auto [entry, is_new] =
        names_.emplace(std::pair(std::string(table), std::string(chain)), std::string());
    if (is_new) {
        const bool is_plain = table == "filter" || table.find(' ') != table.npos;
        const std::string stem = is_plain ? std::string(chain) : fmt::format("{}-{}", table, chain);
        entry->second = fresh(stem);
        if (entry->second != chain)
            report_.remark({}, fmt::format("chain {} of the table {} is called {} here",
                                           quoted(chain), quoted(table), quoted(entry->second)));
    }
    return entry->second;
}

}  // namespace rampart
