#include "client.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
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
#include "change_words.h"
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
        : fd_(std::exchange(other.fd_, -1)), timeout_(other.timeout_), deadline_(other.deadline_) {}
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

    // The next line, without its newline.
    Result<std::string> read_line() {
        char bytes[65536];
        for (size_t searched = 0;;) {
            if (const size_t end = input_.find('\n', searched); end != input_.npos) {
                std::string line = input_.substr(0, end);
                input_.erase(0, end + 1);
                return line;
            }
            searched = input_.size();
            const ssize_t count = recv(fd_, bytes, sizeof(bytes), 0);
            if (count == 0 || (count < 0 && errno == ECONNRESET))
                return failure("the daemon closed the connection");
            if (count < 0) {
                if (const auto ready = wait_for(POLLIN); !ready)
                    return tl::unexpected<Error>(ready.error());
                continue;
            }
            deadline_ = Clock::now() + timeout_;
            input_.append(bytes, static_cast<size_t>(count));
        }
    }

    // There may be long silences from now on; an interrupt asks for the end, and so may `sink`,
    // which can be null.
    void expect_no_end(AnswerSink* sink) {
        is_endless_ = true;
        sink_ = sink;
        struct sigaction action {};
        action.sa_handler = [](int) { is_interrupted = 1; };
        action.sa_flags = static_cast<int>(SA_RESETHAND);  // the second one ends this program
        sigaction(SIGINT, &action, nullptr);
        sigaction(SIGTERM, &action, nullptr);
    }

    // The rest of the answer is wanted soon.
    void ask_for_end() {
        if (!is_endless_) return;
        deadline_ = Clock::now() + timeout_;
        is_endless_ = false;
        shutdown(fd_, SHUT_WR);
    }

  private:
    Connection(int fd, unsigned timeout_s)
        : fd_(fd), timeout_(timeout_s), deadline_(Clock::now() + timeout_) {}

    Result<void> wait_for(short events) {
        if (errno != EAGAIN && errno != EINTR) return failure(std::strerror(errno));
        if (is_interrupted) {
            is_interrupted = 0;
            ask_for_end();
        }
        using std::chrono::milliseconds;
        const auto left = is_endless_
                              ? kLookAround
                              : std::chrono::duration_cast<milliseconds>(deadline_ - Clock::now());
        pollfd waiting[] = {{fd_, events, 0}, {sink_ != nullptr ? sink_->input() : -1, POLLIN, 0}};
        const bool is_over =
            left.count() <= 0 || poll(waiting, 2, static_cast<int>(left.count())) == 0;
        if (is_endless_ && sink_ != nullptr && !sink_->look_at_input()) ask_for_end();
        if (is_over && !is_endless_)
            return failure("the daemon does not answer", "--timeout allows it more seconds");
        return {};
    }

    // A signal that comes just before poll() is noticed after this.
    static constexpr std::chrono::milliseconds kLookAround{200};
    static inline volatile std::sig_atomic_t is_interrupted = 0;

    int fd_;
    std::chrono::seconds timeout_;
    Clock::time_point deadline_;  // of the next byte
    bool is_endless_ = false;
    AnswerSink* sink_ = nullptr;
    std::string input_;  // received, behind the last line that was read
};

int unreachable(const Error& error) {
    std::cerr << "rampartctl: " << error.message << '\n';
    if (!error.hint.empty()) std::cerr << "    hint: " << error.hint << '\n';
    return exit_code::kUnreachable;
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

// What a line says, in the order of the lines; the last one has the exit status.
void print_line(const Json& line, bool json) {
    std::cout << line.value("stdout", "");
    if (const auto result = line.find("result"); json && result != line.end() && !result->is_null())
        std::cout << result->dump(isatty(STDOUT_FILENO) ? 2 : -1) << '\n';
    std::cout.flush();
    std::cerr << line.value("stderr", "");
}

int print_answer(Connection& connection, bool json, AnswerSink* sink) {
    for (char last = '\n';;) {  // a document comes without a newline of its own
        const auto text = connection.read_line();
        if (!text && sink != nullptr) sink->finish();
        if (!text) return unreachable(text.error());
        const Json line = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
        if (!line.is_object()) return unreachable({"the daemon's answer is no JSON object", ""});
        if (sink != nullptr && line.value("more", false)) {
            if (line.value("endless", false)) connection.expect_no_end(sink);
            if (!sink->take(line.value("stdout", ""))) connection.ask_for_end();
            std::cerr << line.value("stderr", "");
            continue;
        }
        if (sink != nullptr) sink->finish();
        print_line(line, json);
        if (sink != nullptr && line.value("exit", exit_code::kFailure) == exit_code::kOk)
            return sink->exit_status();
        if (!std::cout) return exit_code::kFailure;  // nobody reads what is printed
        if (!line.value("more", false)) {
            if (last != '\n') std::cout << std::endl;
            return line.value("exit", exit_code::kFailure);
        }
        if (const std::string out = line.value("stdout", ""); json && !out.empty())
            last = out.back();
        if (line.value("endless", false)) connection.expect_no_end(nullptr);
    }
}

}  // namespace

int run_remote(const ClientOptions& options, const std::string& command,
               const std::vector<std::string>& words, AnswerSink* sink) {
    const std::vector<std::string> arguments =
        changes_configuration(command) ? with_confirm_time(words) : words;
    Json request{
        {"command", command}, {"arguments", arguments}, {"json", options.json}, {"stream", true}};
    if (const char* ssh = std::getenv("SSH_CONNECTION"); changes_configuration(command) && ssh)
        request["ssh_connection"] = ssh;
    if (changes_configuration(command)) request["terminal"] = isatty(STDIN_FILENO) == 1;
    const auto path = file_argument(command, arguments);
    if (path) {
        const auto text = read_text(*path);
        if (!text) {
            std::cerr << *path << ": error: cannot be read: " << std::strerror(errno) << '\n';
            return exit_code::kConfiguration;
        }
        Diagnostics diagnostics;
        const auto included = read_included({*path, *text}, diagnostics);
        if (!included) {
            std::cerr << diagnostics.to_text();
            return exit_code::kConfiguration;
        }
        request["file"] = {{"path", *path}, {"text", *text}, {"included", Json::array()}};
        for (const SourceText& source : *included)
            request["file"]["included"].push_back({{"path", source.path}, {"text", source.text}});
    }
    auto connection = Connection::open(options.socket, options.timeout_s);
    if (!connection) return unreachable(connection.error());
    const std::string line = request.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
    if (const auto sent = connection->send_all(line); !sent) return unreachable(sent.error());
    return print_answer(*connection, options.json, sink);
}

}  // namespace rampart
