// rampart-replay: a capture file through the firewall's packet path, without ports or privileges.
// Options -> configuration -> files -> EAL -> one burst after another -> summary.
//
// Exit status: 0 ok, 1 a file or the environment failed, 2 bad usage, 4 the configuration has
// errors.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "config/loader.h"
#include "control/api_protocol.h"
#include "control/conntrack_format.h"
#include "dpdk/eal.h"
#include "ingress.h"
#include "options.h"
#include "pcap_file.h"
#include "report.h"

namespace {

using namespace rampart;

int report_error(const Error& error, int status = exit_code::kFailure) {
    std::fflush(stdout);
    fmt::print(stderr, "rampart-replay: {}\n", error.message);
    if (!error.hint.empty()) fmt::print(stderr, "    hint: {}\n", error.hint);
    return status;
}

// fmt::print throws when it cannot write; here check_written() tells.
void put_line(std::FILE* file, const std::string& line) {
    std::fputs((line + '\n').c_str(), file);
}

std::string render(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// From the capture file into Replay, and from there into the output file.
class Player {
  public:
    Player(const Options& options, const Ingress& ingress, const Names& names, PcapReader& in,
           PcapWriter& out, Replay& replay)
        : options_(options), ingress_(ingress), names_(names), in_(in), out_(out), replay_(replay) {
        frames_.resize(options.burst);
    }

    // What was replayed before a failure is counted and written.
    Result<void> play() {
        for (size_t count = frames_.size(); count == frames_.size();) {
            const auto got = read_burst(count);
            if (const auto played = play_burst(count); !played) return played;
            if (!got) return got;
        }
        return {};
    }
    const Summary& summary() const { return summary_; }

  private:
    Result<void> read_burst(size_t& count) {
        for (count = 0; count < frames_.size(); ++count) {
            const auto got = in_.next(frames_[count]);
            if (!got) return tl::unexpected<Error>(got.error());
            if (!*got) break;
        }
        return {};
    }

    Result<void> play_burst(size_t count) {
        std::vector<Arrival> arrivals;
        for (size_t i = 0; i < count; ++i)
            arrivals.push_back(
                {frames_[i].time_ns, ingress_.interface_of(frames_[i].bytes), frames_[i].bytes});
        const auto outcomes = replay_.run(arrivals);
        if (!outcomes) return tl::unexpected<Error>(outcomes.error());
        for (size_t i = 0; i < count; ++i)
            finish(frames_[i], arrivals[i], (*outcomes)[i]);
        return {};
    }

    void finish(const CapturedFrame& frame, const Arrival& arrival, const Outcome& outcome) {
        if (summary_.packets == 0) first_ns_ = latest_ns_ = frame.time_ns;
        summary_.add(outcome);
        summary_.truncated += frame.missing_bytes != 0;
        summary_.backwards += frame.time_ns < latest_ns_;
        latest_ns_ = std::max(latest_ns_, frame.time_ns);
        for (const auto& bytes : outcome.frames)
            out_.write(frame.time_ns, bytes, frame.missing_bytes);
        if (!outcome.reply.empty()) out_.write(frame.time_ns, outcome.reply);
        if (!options_.verdicts) return;
        const PacketReport report{summary_.packets, frame.time_ns - first_ns_, frame.time_ns,
                                  arrival.port, outcome};
        put_line(stdout, options_.json ? render(to_json(report, names_)) : to_text(report, names_));
    }

    const Options& options_;
    const Ingress& ingress_;
    const Names& names_;
    PcapReader& in_;
    PcapWriter& out_;
    Replay& replay_;
    std::vector<CapturedFrame> frames_;
    Summary summary_;
    int64_t first_ns_ = 0;
    int64_t latest_ns_ = 0;
};

struct CloseFile {
    void operator()(std::FILE* file) const {
        if (file != stdout) std::fclose(file);
    }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

Result<void> check_written(std::FILE* file, const std::string& name) {
    if (std::fflush(file) == 0 && !std::ferror(file)) return {};
    return failure(fmt::format("{}: cannot be written", name));
}

// Null when no flows are wanted.
Result<File> open_flows(const std::string& path) {
    if (path.empty()) return File();
    File file(path == "-" ? stdout : std::fopen(path.c_str(), "w"));
    if (file == nullptr)
        return failure(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
    return file;
}

Result<void> write_flows(std::FILE* file, const Options& options, const Replay& replay,
                         const ConntrackFormat& format) {
    for (const FlowEntry& entry : replay.flows())
        put_line(file, options.json ? render(flow_to_json({.flow = entry}, format))
                                    : format_flow({.flow = entry}, format));
    return check_written(file, options.flows);
}

int run(const Options& options, Configuration configuration) {
    const Names names = configuration.snapshot->ruleset.names;
    const ConntrackFormat format{.accounting = configuration.snapshot->conntrack.accounting};
    const auto ingress = Ingress::parse(names, options.from, options.sources);
    if (!ingress) return report_error(ingress.error(), exit_code::kUsage);
    const auto in = PcapReader::open(options.in);
    if (!in) return report_error(in.error());

    const Replay::Options how{.burst_size = options.burst, .finds_deciders = options.verdicts};
    const auto eal = Eal::start(Replay::eal_arguments(configuration.snapshot->conntrack.max, how));
    if (!eal) return report_error(eal.error());
    const auto replay = Replay::create(std::move(configuration.snapshot), how);
    if (!replay) return report_error(replay.error());

    const auto out = PcapWriter::create(options.out, (*in)->has_nanoseconds());
    if (!out) return report_error(out.error());
    const auto flows = open_flows(options.flows);
    if (!flows) return report_error(flows.error());

    Player player(options, *ingress, names, **in, **out, **replay);
    std::vector<Result<void>> results{player.play(), (*out)->finish()};
    if (*flows != nullptr) results.push_back(write_flows(flows->get(), options, **replay, format));
    results.push_back(check_written(stdout, "standard output"));
    fmt::print(stderr, "{}", player.summary().to_text());
    for (const Result<void>& result : results) {
        if (!result) return report_error(result.error());
    }
    return exit_code::kOk;
}

}  // namespace

int main(int argc, char** argv) {
    int status = exit_code::kOk;
    const auto options = parse_options(argc, argv, status);
    if (!options) return status;
    if (const auto paths = check_paths(*options); !paths)
        return report_error(paths.error(), exit_code::kUsage);
    Diagnostics diagnostics;
    auto configuration = load_configuration_file(options->config, diagnostics);
    const std::string summary = diagnostics.summary();
    fmt::print(stderr, "{}{}{}", diagnostics.to_text(), summary, summary.empty() ? "" : "\n");
    if (!configuration) return exit_code::kConfiguration;
    return run(*options, std::move(*configuration));
}
