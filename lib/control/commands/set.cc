// `set`: the named sets of the running configuration, as ipset users expect. Changes act on the
// next packet and outlive a reload as docs/sets.md says, but not a restart.
#include <fmt/format.h>

#include "base/scalar.h"
#include "config/set_file.h"
#include "control/commands/arguments.h"
#include "control/commands/set_parts.h"
#include "control/commands/verbs.h"

namespace rampart {

std::shared_ptr<SetHandle> find_set(const std::string& name, Controller& controller,
                                    CommandOutput& problem) {
    std::vector<std::string_view> known;
    for (const std::shared_ptr<SetHandle>& handle : controller.sets().handles()) {
        if (handle->set->options().name == name) return handle;
        known.push_back(handle->set->options().name);
    }
    problem = CommandOutput::failed(
        exit_code::kFailure, fmt::format("no set {}{}\n", rampart::quoted(name),
                                         known.empty() ? std::string("; the configuration has none")
                                                       : "; sets: " + listed(known)));
    return nullptr;
}

namespace {

// The elements that the words stand for; false: `problem` says which one is wrong.
bool parse_words(const NamedSet& set, const std::vector<std::string>& words, Controller& controller,
                 std::vector<SetElement>& elements, CommandOutput& problem) {
    for (const std::string& word : words) {
        const auto wrong = parse_set_element(set.type(), word, controller.sets().names(), elements);
        if (!wrong) continue;
        problem = CommandOutput::failed(
            exit_code::kUsage,
            fmt::format("{} is not {}{}{}\n", rampart::quoted(wrong->word), wrong->wanted,
                        wrong->hint.empty() ? "" : "; ", wrong->hint));
        return false;
    }
    return true;
}

std::string text_of(const NamedSet& set, const SetElement& element, Controller& controller) {
    return print_set_element(set.type(), element, controller.sets().names());
}

CommandOutput set_add(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Adds elements; what is in already gets its timeout anew.");
    std::string name, timeout;
    std::vector<std::string> words;
    parser.required("name", name, "the set");
    parser.words("elements", words, "such as 192.0.2.1 or 192.0.2.1,udp,53");
    parser.option("-t,--timeout", timeout, "how long they stay, such as 10m; 0: until deleted");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    CommandOutput output;
    const auto handle = find_set(name, controller, output);
    if (handle == nullptr) return output;
    NamedSet& set = *handle->set;
    uint32_t timeout_s = set.timeout_s();
    if (!timeout.empty()) {
        const auto seconds = parse_duration_s(timeout);
        if (!seconds || *seconds > kMaxTimeout_s)
            return CommandOutput::failed(
                exit_code::kUsage,
                "--timeout takes a duration up to 231 days, such as 30s or 10m\n");
        timeout_s = *seconds;
    }
    std::vector<SetElement> elements;
    if (!parse_words(set, words, controller, elements, output)) return output;
    const Now now = controller.now();
    size_t added = 0, refreshed = 0, refused = 0;
    for (const SetElement& element : elements) {
        switch (set.add(element, timeout_s, now)) {
            case Addition::Added:
                ++added;
                break;
            case Addition::Refreshed:
                ++refreshed;
                break;
            case Addition::Refused:
                if (refused++ == 0)
                    output.err = fmt::format("{}: no room for {}: the set has {} of at most {}\n",
                                             name, text_of(set, element, controller), set.size(),
                                             set.options().max);
        }
    }
    if (added != 0) controller.sets().changed(*handle);
    if (refused != 0) output.exit = exit_code::kFailure;
    output.out = fmt::format("{} added, {} already in{}\n", added, refreshed,
                             refused == 0 ? "" : fmt::format(", {} refused", refused));
    output.result = {{"added", added}, {"refreshed", refreshed}, {"refused", refused}};
    return output;
}

CommandOutput set_del(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Deletes elements.");
    std::string name;
    std::vector<std::string> words;
    parser.required("name", name, "the set");
    parser.words("elements", words, "as they were added");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    CommandOutput output;
    const auto handle = find_set(name, controller, output);
    if (handle == nullptr) return output;
    NamedSet& set = *handle->set;
    std::vector<SetElement> elements;
    if (!parse_words(set, words, controller, elements, output)) return output;
    size_t deleted = 0;
    for (const SetElement& element : elements) {
        if (set.remove(element)) {
            ++deleted;
            continue;
        }
        output.exit = exit_code::kFailure;
        output.err +=
            fmt::format("{} is not an element of {}\n", text_of(set, element, controller), name);
    }
    if (deleted != 0) controller.sets().changed(*handle);
    output.out = fmt::format("{} deleted\n", deleted);
    output.result = {{"deleted", deleted}, {"missing", elements.size() - deleted}};
    return output;
}

CommandOutput set_test(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Says whether a set holds an element; exit 0: yes, 1: no.");
    std::string name, word;
    parser.required("name", name, "the set");
    parser.required("element", word, "an address is looked up as that of a packet");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    CommandOutput output;
    const auto handle = find_set(name, controller, output);
    if (handle == nullptr) return output;
    std::vector<SetElement> elements;
    if (!parse_words(*handle->set, {word}, controller, elements, output)) return output;
    bool is_in = true;
    for (const SetElement& element : elements)
        is_in = is_in && handle->set->test(element, controller.now());
    output.exit = is_in ? exit_code::kOk : exit_code::kFailure;
    output.out = fmt::format("{} is {}in set {}\n", word, is_in ? "" : "NOT ", name);
    output.result = {{"in", is_in}};
    return output;
}

CommandOutput set_flush(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Deletes all elements of a set, those of the configuration included.");
    std::string name;
    parser.required("name", name, "the set");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    CommandOutput output;
    const auto handle = find_set(name, controller, output);
    if (handle == nullptr) return output;
    const size_t count = handle->set->size();
    handle->set->clear();
    controller.sets().changed(*handle);
    output.out = fmt::format("{} deleted\n", count);
    output.result = {{"deleted", count}};
    return output;
}

// All of the new contents, or the old ones.
CommandOutput set_reload(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Reads the file of a set again.");
    std::string name;
    parser.required("name", name, "the set");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    CommandOutput output;
    const auto handle = find_set(name, controller, output);
    if (handle == nullptr) return output;
    NamedSet& set = *handle->set;
    if (set.options().file.empty())
        return CommandOutput::failed(
            exit_code::kFailure, fmt::format("the set {} has no file\n", rampart::quoted(name)));
    SetContents contents = handle->contents;
    const auto problems = read_set_contents(set.options(), controller.sets().names(), contents);
    for (const LineProblem& problem : problems)
        output.err +=
            fmt::format("{}:{}: error: {}\n", set.options().file, problem.line, problem.message);
    const size_t count = contents.finish();
    if (problems.empty() && count > set.options().max)
        output.err = fmt::format("{}: {} elements, and its max is {}\n", set.options().file, count,
                                 set.options().max);
    if (!output.err.empty()) {
        output.err += "the set is not changed\n";
        output.exit = exit_code::kFailure;
        return output;
    }
    set.assign(std::move(contents), controller.now());
    controller.sets().changed(*handle);
    output.out = fmt::format("{} elements\n", set.size());
    output.result = {{"elements", set.size()}};
    return output;
}

constexpr CommandVerb kVerbs[] = {
    {"list", set_list, "list [NAME] [--elements]: type, size, memory, uses; the elements"},
    {"add", set_add, "add NAME ELEMENT... [--timeout 10m]"},
    {"del", set_del, "del NAME ELEMENT..."},
    {"test", set_test, "test NAME ELEMENT: exit 0 when it is in"},
    {"flush", set_flush, "flush NAME: deletes all elements"},
    {"reload", set_reload, "reload NAME: reads its file again"},
    {"save", set_save, "save NAME: the elements, as a file of the set could have them"},
};

}  // namespace

CommandOutput run_set(const ApiRequest& request, Controller& controller) {
    return run_verb(request, controller, kVerbs, "Named sets of the running configuration.",
                    "list");
}

}  // namespace rampart
