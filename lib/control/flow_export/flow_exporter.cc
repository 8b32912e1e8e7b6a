#include "control/flow_export/flow_exporter.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace rampart {

namespace {

constexpr uint64_t kTurn_us = 250'000;
constexpr unsigned kTurnsPerSecond = 4;

}  // namespace

FlowExporter::FlowExporter(EventFeed& feed, EventLoop& loop, const IpfixSettings& settings)
    : feed_(feed),
      settings_(settings),
      link_(
          loop, settings, [this] { begin_session(); },
          [this](uint32_t records) {
              counts_.records -= records;
              counts_.lost += records;
          }) {
    link_.open();
    feed_.add(*this);
    timer_ = loop.every(kTurn_us, [this] { turn(); });
}

FlowExporter::~FlowExporter() {
    feed_.remove(*this);
    if (encoder_ != nullptr) encoder_->flush();
}

std::string FlowExporter::collector() const {
    const bool is_ipv6 = settings_.collector.family == Family::Ipv6;
    return fmt::format("{}{}{}:{}", is_ipv6 ? "[" : "", settings_.collector.to_string(),
                       is_ipv6 ? "]" : "", settings_.port);
}

// Templates and sequence numbers belong to a session (RFC 7011, 8).
void FlowExporter::begin_session() {
    auto encoder = IpfixEncoder::create(settings_.domain, settings_.tells_new, settings_.tells_end,
                                        [this](std::span<const uint8_t> message, uint32_t records) {
                                            const bool is_taken = link_.send(message, records);
                                            (is_taken ? counts_.records : counts_.lost) += records;
                                            if (is_taken) ++counts_.messages;
                                        });
    if (!encoder) {
        spdlog::error("{}", encoder.error().message);
        return;
    }
    encoder_ = std::move(*encoder);
    seconds_ = 0;
    encoder_->add_templates();
    encoder_->flush();
}

void FlowExporter::on_event(const FlowEvent& event) {
    const bool is_end = event.kind == JournalKind::Destroy;
    if (event.kind == JournalKind::Update) return;
    if (!(is_end ? settings_.tells_end : settings_.tells_new)) return;
    if (!link_.is_up() || encoder_ == nullptr) {
        ++counts_.lost;
        return;
    }
    encoder_->add(event);
}

void FlowExporter::turn() {
    if (encoder_ != nullptr) encoder_->flush();
    if (++turns_ % kTurnsPerSecond == 0) each_second();
}

void FlowExporter::each_second() {
    link_.open();
    // A collector over UDP may have missed them, or been started again (RFC 7011, 8.4).
    if (settings_.transport == IpfixSettings::Transport::Udp && encoder_ != nullptr &&
        ++seconds_ >= settings_.template_refresh_s) {
        seconds_ = 0;
        encoder_->add_templates();
        encoder_->flush();
    }
    tell_problem();
}

void FlowExporter::tell_problem() {
    const bool has_problem = !link_.problem().empty();
    if (has_problem == has_told_problem_) return;
    has_told_problem_ = has_problem;
    if (has_problem)
        spdlog::warn("ipfix: {}: {}", collector(), link_.problem());
    else
        spdlog::info("ipfix: {} takes messages again", collector());
}

}  // namespace rampart
