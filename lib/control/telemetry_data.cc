#include "control/telemetry_data.h"

#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <rte_telemetry.h>

namespace rampart {
namespace {

constexpr size_t kNameRoom = RTE_TEL_MAX_STRING_LEN - 8;

bool is_in_names(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '/';
}

std::string unused_name(const std::string& name, std::set<std::string>& used) {
    std::string candidate = name;
    for (unsigned i = 2; !used.insert(candidate).second; ++i)
        candidate = fmt::format("{}_{}", name, i);
    return candidate;
}

std::string text_of(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number_float()) return fmt::format("{:.3f}", value.get<double>());
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_whole(const Json& value) {
    return value.is_boolean() || value.is_number_unsigned() ||
           (value.is_number_integer() && value.get<int64_t>() >= 0);
}

bool is_small_negative(const Json& value) {
    return value.is_number_integer() && value.get<int64_t>() < 0 &&
           value.get<int64_t>() >= std::numeric_limits<int>::min();
}

uint64_t number_of(const Json& value) {
    return value.is_boolean() ? uint64_t{value.get<bool>()} : value.get<uint64_t>();
}

// Of whole numbers when all elements are that, else of texts.
void fill_list(rte_tel_data* data, const Json& list) {
    const bool is_numbers = std::all_of(list.begin(), list.end(), is_whole);
    rte_tel_data_start_array(data, is_numbers ? RTE_TEL_U64_VAL : RTE_TEL_STRING_VAL);
    for (const Json& value : list) {
        if (is_numbers)
            rte_tel_data_add_array_u64(data, number_of(value));
        else
            rte_tel_data_add_array_string(data, text_of(value).c_str());
    }
}

void add_container(rte_tel_data* data, const std::string& name, const Json& value) {
    rte_tel_data* inner = rte_tel_data_alloc();
    if (inner == nullptr) return;
    if (value.is_object())
        fill(inner, value);
    else
        fill_list(inner, value);
    if (rte_tel_data_add_dict_container(data, name.c_str(), inner, /*keep=*/0) < 0)
        rte_tel_data_free(inner);
}

}  // namespace

std::string telemetry_name(std::string_view text) {
    std::string name(text.substr(0, kNameRoom));
    for (char& c : name)
        if (!is_in_names(c)) c = '_';
    return name;
}

Json page_of(const Json& list, std::string_view key, size_t first) {
    Json page = Json::object();
    std::set<std::string> used;
    size_t bytes = 0;
    for (size_t i = first; i < list.size(); ++i) {
        const std::string name =
            unused_name(telemetry_name(text_of(list[i].at(std::string(key)))), used);
        bytes += name.size() + list[i].dump().size() + 8;
        if (bytes > kTelemetryRoom_bytes || page.size() + 1 == kTelemetryEntries) {
            page["next"] = i;
            break;
        }
        page[name] = list[i];
    }
    return page;
}

void fill(rte_tel_data* data, const Json& document) {
    rte_tel_data_start_dict(data);
    for (const auto& [key, value] : document.items()) {
        const std::string name = telemetry_name(key);
        if (value.is_structured())
            add_container(data, name, value);
        else if (is_whole(value))
            rte_tel_data_add_dict_u64(data, name.c_str(), number_of(value));
        else if (is_small_negative(value))
            rte_tel_data_add_dict_int(data, name.c_str(), value.get<int>());
        else
            rte_tel_data_add_dict_string(data, name.c_str(), text_of(value).c_str());
    }
}

}  // namespace rampart
