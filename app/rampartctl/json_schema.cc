#include "json_schema.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/schema.h"
#include "conntrack/settings.h"
#include "rules/statement.h"
#include "rules/target.h"

namespace rampart {
namespace {

// Keys stay in the order of the tables.
using Json = nlohmann::ordered_json;

constexpr std::string_view kNamePattern = "\\$[A-Za-z0-9_-]+";

Json reference_to(std::string_view definition) {
    return {{"$ref", fmt::format("#/definitions/{}", definition)}};
}

// A description beside "$ref" would be ignored (draft 07, 8.3).
Json described(Json type, std::string_view text) {
    if (type.contains("$ref")) type = {{"allOf", Json::array({std::move(type)})}};
    type["description"] = text;
    return type;
}

// Names that users give; what they may look like is the loader's to say.
Json map_of(Json value) {
    return {{"type", "object"}, {"additionalProperties", std::move(value)}};
}

Json one_or_list(Json item) {
    Json list{{"type", "array"}, {"items", item}};
    return {{"anyOf", Json::array({std::move(item), std::move(list)})}};
}

// A name of `define` may stand for any value.
Json name_form() {
    return {{"type", "string"}, {"pattern", fmt::format("^{}$", kNamePattern)}};
}

// Values parse from their text, so a number may be quoted.
Json text_form(std::string_view pattern) {
    return {{"type", "string"}, {"pattern", fmt::format("^({}|{})$", pattern, kNamePattern)}};
}

Json choice_of(std::string_view words) {
    Json list = Json::array();
    while (!words.empty()) {
        const size_t end = std::min(words.find('|'), words.size());
        list.push_back(words.substr(0, end));
        words.remove_prefix(std::min(end + 1, words.size()));
    }
    return {{"anyOf", Json::array({{{"enum", list}}, name_form()})}};
}

bool has_section(const std::string& section) {
    return !schema_names(section).empty();
}

Json object_of(const std::string& section);

Json map_type(const std::string& section) {
    if (section == "define") return map_of(reference_to("words"));
    if (section == "zones") return map_of(reference_to("words"));
    if (section == "conntrack.timeouts") return reference_to("timeouts");
    if (section == "rule.not") return reference_to("not");
    if (section == "chains") {
        Json rules{{"type", "array"}, {"items", reference_to("rule")}};
        return map_of({{"anyOf", Json::array({std::move(rules), object_of("chains.*")})}});
    }
    if (has_section(section + ".*")) return map_of(object_of(section + ".*"));
    if (has_section(section)) return object_of(section);
    return {{"type", "object"}};
}

Json number_type(const SchemaKey& key) {
    Json number{{"type", "integer"}, {"minimum", key.min}, {"maximum", key.max}};
    return {{"anyOf", Json::array({std::move(number), text_form("[0-9]+")})}};
}

Json type_of(const SchemaKey& key) {
    switch (key.type) {
        case KeyType::Map:
            return map_type(key.section.empty() ? std::string(key.name)
                                                : fmt::format("{}.{}", key.section, key.name));
        case KeyType::List:
            if (key.section == "chains.*" || key.section == "nat")
                return {{"type", Json::array({"array", "null"})}, {"items", reference_to("rule")}};
            if (key.section == "sets.*") return one_or_list(reference_to("words"));
            return reference_to("words");
        case KeyType::Text:
            return key.words.empty() ? reference_to("word") : choice_of(key.words);
        case KeyType::Number:
            return number_type(key);
        case KeyType::Switch:
            return reference_to("switch");
        case KeyType::Duration:
            return reference_to("duration");
        case KeyType::Size:
            break;
    }
    return reference_to("size");
}

void add_properties(Json& properties, std::string_view section) {
    for (const SchemaKey& key : schema_keys()) {
        if (key.section != section || !key.built) continue;
        Json type = described(type_of(key), key.help);
        if (!key.default_text.empty())
            type["description"] = fmt::format("{} Default: {}.", key.help, key.default_text);
        properties[key.name] = std::move(type);
    }
}

Json closed_object(Json properties) {
    return {
        {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
}

Json object_of(const std::string& section) {
    Json properties = Json::object();
    add_properties(properties, section);
    return closed_object(std::move(properties));
}

std::string text_of(const Help& help) {
    std::string text(help.summary);
    if (!help.values.empty()) text += fmt::format(" Values: {}.", help.values);
    if (!help.example.empty()) text += fmt::format(" Example: {}", help.example);
    return text;
}

Json matches() {
    Json properties = Json::object();
    for (const MatchType* type : match_types())
        properties[type->key] = described(reference_to("match"), text_of(type->help));
    return properties;
}

Json rule() {
    Json properties = matches();
    for (const StatementType* type : statement_types())
        properties[type->key] = described(reference_to("match"), text_of(type->help));
    Json actions = Json::array();
    for (const TargetType* type : target_types()) {
        if (type->own_key)
            properties[type->name] =
                described(reference_to((type->hooks & kFilterHooks) != 0 ? "word" : "match"),
                          text_of(type->help));
        else
            actions.push_back(type->name);
        for (const std::string_view option : type->options)
            properties[option] = described(reference_to("match"), text_of(type->help));
    }
    add_properties(properties, "rule");
    properties["action"] = described({{"enum", std::move(actions)}}, "What happens to the packet.");
    return closed_object(std::move(properties));
}

Json timeouts() {
    Json properties = Json::object();
    for (const TimeoutInfo& timeout : kTimeouts) {
        properties[timeout.name] = reference_to("duration");
    }
    return closed_object(std::move(properties));
}

Json definitions() {
    const Json word{{"type", Json::array({"string", "number", "boolean"})}};
    const Json list{{"type", "array"}, {"items", reference_to("word")}};
    Json all = Json::object();
    all["word"] = word;
    all["words"] = one_or_list(reference_to("word"));
    all["switch"] = {{"anyOf", Json::array({{{"type", "boolean"}}, text_form("true|false")})}};
    all["duration"] = {{"anyOf", Json::array({{{"type", "integer"}, {"minimum", 0}},
                                              text_form("([0-9]+[smhd]?)+")})}};
    all["size"] = {
        {"anyOf", Json::array({{{"type", "integer"}, {"minimum", 0}}, text_form("[0-9]+[KMG]?")})}};
    all["match"] = {{"anyOf", Json::array({reference_to("words"), {{"type", "object"}}})}};
    all["timeouts"] = timeouts();
    all["not"] = closed_object(matches());
    all["rule"] = rule();
    return all;
}

}  // namespace

std::string render_json_schema() {
    Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
                {"title", "Rampart configuration"},
                {"description",
                 "Written by `rampartctl schema` from the tables of the loader. It finds misspelt "
                 "keys while they are typed; `rampartctl check` says the rest."}};
    const Json top = object_of("");
    for (const auto& [key, value] : top.items())
        schema[key] = value;
    schema["required"] = Json::array({"version"});
    schema["definitions"] = definitions();
    return schema.dump(2) + '\n';
}

}  // namespace rampart
