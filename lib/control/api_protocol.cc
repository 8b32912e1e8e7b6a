#include "control/api_protocol.h"

namespace rampart {
namespace {

// The JSON parser builds what it is given; nesting is bounded before it starts.
bool is_too_deep(std::string_view line) noexcept {
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (in_string) {
            if (c == '\\') ++i;
            if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > kMaxRequestDepth) return true;
        } else if ((c == '}' || c == ']') && depth != 0) {
            --depth;
        }
    }
    return false;
}

bool holds_nul(const std::string& text) noexcept {
    return text.find('\0') != std::string::npos;
}

// The string under `key`, or null.
const std::string* find_string(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

Result<void> read_arguments(const Json& request, ApiRequest& result) {
    const auto found = request.find("arguments");
    if (found == request.end()) return {};
    if (!found->is_array() || found->size() > kMaxArguments)
        return failure("'arguments' is not a list of at most " + std::to_string(kMaxArguments) +
                       " strings");
    for (const Json& item : *found) {
        const std::string* text = item.get_ptr<const std::string*>();
        if (text == nullptr || holds_nul(*text))
            return failure("'arguments' holds something that is not a plain string");
        result.arguments.push_back(*text);
    }
    return {};
}

Result<void> read_file(const Json& request, ApiRequest& result) {
    const auto found = request.find("file");
    if (found == request.end()) return {};
    if (!found->is_object()) return failure("'file' is not an object");
    const std::string* path = find_string(*found, "path");
    const std::string* text = find_string(*found, "text");
    if (path == nullptr || text == nullptr || holds_nul(*path))
        return failure("'file' needs the strings 'path' and 'text'");
    result.file = ApiFile{*path, *text};
    return {};
}

std::string to_line(const Json& object) {
    return object.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace

Result<ApiRequest> parse_request(std::string_view line) {
    if (is_too_deep(line)) return failure("nested too deep");
    const Json request = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (request.is_discarded()) return failure("not JSON");
    if (!request.is_object()) return failure("not a JSON object");
    const std::string* command = find_string(request, "command");
    if (command == nullptr) return failure("'command' is missing or no string");
    ApiRequest result;
    result.command = *command;
    if (const auto json = request.find("json"); json != request.end()) {
        if (!json->is_boolean()) return failure("'json' is neither true nor false");
        result.json = json->get<bool>();
    }
    if (const auto read = read_arguments(request, result); !read)
        return tl::unexpected<Error>(read.error());
    if (const auto read = read_file(request, result); !read)
        return tl::unexpected<Error>(read.error());
    return result;
}

std::string render_reply(const CommandOutput& output, bool json) {
    Json reply{{"exit", output.exit}};
    if (json)
        reply["result"] = output.result;
    else
        reply["stdout"] = output.out;
    reply["stderr"] = output.err;
    return to_line(reply);
}

std::string render_bad_request(const Error& error) {
    return to_line({{"exit", exit_code::kUsage},
                    {"stdout", ""},
                    {"stderr", "bad request: " + error.message + "\n"}});
}

size_t request_limit(std::string_view beginning) noexcept {
    return beginning.starts_with(kApplyPrefix) ? kMaxApplyBytes : kMaxRequestBytes;
}

}  // namespace rampart
