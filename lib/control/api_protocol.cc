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

Result<SourceText> read_source(const Json& object, const std::string& what) {
    if (!object.is_object()) return failure(what + " is not an object");
    const std::string* path = find_string(object, "path");
    const std::string* text = find_string(object, "text");
    if (path == nullptr || text == nullptr || holds_nul(*path))
        return failure(what + " needs the strings 'path' and 'text'");
    return SourceText{*path, *text};
}

Result<void> read_file(const Json& request, ApiRequest& result) {
    const auto found = request.find("file");
    if (found == request.end()) return {};
    auto main = read_source(*found, "'file'");
    if (!main) return tl::unexpected<Error>(main.error());
    result.file = ApiFile{std::move(main->path), std::move(main->text), std::nullopt};
    const auto included = found->find("included");
    if (included == found->end()) return {};
    if (!included->is_array() || included->size() > kMaxIncluded)
        return failure("'included' is not a list of at most " + std::to_string(kMaxIncluded) +
                       " files");
    result.file->included.emplace();
    for (const Json& item : *included) {
        auto source = read_source(item, "each of 'included'");
        if (!source) return tl::unexpected<Error>(source.error());
        result.file->included->push_back(std::move(*source));
    }
    return {};
}

std::string to_text(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_line(const Json& object) {
    return to_text(object) + '\n';
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
    if (const auto stream = request.find("stream"); stream != request.end()) {
        if (!stream->is_boolean()) return failure("'stream' is neither true nor false");
        result.stream = stream->get<bool>();
    }
    if (const std::string* ssh = find_string(request, "ssh_connection"); ssh != nullptr)
        result.ssh_connection = *ssh;
    if (const auto terminal = request.find("terminal"); terminal != request.end())
        result.is_terminal = *terminal == true;
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

std::string ReplyEncoder::begin(bool is_endless) const {
    if (lines_) return is_endless ? to_line({{"more", true}, {"endless", true}}) : std::string();
    return json_ ? R"({"result":)" : R"({"stdout":")";
}

std::string ReplyEncoder::piece(ReplyPiece piece) {
    has_out_ |= !piece.out.empty();
    if (!lines_) {
        err_ += piece.err;
        if (json_) return std::move(piece.out);
        const std::string quoted = to_text(piece.out);
        return quoted.substr(1, quoted.size() - 2);
    }
    if (piece.out.empty() && piece.err.empty()) return {};
    Json line{{"more", true}};
    if (!piece.out.empty()) line["stdout"] = std::move(piece.out);
    if (!piece.err.empty()) line["stderr"] = std::move(piece.err);
    return to_line(line);
}

std::string ReplyEncoder::end(int exit) {
    if (lines_) return to_line({{"exit", exit}, {"stderr", ""}});
    const char* rest = !json_ ? "\"" : has_out_ ? "" : "null";
    return std::string(rest) + R"(,"stderr":)" + to_text(err_) + R"(,"exit":)" +
           std::to_string(exit) + "}\n";
}

std::string render_bad_request(const Error& error) {
    return to_line({{"exit", exit_code::kUsage},
                    {"stdout", ""},
                    {"stderr", "bad request: " + error.message + "\n"}});
}

size_t request_limit(std::string_view beginning) noexcept {
    const bool has_file = beginning.starts_with(kApplyPrefix) || beginning.starts_with(kDiffPrefix);
    return has_file ? kMaxApplyBytes : kMaxRequestBytes;
}

}  // namespace rampart
