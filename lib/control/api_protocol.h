// The control protocol: one JSON object per line, over a unix stream socket.
//
//   request   {"command":"conntrack","arguments":["-L","-p","tcp"],"json":false}
//   reply     {"exit":0,"stdout":"...","stderr":"..."}
//             {"exit":0,"result":...,"stderr":"..."}        when the request said "json":true
//
// A request with "stream":true allows an answer in several lines: any number of
//   {"more":true,"stdout":"...","stderr":"..."}
// and then a reply as above. Their texts belong together in order; with "json":true the stdouts are
// the text of the document, and the reply has no result. {"more":true,"endless":true} says that
// there is no end until the client shuts its side of the connection down.
//
// `apply` also carries "file":{"path":"...","text":"...","included":[{"path":"...","text":"..."}]},
// the last only when `include` was followed; so does `diff`. Changes of the configuration may carry
// "ssh_connection":"..." and "terminal":true. A line longer than kMaxRequestBytes must
// begin with kApplyPrefix or kDiffPrefix, and may then have kMaxApplyBytes. Whatever is malformed
// gets a reply with exit 2. Pure functions, any thread. Nothing here throws.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/source_files.h"
#include "control/json.h"
#include "control/reply_stream.h"

namespace rampart {

inline constexpr size_t kMaxRequestBytes = 64u << 10;
inline constexpr size_t kMaxApplyBytes = 16u << 20;
inline constexpr std::string_view kApplyPrefix = R"({"command":"apply")";
inline constexpr std::string_view kDiffPrefix = R"({"command":"diff")";
inline constexpr unsigned kMaxRequestDepth = 4;
inline constexpr size_t kMaxArguments = 256;

namespace exit_code {
inline constexpr int kOk = 0, kFailure = 1, kUsage = 2, kUnreachable = 3, kConfiguration = 4;
}

struct ApiFile {
    std::string path;
    std::string text;
    std::optional<std::vector<SourceText>> included;
};

// Whoever is at the other end of the socket, as the kernel tells it.
struct ApiPeer {
    uint32_t uid = UINT32_MAX;  // all bits: not known
    int32_t pid = 0;
};

struct ApiRequest {
    std::string command;
    std::vector<std::string> arguments;
    bool json = false;
    bool stream = false;
    std::optional<ApiFile> file;
    // What the client says about itself: its SSH_CONNECTION, and whether somebody looks on.
    std::string ssh_connection;
    bool is_terminal = false;
    ApiPeer peer;  // set by the server
};

// What a command answers: text for people, and a document when the request asked for JSON.
struct CommandOutput {
    int exit = exit_code::kOk;
    std::string out;
    std::string err;
    Json result = nullptr;
    // Set: the answer is made in slices, and the fields above are not used.
    std::unique_ptr<ReplyStream> stream = nullptr;

    static CommandOutput failed(int exit, std::string err) {
        return {exit, {}, std::move(err), {}, nullptr};
    }
};

// `line` without its newline.
Result<ApiRequest> parse_request(std::string_view line);
// One line, newline included. Bytes that are not UTF-8 are replaced.
std::string render_reply(const CommandOutput& output, bool json);
std::string render_bad_request(const Error& error);

// The answer of a ReplyStream, as parts of one line, or as several lines when the client reads
// them.
class ReplyEncoder {
  public:
    ReplyEncoder(bool json, bool lines) : json_(json), lines_(lines) {}

    std::string begin(bool is_endless) const;
    std::string piece(ReplyPiece piece);
    std::string end(int exit);

  private:
    bool json_;
    bool lines_;
    bool has_out_ = false;
    std::string err_;  // without lines it comes last
};

// How long a line that begins like this may become.
size_t request_limit(std::string_view beginning) noexcept;

}  // namespace rampart
