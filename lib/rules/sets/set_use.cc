#include "rules/sets/set_use.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "packet/ip_protocol.h"
#include "rules/protocols.h"

namespace rampart {
namespace {

constexpr std::string_view kFieldNames[] = {"src",   "dst",     "sport", "dport",
                                            "proto", "mac_src", "in",    "out"};

bool fits(SetField field, SetPart part) noexcept {
    switch (field) {
        case SetField::Src:
        case SetField::Dst:
            return part == SetPart::Ip || part == SetPart::Net;
        case SetField::Sport:
        case SetField::Dport:
            return part == SetPart::Port;
        case SetField::Proto:
            return part == SetPart::Proto;
        case SetField::MacSrc:
            return part == SetPart::Mac;
        case SetField::In:
        case SetField::Out:
            break;
    }
    return part == SetPart::Iface;
}

// What the configuration no longer says is in a dynamic set that goes on.
void drop_unlisted(SetHandle& handle, const Now& now) {
    std::vector<SetElement> gone;
    SetCursor cursor;
    SetEntry entry;
    while (handle.set->next(cursor, entry, now)) {
        if (!entry.at_run_time && !handle.contents.contains(entry.element))
            gone.push_back(entry.element);
    }
    for (const SetElement& element : gone)
        handle.set->remove(element);
}

}  // namespace

std::string_view to_string(SetField field) noexcept {
    return kFieldNames[static_cast<size_t>(field)];
}

std::vector<std::string_view> set_field_names() {
    return {std::begin(kFieldNames), std::end(kFieldNames)};
}

std::vector<SetField> default_fields(const SetType& type) {
    std::vector<SetField> fields;
    unsigned addresses = 0;
    const bool has_two = std::count_if(type.parts.begin(), type.parts.begin() + type.count,
                                       [](SetPart part) { return part == SetPart::Net; }) == 2;
    for (unsigned i = 0; i < type.count; ++i) {
        switch (type.parts[i]) {
            case SetPart::Ip:
            case SetPart::Net:
                fields.push_back(has_two && addresses++ == 0 ? SetField::Src : SetField::Dst);
                break;
            case SetPart::Proto:
                fields.push_back(SetField::Proto);
                break;
            case SetPart::Port:
                fields.push_back(SetField::Dport);
                break;
            case SetPart::Mac:
                fields.push_back(SetField::MacSrc);
                break;
            case SetPart::Iface:
                fields.push_back(SetField::In);
        }
    }
    return fields;
}

bool SetUse::element_of(const RuleInput& input, SetElement& element) const noexcept {
    const Tuple& tuple = input.tuple;
    unsigned addresses = 0;
    const auto set_address = [&](const AddressBytes& bytes) {
        element.address[addresses] = bytes;
        element.length[addresses++] = tuple.family == Family::Ipv4 ? 32 : 128;
        element.family = tuple.family;
    };
    for (unsigned i = 0; i < count; ++i) {
        switch (fields[i]) {
            case SetField::Src:
                set_address(tuple.src);
                break;
            case SetField::Dst:
                set_address(tuple.dst);
                break;
            case SetField::Sport:
            case SetField::Dport:
                if (!has_ports(tuple.protocol)) return false;
                element.port =
                    (fields[i] == SetField::Sport ? tuple.src_port : tuple.dst_port).host();
                break;
            case SetField::Proto:
                element.protocol = tuple.protocol;
                break;
            case SetField::MacSrc:
                std::memcpy(element.address[0].data(), input.packet.frame + 6, 6);
                break;
            case SetField::In:
            case SetField::Out:
                element.interface = fields[i] == SetField::In ? input.in : input.out;
                if (element.interface >= kMaxInterfaces) return false;
        }
    }
    return true;
}

bool SetUse::holds(const RuleInput& input) const noexcept {
    SetElement element;
    return element_of(input, element) && handle->set->holds(element, input.now.tick);
}

void SetUses::note(const RuleInput& input) const noexcept {
    for (const SetUse& use : uses_) {
        SetElement element;
        if (use.handle->set->options().has_counters && use.element_of(input, element))
            use.handle->set->count(element, input.now.tick, input.packet.ip_length);
    }
}

bool SetUses::depend_on_packet() const noexcept {
    return std::any_of(uses_.begin(), uses_.end(), [](const SetUse& use) {
        return use.handle->set->is_dynamic() || use.handle->set->type().has(SetPart::Mac);
    });
}

bool SetUses::any_counted() const noexcept {
    return std::any_of(uses_.begin(), uses_.end(),
                       [](const SetUse& use) { return use.handle->set->options().has_counters; });
}

void SetUses::append_words(std::vector<std::string>& words) const {
    for (const SetUse& use : uses_)
        words.push_back("@" + use.handle->set->options().name);
}

std::shared_ptr<SetHandle> find_set(std::string_view name, const Location& at,
                                    ParseContext& context) {
    if (name.starts_with('@')) name.remove_prefix(1);
    std::vector<std::string_view> known;
    for (const std::shared_ptr<SetHandle>& handle : context.names.sets) {
        if (handle->set->options().name == name) return handle;
        known.push_back(handle->set->options().name);
    }
    std::string hint = did_you_mean(name, known);
    if (hint.empty() && !known.empty()) hint = "known sets: " + listed(known);
    if (hint.empty()) hint = "sets are defined under 'sets'";
    context.diagnostics.error("E012", at, fmt::format("no set named {}", quoted(name)),
                              std::move(hint));
    return nullptr;
}

std::optional<SetUse> use_set(const std::shared_ptr<SetHandle>& handle,
                              const std::vector<SetField>& fields, const Location& at,
                              ParseContext& context) {
    const SetType& type = handle->set->type();
    bool is_good = fields.size() == type.count;
    for (size_t i = 0; i < fields.size() && is_good; ++i)
        is_good = fits(fields[i], type.parts[i]);
    if (!is_good) {
        std::string words;
        for (const SetField field : fields)
            words += fmt::format("{}{}", words.empty() ? "" : ",", to_string(field));
        const bool is_tuple = type.count > 1 && fields.size() == 1;
        context.diagnostics.error(
            "E019", at,
            fmt::format("the set {} is of type {} and cannot be looked up by {}",
                        quoted(handle->set->options().name), type.name, words),
            is_tuple ? fmt::format("write  match: \"@{}\"", handle->set->options().name)
                     : std::string());
        return std::nullopt;
    }
    SetUse use;
    use.handle = handle;
    use.count = static_cast<uint8_t>(fields.size());
    std::copy(fields.begin(), fields.end(), use.fields.begin());
    ++handle->references;
    if ((context.scope.hooks & ~static_cast<HookMask>(Hook::Raw)) != 0)
        handle->is_in_verdicts = true;
    return use;
}

bool read_set_use(const Value& item, SetField field, SetUses& uses, bool& good,
                  ParseContext& context) {
    if (!item.text().starts_with('@')) return false;
    const auto handle = find_set(item.text(), item.location(), context);
    auto use = handle ? use_set(handle, {field}, item.location(), context) : std::nullopt;
    good = good && use.has_value();
    if (use) uses.add(std::move(*use));
    return true;
}

void carry_sets(const Names& from, Names& to, const Now& now) {
    for (const std::shared_ptr<SetHandle>& handle : to.sets) {
        const SetOptions& options = handle->set->options();
        const auto earlier = std::find_if(
            from.sets.begin(), from.sets.end(),
            [&](const auto& other) { return other->set->options().name == options.name; });
        if (earlier == from.sets.end()) continue;
        const SetOptions& before = (*earlier)->set->options();
        if (before.type != options.type) continue;
        const bool is_same = options.is_dynamic && before.is_dynamic && before.max == options.max &&
                             before.has_counters == options.has_counters;
        if (!is_same) {
            handle->set->adopt(*(*earlier)->set, now);
            continue;
        }
        const uint32_t timeout_s = options.timeout_s;  // `options` ends with the handle's own set
        handle->set = (*earlier)->set;
        handle->set->set_timeout(timeout_s);
        drop_unlisted(*handle, now);
        for (const SetElement& element : handle->contents.others)
            handle->set->configure(element, now);
    }
}

}  // namespace rampart
