#include <algorithm>

#include <fmt/format.h>

#include "base/scalar.h"
#include "config/build.h"
#include "config/section.h"
#include "config/set_file.h"
#include "rules/sets/set_use.h"

namespace rampart {

namespace {

constexpr size_t kMaxSets = 1024;
constexpr size_t kMaxSetName = 31;

class SetBuilder {
  public:
    SetBuilder(const Value::Entry& entry, const Names& names, Diagnostics& diagnostics)
        : entry_(entry),
          names_(names),
          diagnostics_(diagnostics),
          section_(&entry.value, "sets.*", fmt::format("set '{}'", entry.key.text()), diagnostics) {
    }

    // Null: reported.
    std::shared_ptr<SetHandle> build(const KeyedHash& hash);

  private:
    bool read_options();
    void read_elements();
    void read_element(const Value& item);
    void read_file();

    const Value::Entry& entry_;
    const Names& names_;
    Diagnostics& diagnostics_;
    Section section_;
    SetOptions options_;
    SetContents contents_;
    std::vector<SetElement> parsed_;
};

bool SetBuilder::read_options() {
    options_.name = entry_.key.text();
    const Value* type = section_.find("type");
    if (type == nullptr) {
        if (entry_.value.is_map())
            diagnostics_.error("E006", entry_.key.location(),
                               fmt::format("set '{}' has no 'type'", options_.name),
                               "one of: " + listed(set_type_names()));
        return false;
    }
    options_.type = type->is_scalar() ? find_set_type(type->text()) : nullptr;
    if (options_.type == nullptr) {
        diagnostics_.error("E005", type->location(),
                           fmt::format("{} is no type of sets", quoted(type->text())),
                           "one of: ip, net, port, mac, iface, \"ip,port\", \"net,port\", "
                           "\"ip,proto,port\", \"net,net\"");
        return false;
    }
    options_.is_dynamic = section_.flag("dynamic").value_or(false);
    options_.has_counters = section_.flag("counters").value_or(false);
    options_.max = static_cast<uint32_t>(section_.number("max").value_or(options_.max));
    if (const Value* timeout = section_.find("timeout")) {
        const auto seconds =
            timeout->is_scalar() ? parse_duration_s(timeout->text()) : std::nullopt;
        options_.timeout_s = seconds.value_or(0);
        if (options_.timeout_s == 0 || options_.timeout_s > kMaxTimeout_s) {
            diagnostics_.error("E010", timeout->location(),
                               "'timeout' takes a duration from 1s to 231 days", "30s, 5m, 2h4m");
            return false;
        }
    }
    if (options_.is_dynamic && options_.type->has(SetPart::Net)) {
        diagnostics_.error("E019", type->location(),
                           "a dynamic set holds single addresses, not networks",
                           "type: ip, or ip,port or ip,proto,port");
        return false;
    }
    if (const std::string* file = section_.text("file")) options_.file = *file;
    return true;
}

void SetBuilder::read_element(const Value& item) {
    std::string text = item.text();
    if (item.is_list()) {
        for (const Value& part : item.items())
            text += (text.empty() ? "" : ",") + part.text();
    } else if (!item.is_scalar()) {
        diagnostics_.error("E005", item.location(),
                           fmt::format("an element is a word or a list, not {}", item.kind_name()),
                           "quote IPv6 addresses");
        return;
    }
    const auto problem = parse_set_element(*options_.type, text, names_, parsed_);
    if (!problem) return;
    diagnostics_.error(problem->code, item.location(),
                       fmt::format("{} is not {}", quoted(problem->word), problem->wanted),
                       problem->hint);
}

void SetBuilder::read_elements() {
    const Value* elements = section_.find("elements");
    if (elements == nullptr || elements->is_null()) return;
    if (elements->is_scalar()) read_element(*elements);
    for (const Value& item : elements->items())
        read_element(item);
    const bool is_prefix_set = NamedSet::is_prefix_type(*options_.type, options_.is_dynamic);
    for (const SetElement& element : parsed_)
        contents_.add(element, is_prefix_set);
}

void SetBuilder::read_file() {
    const Value* file = section_.find("file");
    if (file == nullptr || options_.file.empty()) return;
    if (!options_.file.starts_with('/') || options_.is_dynamic) {
        diagnostics_.error("E016", file->location(),
                           options_.is_dynamic ? "a dynamic set has no file"
                                               : "the file of a set is an absolute path");
        return;
    }
    const auto problems = read_set_contents(options_, names_, contents_);
    if (problems.empty()) return;
    const uint32_t source = diagnostics_.add_source(options_.file, {});
    for (const LineProblem& problem : problems) {
        const Location at =
            problem.line == 0 ? file->location() : Location{source, problem.line, 1, 1};
        diagnostics_.error(problem.code, at, problem.message, problem.hint);
    }
}

std::shared_ptr<SetHandle> SetBuilder::build(const KeyedHash& hash) {
    if (!read_options()) return nullptr;
    auto handle = std::make_shared<SetHandle>();
    read_elements();
    if (options_.is_dynamic || !options_.file.empty()) {
        handle->contents = contents_;
        handle->contents.finish();
    }
    read_file();
    handle->place = entry_.key.location();
    const size_t count = contents_.finish();
    const std::string name = options_.name;
    const uint32_t max = options_.max;
    handle->set = std::make_shared<NamedSet>(std::move(options_), hash);
    if (count > max) {
        diagnostics_.error(
            "E026", entry_.key.location(),
            fmt::format("set '{}' has {} elements, and its max is {}", name, count, max),
            fmt::format("max: {}", count));
        return handle;
    }
    handle->set->assign(std::move(contents_), Now{});
    if (handle->set->refused() != 0)
        diagnostics_.error("E026", entry_.key.location(),
                           fmt::format("set '{}' mixes too many prefix lengths", name),
                           "at most 64 pairs of lengths");
    handle->set->take_retired();
    return handle;
}

bool is_set_name(std::string_view name) {
    return !name.empty() && name.size() <= kMaxSetName &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.';
           });
}

}  // namespace

std::vector<LineProblem> read_set_contents(const SetOptions& options, const Names& names,
                                           SetContents& contents) {
    const bool is_prefix_set = NamedSet::is_prefix_type(*options.type, options.is_dynamic);
    std::vector<SetElement> elements;
    return read_set_file(options.file, [&](std::string_view text, LineProblem& problem) {
        elements.clear();
        if (auto wrong = parse_set_element(*options.type, text, names, elements)) {
            problem.code = wrong->code;
            problem.message = fmt::format("not {}", wrong->wanted);
            return false;
        }
        for (const SetElement& element : elements)
            contents.add(element, is_prefix_set);
        return true;
    });
}

void build_sets(const Value& document, Names& names, Diagnostics& diagnostics) {
    const Value* section = document.find("sets");
    if (section == nullptr || section->is_null()) return;
    if (!section->is_map()) {
        diagnostics.error("E005", section->location(), "'sets' takes a mapping of names",
                          "sets: { blocklist: { type: net, elements: [192.0.2.0/24] } }");
        return;
    }
    const KeyedHash hash = KeyedHash::random();
    for (const Value::Entry& entry : section->entries()) {
        if (!is_set_name(entry.key.text()) || names.sets.size() == kMaxSets) {
            diagnostics.error(
                "E005", entry.key.location(),
                names.sets.size() == kMaxSets
                    ? fmt::format("more than {} sets", kMaxSets)
                    : fmt::format("{} cannot be the name of a set", quoted(entry.key.text())),
                "names have up to 31 letters, digits, '_', '-' or '.'");
            continue;
        }
        auto handle = SetBuilder(entry, names, diagnostics).build(hash);
        if (handle != nullptr) names.sets.push_back(std::move(handle));
    }
}

void warn_of_unused_sets(const Names& names, Diagnostics& diagnostics) {
    for (const std::shared_ptr<SetHandle>& handle : names.sets) {
        if (handle->references != 0) continue;
        diagnostics.warning(
            "W106", handle->place,
            fmt::format("set {} is never used", quoted(handle->set->options().name)));
    }
}

}  // namespace rampart
