#include "control/monitoring/monitoring.h"

#include <optional>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>

#include "control/monitoring/http_server.h"
#include "control/monitoring/metric_families.h"
#include "control/monitoring/sample_desk.h"
#include "control/monitoring/sampler.h"
#include "control/monitoring/status_document.h"
#include "control/monitoring/status_page.h"

namespace rampart {
namespace {

constexpr auto kPatience = std::chrono::seconds(2);

HttpDocument document_of(SampleDesk& desk, std::string path, std::string content_type,
                         std::string (*make)(const MonitoringSample&)) {
    return {std::move(path), std::move(content_type),
            [&desk, make]() -> std::optional<std::string> {
                const auto sample = desk.ask(kPatience);
                if (sample == nullptr) return std::nullopt;
                return make(*sample);
            }};
}

std::vector<HttpDocument> documents_of(const MonitoringSettings& settings, SampleDesk& desk) {
    std::vector<HttpDocument> documents;
    if (settings.metrics)
        documents.push_back(document_of(desk, "/metrics", kMetricsContentType, metrics_text));
    if (!settings.status_page) return documents;
    documents.push_back(document_of(desk, "/status.json", "application/json", status_document));
    for (const PageFile& file : status_page_files())
        documents.push_back({std::string(file.path), std::string(file.content_type),
                             [&file] { return std::optional<std::string>(file.text); }});
    return documents;
}

}  // namespace

Monitoring::Monitoring(const MonitoringSettings& settings, EventLoop& loop)
    : settings_(settings), loop_(loop) {}

Result<std::unique_ptr<Monitoring>> Monitoring::open(const MonitoringSettings& settings,
                                                     EventLoop& loop,
                                                     std::function<void()> prepare) {
    std::unique_ptr<Monitoring> own(new Monitoring(settings, loop));
    auto desk = SampleDesk::open(loop, [monitoring = own.get()] {
        return monitoring->sampler_ == nullptr ? nullptr : monitoring->sampler_->take();
    });
    if (!desk) return tl::unexpected<Error>(desk.error());
    own->desk_ = std::move(*desk);
    auto server =
        HttpServer::open(settings, documents_of(settings, *own->desk_), std::move(prepare));
    if (!server) return tl::unexpected<Error>(server.error());
    own->server_ = std::move(*server);
    return own;
}

// Those who wait for a sample are sent away, then their threads end.
Monitoring::~Monitoring() {
    if (desk_ != nullptr) desk_->close();
    server_.reset();
}

void Monitoring::begin(Controller& controller) {
    sampler_ = std::make_unique<Sampler>(settings_, controller);
    counting_ = loop_.every(FlowCensus::kTurn_us, [this] { sampler_->turn(); });
    spdlog::info(
        "monitoring: http://{}: {}{}", settings_.endpoint(), settings_.metrics ? "/metrics" : "",
        settings_.status_page ? (settings_.metrics ? " and a status page" : "status page") : "");
}

void Monitoring::each_second() {
    sampler_->each_second();
}

}  // namespace rampart
