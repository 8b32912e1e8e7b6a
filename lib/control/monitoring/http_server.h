// HttpServer: civetweb, with a few fixed documents to read and nothing else.
//
// GET and HEAD only. A document is made when it is asked for, on one of kThreads threads of
// civetweb's; a connection is closed after its answer. A client that is slow to ask or to read is
// cut off, so that it takes one of these threads for some seconds at most; the rest of the daemon
// never waits for a client. On a loopback address it answers only requests that name such an
// address or localhost as their host, so that no foreign web page can be made to read it (DNS
// rebinding). Control thread opens and closes it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/monitoring_settings.h"

struct mg_connection;
struct mg_context;

namespace rampart {

struct HttpDocument {
    std::string path;  // "/metrics"
    std::string content_type;
    // On a server's thread. Nothing: not to be had now (503).
    std::function<std::optional<std::string>()> make;
};

class HttpServer {
  public:
    static constexpr unsigned kThreads = 3;  // that answer; one more accepts

    // Each thread begins with `prepare`; all have done so when it returns. Fails when the address
    // or the port is not to be had.
    static Result<std::unique_ptr<HttpServer>> open(const MonitoringSettings& settings,
                                                    std::vector<HttpDocument> documents,
                                                    std::function<void()> prepare);
    // Ends the threads; what they are just sending is cut off.
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

  private:
    struct Shared;
    explicit HttpServer(std::unique_ptr<Shared> shared);

    std::unique_ptr<Shared> shared_;  // what the threads use
    mg_context* context_ = nullptr;
};

// Whether `host`, the value of a request's header, names this machine as seen from itself.
bool is_local_host(std::string_view host) noexcept;

}  // namespace rampart
