#include "client.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/result.h"
#include "control/api_protocol.h"

namespace rampart {
namespace {

using Clock = std::chrono::steady_clock;

class Connection {
  public:
    static Result<Connection> open(const std::string& path, unsigned timeout_s) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (path.size() >= sizeof(address.sun_path))
            return failure(path + ": the path is too long");
        std::memcpy(address.sun_path, path.data(), path.size());
        Connection connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                              timeout_s);
        if (connect(connection.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) !=
            0)
            return failure(path + ": " + std::strerror(errno),
                           "is rampartd running? --socket or RAMPART_SOCKET says where it listens");
        return connection;
    }
    ~Connection() {
        if (fd_ >= 0) close(fd_);
    }
    Connection(Connection&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), deadline_(other.deadline_) {}
    Connection& operator=(Connection&&) = delete;

    Result<void> send_all(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count > 0)
                bytes.remove_prefix(static_cast<size_t>(count));
            else if (errno == EPIPE || errno == ECONNRESET)
                return {};  // refused: the reply says why
            else if (const auto ready = wait_for(POLLOUT); !ready)
                return ready;
        }
        return {};
    }

    Result<std::string> read_line() {
        std::string line;
        char bytes[65536];
        for (;;) {
            const ssize_t count = recv(fd_, bytes, sizeof(bytes), 0);
            if (count == 0 || (count < 0 && errno == ECONNRESET))
                return failure("the daemon closed the connection");
            if (count < 0) {
                if (const auto ready = wait_for(POLLIN); !ready)
                    return tl::unexpected<Error>(ready.error());
                continue;
            }
            line.append(bytes, static_cast<size_t>(count));
            if (line.back() == '\n') return line;
        }
    }

  private:
    Connection(int fd, unsigned timeout_s)
        : fd_(fd), deadline_(Clock::now() + std::chrono::seconds(timeout_s)) {}

    Result<void> wait_for(short events) {
        if (errno != EAGAIN && errno != EINTR) return failure(std::strerror(errno));
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now());
        pollfd waiting{fd_, events, 0};
        if (left.count() <= 0 || poll(&waiting, 1, static_cast<int>(left.count())) == 0)
            return failure("the daemon does not answer", "--timeout allows it more seconds");
        return {};
    }

    int fd_;
    Clock::time_point deadline_;
};

int unreachable(const Error& error) {
    std::cerr << "rampartctl: " << error.message << '\n';
    if (!error.hint.empty()) std::cerr << "    hint: " << error.hint << '\n';
    return exit_code::kUnreachable;
}

// The file that `apply` names: the first word that is no option; "-" is standard input.
std::optional<std::string> file_argument(const std::vector<std::string>& arguments) {
    for (const std::string& word : arguments) {
        if (word == "-" || !word.starts_with('-')) return word;
    }
    return std::nullopt;
}

std::optional<std::string> read_text(const std::string& path) {
    std::ifstream file;
    if (path != "-") {
        file.open(path, std::ios::binary);
        if (!file) return std::nullopt;
    }
    std::istream& input = path == "-" ? std::cin : file;
    std::string text{std::istreambuf_iterator<char>(input), {}};
    if (input.bad() || (path != "-" && file.fail())) return std::nullopt;
    return text;
}

int print_reply(const std::string& line, bool json) {
    const Json reply = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!reply.is_object()) return unreachable({"the daemon's answer is no JSON object", ""});
    const int exit = reply.value("exit", exit_code::kFailure);
    std::cerr << reply.value("stderr", "");
    if (!json) {
        std::cout << reply.value("stdout", "");
    } else if (const auto result = reply.find("result");
               result != reply.end() && !result->is_null()) {
        std::cout << result->dump(isatty(STDOUT_FILENO) ? 2 : -1) << '\n';
    }
    std::cout.flush();
    return exit;
}

}  // namespace

int run_remote(const ClientOptions& options, const std::string& command,
               const std::vector<std::string>& arguments) {
    Json request{{"command", command}, {"arguments", arguments}, {"json", options.json}};
    const auto path = command == "apply" ? file_argument(arguments) : std::nullopt;
    if (path) {
        const auto text = read_text(*path);
        if (!text) {
            std::cerr << *path << ": error: cannot be read: " << std::strerror(errno) << '\n';
            return exit_code::kConfiguration;
        }
        request["file"] = {{"path", *path}, {"text", *text}};
    }
    auto connection = Connection::open(options.socket, options.timeout_s);
    if (!connection) return unreachable(connection.error());
    const std::string line = request.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
    if (const auto sent = connection->send_all(line); !sent) return unreachable(sent.error());
    const auto reply = connection->read_line();
    if (!reply) return unreachable(reply.error());
    return print_reply(*reply, options.json);
}

}  // namespace rampart
