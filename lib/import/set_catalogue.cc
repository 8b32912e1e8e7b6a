#include "import/set_catalogue.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "base/scalar.h"
#include "import/dump.h"
#include "import/values.h"

namespace rampart {

namespace {

struct SetType {
    std::string_view ipset;
    std::string_view own;
};
constexpr SetType kTypes[] = {
    {"hash:ip", "ip"},           {"hash:net", "net"}, {"bitmap:ip", "net"},
    {"bitmap:port", "port"},     {"hash:mac", "mac"}, {"hash:ip,port", "ip,proto,port"},
    {"hash:net,net", "net,net"},
};

// The word that follows `name`, if it is there.
std::string_view word_after(const std::vector<std::string>& words, std::string_view name) {
    const auto found = std::find(words.begin(), words.end(), name);
    return found == words.end() || found + 1 == words.end() ? std::string_view()
                                                            : std::string_view(found[1]);
}

// "tcp:80", or "80", which is TCP.
std::vector<std::string> protocol_and_port(std::string_view text) {
    const size_t colon = text.find(':');
    if (colon == text.npos) return {"tcp", std::string(text)};
    return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

}  // namespace

ImportedSet* SetCatalogue::find(std::string_view name) {
    const auto found = sets_.find(name);
    return found == sets_.end() ? nullptr : &found->second;
}

void SetCatalogue::read_ipset(std::string_view text, uint32_t file, ImportReport& report) {
    Origin origin{file, 0};
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        const auto words = split_words(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        ++origin.line;
        if (words && words->empty()) continue;
        if (words && words->size() >= 3 && words->front() == "create") {
            create(*words, origin);
        } else if (!words || words->size() < 3 || words->front() != "add" || !add_element(*words)) {
            report.problem(origin, "this is no line of `ipset save` that can be imported");
        }
    }
}

void SetCatalogue::create(const std::vector<std::string>& words, Origin origin) {
    ImportedSet set;
    set.origin = origin;
    for (const SetType& type : kTypes) {
        if (type.ipset == words[2]) set.type = type.own;
    }
    if (set.type.empty())
        set.refusal = "sets of the type " + quoted(words[2]) + " are not imported";
    const std::string_view family = word_after(words, "family");
    if (family == "inet") set.family = Family::Ipv4;
    if (family == "inet6") set.family = Family::Ipv6;
    if (const std::string_view timeout = word_after(words, "timeout"); !timeout.empty()) {
        const auto seconds = parse_number(timeout);
        if (seconds && *seconds != 0) set.timeout = format_duration(*seconds);
        // The elements come and go by themselves.
        set.is_dynamic = true;
    }
    if (const auto max = parse_number(word_after(words, "maxelem"))) set.max = *max;
    sets_[words[1]] = std::move(set);
}

bool SetCatalogue::add_element(const std::vector<std::string>& words) {
    ImportedSet* set = find(words[1]);
    if (set == nullptr) return false;
    if (!set->refusal.empty()) return true;
    if (std::find(words.begin(), words.end(), "nomatch") != words.end()) {
        set->refusal = "the set has exceptions (nomatch), which have no counterpart";
        return true;
    }
    const auto parts = split_list(words[2]);
    std::vector<std::string> fields{lower_case(parts[0])};
    if (set->type == "ip,proto,port" && parts.size() == 2) {
        const auto port = protocol_and_port(parts[1]);
        fields.insert(fields.end(), port.begin(), port.end());
    } else if (set->type == "net,net" && parts.size() == 2) {
        fields.push_back(parts[1]);
    } else if (parts.size() != 1 || set->type.find(',') != set->type.npos) {
        return false;
    }
    set->elements.push_back(std::move(fields));
    return true;
}

}  // namespace rampart
