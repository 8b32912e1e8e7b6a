#include "control/monitoring/http_server.h"

#include <algorithm>
#include <chrono>
#include <civetweb.h>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <sys/resource.h>

#include <fmt/format.h>

#include "base/ip_address.h"

namespace rampart {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kStartPatience = std::chrono::seconds(5);
constexpr auto kSendPatience = std::chrono::seconds(10);  // for a whole answer
constexpr size_t kPieceBytes = 16384;
constexpr int kNice = 10;  // control shares their CPU

// Of every answer: nothing is loaded from elsewhere, nothing is kept, nobody embeds it.
constexpr const char* kHeaders =
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Connection: close\r\n";

struct Answer {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    std::string more_headers;
};

void send(mg_connection* connection, const Answer& answer, bool with_body) {
    const auto end = Clock::now() + kSendPatience;
    std::string text =
        fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}{}\r\n",
                    answer.status, mg_get_response_code_text(connection, answer.status),
                    answer.content_type, answer.body.size(), kHeaders, answer.more_headers);
    if (with_body) text += answer.body;
    for (size_t at = 0; at < text.size() && Clock::now() < end; at += kPieceBytes) {
        const size_t size = std::min(kPieceBytes, text.size() - at);
        if (mg_write(connection, text.data() + at, size) != static_cast<int>(size)) return;
    }
}

}  // namespace

bool is_local_host(std::string_view host) noexcept {
    if (host.starts_with('[')) {
        const size_t end = host.find(']');
        if (end == std::string_view::npos) return false;
        host = host.substr(1, end - 1);
    } else {
        host = host.substr(0, host.find(':'));
    }
    if (host == "localhost") return true;
    const auto address = IpAddress::parse(host);
    return address && is_loopback(*address);
}

struct HttpServer::Shared {
    std::vector<HttpDocument> documents;
    std::function<void()> prepare;
    bool is_local = false;

    std::mutex mutex;  // of what follows
    std::condition_variable has_begun;
    unsigned begun = 0;    // threads
    std::string problems;  // that civetweb told of while it started

    // As begin_request and its kin get it.
    static Shared& of(const mg_connection* connection) {
        return *static_cast<Shared*>(mg_get_user_data(mg_get_context(connection)));
    }

    Answer answer_to(const mg_request_info& request, const char* host) const {
        if (is_local && host != nullptr && !is_local_host(host))
            return {.status = 421, .body = "this is not the host that you asked for\n"};
        const std::string_view method = request.request_method;
        // "OPTIONS *" and proxies' requests have no path here.
        const std::string_view path = request.local_uri == nullptr ? "" : request.local_uri;
        const auto wanted =
            std::find_if(documents.begin(), documents.end(),
                         [&](const HttpDocument& document) { return document.path == path; });
        if (wanted == documents.end())
            return {.status = 404, .body = "there is no such document\n"};
        if (method != "GET" && method != "HEAD")
            return {.status = 405,
                    .body = "documents can be read only\n",
                    .more_headers = "Allow: GET, HEAD\r\n"};
        auto text = wanted->make();
        if (!text)
            return {.status = 503,
                    .body = "the firewall is busy, or just begins or ends\n",
                    .more_headers = "Retry-After: 1\r\n"};
        return {.content_type = wanted->content_type, .body = std::move(*text)};
    }

    static int begin_request(mg_connection* connection) {
        const mg_request_info& request = *mg_get_request_info(connection);
        mg_disable_connection_keep_alive(connection);
        const Answer answer = of(connection).answer_to(request, mg_get_header(connection, "Host"));
        send(connection, answer, std::string_view(request.request_method) != "HEAD");
        return answer.status;
    }

    static void* init_thread(const mg_context* context, int) {
        Shared& shared = *static_cast<Shared*>(mg_get_user_data(context));
        setpriority(PRIO_PROCESS, 0, kNice);
        shared.prepare();
        const std::lock_guard lock(shared.mutex);
        ++shared.begun;
        shared.has_begun.notify_one();
        return nullptr;
    }

    // While it starts; clients that make mistakes are not worth a line in the log.
    static int log_message(const mg_connection* connection, const char* message) {
        const mg_context* context = mg_get_context(connection);
        auto* shared =
            context == nullptr ? nullptr : static_cast<Shared*>(mg_get_user_data(context));
        if (shared == nullptr) return 1;
        const std::lock_guard lock(shared->mutex);
        if (shared->problems.size() < 1000)
            shared->problems += (shared->problems.empty() ? "" : "; ") + std::string(message);
        return 1;
    }
    static int log_access(const mg_connection*, const char*) { return 1; }
};

HttpServer::HttpServer(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::open(const MonitoringSettings& settings,
                                                     std::vector<HttpDocument> documents,
                                                     std::function<void()> prepare) {
    auto shared = std::make_unique<Shared>();
    shared->documents = std::move(documents);
    shared->prepare = std::move(prepare);
    shared->is_local = is_loopback(settings.address);
    std::unique_ptr<HttpServer> server(new HttpServer(std::move(shared)));
    mg_callbacks callbacks{};
    callbacks.begin_request = Shared::begin_request;
    callbacks.init_thread = Shared::init_thread;
    callbacks.log_message = Shared::log_message;
    callbacks.log_access = Shared::log_access;
    const std::string endpoint = settings.endpoint();
    const std::string threads = std::to_string(kThreads);
    const char* options[] = {"listening_ports",
                             endpoint.c_str(),
                             "num_threads",
                             threads.c_str(),
                             "request_timeout_ms",
                             "5000",
                             "max_request_size",
                             "8192",
                             "enable_directory_listing",
                             "no",
                             nullptr};
    mg_init_library(0);
    server->context_ = mg_start(&callbacks, server->shared_.get(), options);
    if (server->context_ == nullptr)
        return failure(
            fmt::format("{}: error: monitoring.listen: {} cannot be had: {}", settings.place,
                        endpoint, server->shared_->problems),
            "another program may have the port (`ss -ltnp` names it), or the address is not "
            "there yet when the firewall starts; choose another, or leave 'monitoring' out");
    std::unique_lock lock(server->shared_->mutex);
    const bool have_begun = server->shared_->has_begun.wait_for(
        lock, kStartPatience, [&] { return server->shared_->begun > kThreads; });
    lock.unlock();
    if (!have_begun) return failure("monitoring: the threads of the server did not start in time");
    return server;
}

HttpServer::~HttpServer() {
    if (context_ != nullptr) mg_stop(context_);
    mg_exit_library();
}

}  // namespace rampart
