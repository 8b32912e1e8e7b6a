#include "control/api_server.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <grp.h>
#include <optional>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

namespace rampart {
namespace {

constexpr size_t kReadBytes = 64u << 10;
constexpr int kBacklog = 64;
constexpr uint64_t kRetry_us = 10'000;

tl::unexpected<Error> socket_failure(const std::string& path, const char* what) {
    return failure("control socket " + path + ": " + what + ": " + std::strerror(errno),
                   "change control.socket or run with the right to create it");
}

// Removes a socket file that no daemon serves. Fails when one does, or when it is no socket.
Result<void> remove_stale(const std::string& path, const sockaddr_un& address) {
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) return {};
    if (!S_ISSOCK(status.st_mode))
        return failure("control socket " + path + ": there is a file that is no socket",
                       "remove it or change control.socket");
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return socket_failure(path, "socket");
    const bool is_live =
        connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ||
        errno == EAGAIN;
    close(fd);
    if (is_live)
        return failure("control socket " + path + ": another daemon is serving it",
                       "stop it first, or give this one another --socket");
    if (unlink(path.c_str()) != 0) return socket_failure(path, "unlink");
    return {};
}

void set_owner(const ControlSettings& settings) {
    const group* entry = getgrnam(settings.group.c_str());
    if (entry == nullptr) {
        spdlog::warn("control socket {}: there is no group '{}', root's stays", settings.socket,
                     settings.group);
        return;
    }
    if (chown(settings.socket.c_str(), static_cast<uid_t>(-1), entry->gr_gid) != 0)
        spdlog::warn("control socket {}: chown: {}", settings.socket, std::strerror(errno));
}

Result<int> open_socket(const ControlSettings& settings) {
    const std::string& path = settings.socket;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path))
        return failure("control socket " + path + ": the path is empty or too long");
    std::memcpy(address.sun_path, path.data(), path.size());
    std::error_code ignored;  // bind reports it better
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    if (const auto removed = remove_stale(path, address); !removed)
        return tl::unexpected<Error>(removed.error());
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return socket_failure(path, "socket");
    const mode_t mask = umask(0777);  // nobody may connect before owner and mode are right
    const int bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    umask(mask);
    if (bound != 0 || listen(fd, kBacklog) != 0) {
        close(fd);
        return socket_failure(path, "bind");
    }
    set_owner(settings);
    chmod(path.c_str(), settings.mode);
    return fd;
}

ApiPeer peer_of(int fd) noexcept {
    ucred credentials{};
    socklen_t size = sizeof(credentials);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return {};
    return {credentials.uid, credentials.pid};
}

}  // namespace

// An answer under way.
struct Answer {
    std::unique_ptr<ReplyStream> stream;
    ReplyEncoder encoder;
    bool is_waiting = false;  // it had nothing to say the last time
};

struct ApiServer::Client {
    explicit Client(int descriptor) : fd(descriptor) {}
    ~Client() { close(fd); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    int fd;
    EventLoop::Source source;
    std::string input;
    std::string output;
    std::optional<Answer> answer;  // further output comes from it
    size_t written = 0;            // of output
    size_t searched = 0;           // of input: no newline before it
    bool is_ending = false;        // to be closed when `output` is written
    uint64_t last_active_s = 0;

    bool listens_on() const noexcept { return answer && answer->stream->is_endless(); }
    uint32_t wanted_events() const noexcept {
        uint32_t events = output.empty() ? 0 : uint32_t{EPOLLOUT};
        const bool reads = answer ? listens_on() : output.empty();
        if (reads && !is_ending) events |= EPOLLIN;
        return events;
    }
};

Result<std::unique_ptr<ApiServer>> ApiServer::open(EventLoop& loop, const ControlSettings& settings,
                                                   Run run) {
    const Result<int> fd = open_socket(settings);
    if (!fd) return tl::unexpected<Error>(fd.error());
    return std::unique_ptr<ApiServer>(new ApiServer(loop, *fd, settings.socket, std::move(run)));
}

ApiServer::ApiServer(EventLoop& loop, int fd, std::string path, Run run)
    : loop_(loop), fd_(fd), path_(std::move(path)), run_(std::move(run)) {
    struct stat status {};
    if (lstat(path_.c_str(), &status) == 0) inode_ = status.st_ino;
    accepting_ = loop_.on_io(fd_, EPOLLIN, [this](uint32_t) { accept_all(); });
    idle_timer_ = loop_.every(1'000'000, [this] { close_idle(); });
    slices_ = loop_.when_idle([this] { serve_streams(); });
}

ApiServer::~ApiServer() {
    struct stat status {};
    if (lstat(path_.c_str(), &status) == 0 && status.st_ino == inode_) unlink(path_.c_str());
    close(fd_);
}

void ApiServer::accept_all() {
    for (;;) {
        const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return;
        auto client = std::make_unique<Client>(fd);
        if (clients_.size() >= kMaxClients) {
            const std::string busy = render_bad_request({"too many clients", ""});
            [[maybe_unused]] const ssize_t sent = send(fd, busy.data(), busy.size(), MSG_NOSIGNAL);
            continue;
        }
        client->last_active_s = seconds_;
        client->source =
            loop_.on_io(fd, EPOLLIN, [this, fd](uint32_t events) { on_event(fd, events); });
        clients_.emplace(fd, std::move(client));
    }
}

void ApiServer::on_event(int fd, uint32_t events) {
    const auto found = clients_.find(fd);
    if (found == clients_.end()) return;
    Client& client = *found->second;
    client.last_active_s = seconds_;
    // A hang-up means that nobody reads any more, so a stream need not go on.
    bool is_alive = (events & EPOLLERR) == 0 && !(client.answer && events & EPOLLHUP);
    if (is_alive && events & EPOLLOUT) is_alive = write_some(client);
    const bool may_read = client.listens_on() || client.output.empty();
    if (is_alive && events & (EPOLLIN | EPOLLHUP) && may_read) is_alive = read_some(client);
    if (!is_alive || !update_client(client)) clients_.erase(found);
}

// After something happened to it: serves what it asked for, and waits for the next thing.
bool ApiServer::update_client(Client& client) {
    if (!run_requests(client)) return false;
    if (client.answer && client.output.empty() && !client.answer->is_waiting) slices_.trigger();
    client.source.set_events(client.wanted_events());
    return true;
}

bool ApiServer::read_some(Client& client) {
    char bytes[kReadBytes];
    const ssize_t count = recv(client.fd, bytes, sizeof(bytes), 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) client.is_ending = true;
    if (count == 0 && client.answer) {
        client.answer->stream->stop();
        client.answer->is_waiting = false;
    }
    client.input.append(bytes, static_cast<size_t>(count));
    // Only a listener is read from while its answer lasts, and it has nothing more to say.
    return !client.answer || client.input.size() <= kMaxRequestBytes;
}

// Runs the complete lines, one at a time: the next only when the reply to the last is written.
bool ApiServer::run_requests(Client& client) {
    while (client.output.empty() && !client.answer) {
        const size_t end = client.input.find('\n', client.searched);
        const size_t limit = request_limit(client.input);
        if (end == std::string::npos ? client.input.size() > limit : end > limit) {
            client.output = render_bad_request({"the line is too long", ""});
            client.input.clear();
            client.is_ending = true;
        } else if (end == std::string::npos) {
            client.searched = client.input.size();
            return !client.is_ending;
        } else {
            auto request = parse_request(std::string_view(client.input).substr(0, end));
            client.input.erase(0, end + 1);
            client.searched = 0;
            if (request) {
                request->peer = peer_of(client.fd);
                begin_answer(client, *request, run_(*request));
            } else {
                client.output = render_bad_request(request.error());
            }
        }
        if (!write_some(client)) return false;
        const bool is_done = client.output.empty() && !client.answer;
        if (client.is_ending && is_done && client.input.empty()) return false;
    }
    return true;
}

void ApiServer::begin_answer(Client& client, const ApiRequest& request, CommandOutput output) {
    if (output.stream && output.stream->is_endless() && !request.stream)
        output = CommandOutput::failed(exit_code::kUsage,
                                       "this has no end: ask for it with \"stream\":true\n");
    if (!output.stream) {
        client.output = render_reply(output, request.json);
        return;
    }
    client.answer.emplace(Answer{std::move(output.stream), {request.json, request.stream}});
    client.output = client.answer->encoder.begin(client.answer->stream->is_endless());
    client.output += client.answer->encoder.piece({{}, std::move(output.err)});
}

// One slice of one client's answer, the next client's turn after that.
void ApiServer::serve_streams() {
    const auto is_ready = [](const auto& entry) {
        const Client& client = *entry.second;
        return client.answer && client.output.empty() && !client.answer->is_waiting;
    };
    auto chosen = std::find_if(clients_.upper_bound(last_served_), clients_.end(), is_ready);
    if (chosen == clients_.end()) chosen = std::find_if(clients_.begin(), clients_.end(), is_ready);
    if (chosen == clients_.end()) return;
    last_served_ = chosen->first;
    Client& client = *chosen->second;
    make_slice(client);
    if (!write_some(client) || !update_client(client)) clients_.erase(chosen);
    if (std::any_of(clients_.begin(), clients_.end(), is_ready)) slices_.trigger();
}

void ApiServer::make_slice(Client& client) {
    Answer& answer = *client.answer;
    ReplyPiece piece;
    ReplyStream::Next next = ReplyStream::Next::Done;
    int exit = exit_code::kFailure;
    try {  // as in run_command()
        next = answer.stream->produce(piece);
        exit = answer.stream->exit_status();
    } catch (const std::exception& problem) {
        piece.err += std::string(problem.what()) + '\n';
    }
    client.output = answer.encoder.piece(std::move(piece));
    if (next == ReplyStream::Next::Done) {
        client.output += answer.encoder.end(exit);
        client.answer.reset();
    } else if (next == ReplyStream::Next::Wait) {
        answer.is_waiting = true;
        wait_for_streams();
    }
}

// Streams that wait are asked again in a moment.
void ApiServer::wait_for_streams() {
    if (is_retrying_) return;
    is_retrying_ = true;
    retry_ = loop_.every(kRetry_us, [this] {
        is_retrying_ = false;
        for (const auto& [fd, client] : clients_) {
            if (client->answer) client->answer->is_waiting = false;
        }
        slices_.trigger();
        retry_ = {};
    });
}

bool ApiServer::write_some(Client& client) {
    while (client.written < client.output.size()) {
        const ssize_t count = send(client.fd, client.output.data() + client.written,
                                   client.output.size() - client.written, MSG_NOSIGNAL);
        if (count < 0) return errno == EAGAIN || errno == EINTR;
        client.written += static_cast<size_t>(count);
        client.last_active_s = seconds_;
    }
    client.output = {};  // gives a large reply's memory back
    client.written = 0;
    return true;
}

void ApiServer::close_idle() {
    ++seconds_;
    std::erase_if(clients_, [this](const auto& entry) {
        // Whoever waits for its stream's next word is not idle.
        const Client& client = *entry.second;
        const bool is_owed = client.answer && client.output.empty();
        return !is_owed && seconds_ - client.last_active_s > kIdle_s;
    });
}

}  // namespace rampart
