// The server with answers that come in slices: order, fairness, slow and vanishing clients.
#include "control/api_server.h"

#include <cstdlib>
#include <filesystem>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include <catch2/catch.hpp>

using namespace rampart;

namespace {

// Counts how often it was asked, so that a test sees whether anybody still wants it.
struct Watch {
    std::atomic<int> slices{0};
    std::atomic<int> alive{0};
};

class Numbers final : public ReplyStream {
  public:
    Numbers(Watch& watch, int count, size_t bytes, const ApiRequest& request)
        : watch_(watch),
          count_(count),
          bytes_(bytes),
          is_endless_(request.command == "endless"),
          is_text_(!request.json) {
        ++watch_.alive;
    }
    ~Numbers() override { --watch_.alive; }

    Next produce(ReplyPiece& piece) override {
        ++watch_.slices;
        if (is_stopped_ || (next_ == count_ && !is_endless_)) {
            piece.err = "done\n";
            return Next::Done;
        }
        if (next_ == count_) return Next::Wait;
        piece.out = std::to_string(next_++) + std::string(bytes_, '.') + (is_text_ ? "\n" : "");
        return next_ % 2 ? Next::More : Next::Wait;
    }
    int exit_status() const override { return 7; }
    bool is_endless() const override { return is_endless_; }
    void stop() override { is_stopped_ = true; }

  private:
    Watch& watch_;
    int count_;
    size_t bytes_;
    bool is_endless_;
    bool is_text_;
    bool is_stopped_ = false;
    int next_ = 0;
};

// A server on a thread of its own.
class Bed {
  public:
    Bed() {
        char pattern[] = "/tmp/rampart-test-XXXXXX";
        directory_ = mkdtemp(pattern);
        ControlSettings settings;
        settings.socket = (directory_ / "socket").string();
        settings.group = "root";
        loop_ = std::move(*EventLoop::create());
        server_ = std::move(*ApiServer::open(
            *loop_, settings, [this](const ApiRequest& request) { return run(request); }));
        stopper_ = loop_->every(5'000, [this] {
            if (is_over_) loop_->stop();
        });
        thread_ = std::thread([this] { loop_->run(); });
    }
    ~Bed() {
        is_over_ = true;
        thread_.join();
        server_.reset();
        std::filesystem::remove_all(directory_);
    }

    int connect_client() {
        const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string path = (directory_ / "socket").string();
        path.copy(address.sun_path, sizeof(address.sun_path) - 1);
        REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
        return fd;
    }
    int ask(const std::string& line) {
        const int fd = connect_client();
        REQUIRE(write(fd, (line + "\n").data(), line.size() + 1) > 0);
        return fd;
    }
    Watch watch;

  private:
    CommandOutput run(const ApiRequest& request) {
        CommandOutput output;
        const auto number = [&](size_t i) { return std::atoi(request.arguments[i].c_str()); };
        if (request.command == "quick") {
            output.out = "quick\n";
            return output;
        }
        output.stream =
            std::make_unique<Numbers>(watch, number(0), static_cast<size_t>(number(1)), request);
        return output;
    }

    std::filesystem::path directory_;
    std::unique_ptr<EventLoop> loop_;
    std::unique_ptr<ApiServer> server_;
    EventLoop::Source stopper_;
    std::atomic<bool> is_over_{false};
    std::thread thread_;
};

// Takes no more from the socket than the line: the next call begins behind it.
std::string read_line(int fd) {
    std::string line;
    char bytes[65536];
    for (;;) {
        const ssize_t seen = recv(fd, bytes, sizeof(bytes), MSG_PEEK);
        if (seen <= 0) return line;
        const std::string_view text(bytes, static_cast<size_t>(seen));
        const size_t end = text.find('\n');
        const size_t taken = end == text.npos ? text.size() : end + 1;
        line += text.substr(0, end == text.npos ? taken : end);
        REQUIRE(recv(fd, bytes, taken, 0) == static_cast<ssize_t>(taken));
        if (end != text.npos) return line;
    }
}

// All lines up to the one without "more".
std::vector<Json> read_answer(int fd) {
    std::vector<Json> lines;
    do
        lines.push_back(Json::parse(read_line(fd)));
    while (lines.back().value("more", false));
    return lines;
}

bool wait_until(auto condition) {
    for (int i = 0; i < 500 && !condition(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return condition();
}

}  // namespace

TEST_CASE("an answer in slices comes in lines, in order, and ends with its exit status") {
    Bed bed;
    const int fd = bed.ask(R"({"command":"count","arguments":["5","0"],"stream":true})");
    std::string out, err;
    const auto lines = read_answer(fd);
    for (const Json& line : lines) {
        out += line.value("stdout", "");
        err += line.value("stderr", "");
    }
    CHECK(lines.size() == 7);
    CHECK(out == "0\n1\n2\n3\n4\n");
    CHECK(err == "done\n");
    CHECK(lines.back()["exit"] == 7);
    CHECK(wait_until([&] { return bed.watch.alive == 0; }));
    close(fd);
}

TEST_CASE("a client that does not know slices gets one line") {
    Bed bed;
    int fd = bed.ask(R"({"command":"count","arguments":["3","0"]})");
    const Json text = Json::parse(read_line(fd));
    CHECK(text["stdout"] == "0\n1\n2\n");
    CHECK(text["stderr"] == "done\n");
    CHECK(text["exit"] == 7);
    // The next request of the same connection is served as well.
    const std::string again = "{\"command\":\"quick\"}\n";
    REQUIRE(write(fd, again.data(), again.size()) > 0);
    CHECK(Json::parse(read_line(fd))["stdout"] == "quick\n");
    close(fd);
    fd = bed.ask(R"({"command":"count","arguments":["1","0"],"json":true})");
    CHECK(Json::parse(read_line(fd))["result"] == 0);
    close(fd);
    fd = bed.ask(R"({"command":"endless","arguments":["1","0"]})");
    CHECK(Json::parse(read_line(fd))["exit"] == exit_code::kUsage);
    close(fd);
}

TEST_CASE("an answer goes on only as fast as it is read, and others are served meanwhile") {
    Bed bed;
    const int slow = bed.ask(R"({"command":"count","arguments":["300","60000"],"stream":true})");
    CHECK(wait_until([&] { return bed.watch.slices > 0; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    CHECK(bed.watch.slices < 50);  // of 60 kB each: what the sockets hold
    const int other = bed.ask(R"({"command":"quick"})");
    CHECK(Json::parse(read_line(other))["stdout"] == "quick\n");
    close(other);
    size_t bytes = 0;
    for (const Json& line : read_answer(slow))
        bytes += line.value("stdout", "").size();
    CHECK(bytes > 300u * 60000u);
    close(slow);
}

TEST_CASE("a client that goes away in the middle ends its answer") {
    Bed bed;
    const int fd = bed.ask(R"({"command":"count","arguments":["300","60000"],"stream":true})");
    read_line(fd);
    CHECK(bed.watch.alive == 1);
    close(fd);
    CHECK(wait_until([&] { return bed.watch.alive == 0; }));
    CHECK(bed.watch.slices < 100);
}

TEST_CASE("an endless answer ends when the client shuts its side down, with a summary") {
    Bed bed;
    const int fd = bed.ask(R"({"command":"endless","arguments":["2","0"],"stream":true})");
    CHECK(Json::parse(read_line(fd))["endless"] == true);
    CHECK(Json::parse(read_line(fd))["stdout"] == "0\n");
    CHECK(Json::parse(read_line(fd))["stdout"] == "1\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK(bed.watch.alive == 1);
    shutdown(fd, SHUT_WR);
    const auto rest = read_answer(fd);
    CHECK(rest.front().value("stderr", "") == "done\n");
    CHECK(rest.back()["exit"] == 7);
    CHECK(wait_until([&] { return bed.watch.alive == 0; }));
    close(fd);
}

TEST_CASE("a listener that talks on and on is thrown out") {
    Bed bed;
    const int fd = bed.ask(R"({"command":"endless","arguments":["0","0"],"stream":true})");
    read_line(fd);
    const std::string noise(8192, 'x');
    for (int i = 0; i < 64; ++i) {
        if (send(fd, noise.data(), noise.size(), MSG_NOSIGNAL) < 0) break;
    }
    CHECK(wait_until([&] { return bed.watch.alive == 0; }));
    close(fd);
}

TEST_CASE("many answers advance together") {
    Bed bed;
    std::vector<int> clients;
    for (int i = 0; i < 20; ++i)
        clients.push_back(
            bed.ask(R"({"command":"count","arguments":["200","100"],"stream":true})"));
    for (const int fd : clients) {
        CHECK(read_answer(fd).size() == 202);
        close(fd);
    }
    CHECK(wait_until([&] { return bed.watch.alive == 0; }));
}
