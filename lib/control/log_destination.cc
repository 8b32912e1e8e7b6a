#include "control/log_destination.h"

#include <cctype>
#include <chrono>
#include <sys/uio.h>
#include <syslog.h>
#include <vector>

#include <fmt/format.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-journal.h>

#include "rules/log_statement.h"

namespace rampart {
namespace {

constexpr const char* kIdentifier = "rampartd";

std::string line_of(const LogEntry& entry, bool is_json) {
    return is_json ? entry.fields.dump(-1, ' ', false, Json::error_handler_t::replace) : entry.text;
}

spdlog::level::level_enum spdlog_level(uint8_t level) {
    constexpr spdlog::level::level_enum kLevels[] = {
        spdlog::level::critical, spdlog::level::critical, spdlog::level::critical,
        spdlog::level::err,      spdlog::level::warn,     spdlog::level::info,
        spdlog::level::info,     spdlog::level::debug};
    static_assert(std::size(kLevels) == std::size(kLogLevels));
    return kLevels[level];
}

class DaemonLog final : public LogDestination {
  public:
    explicit DaemonLog(bool is_json) : is_json_(is_json) {}
    void write(const LogEntry& entry) override {
        spdlog::log(spdlog_level(entry.level), "{}", line_of(entry, is_json_));
    }

  private:
    bool is_json_;
};

class Syslog final : public LogDestination {
  public:
    explicit Syslog(bool is_json) : is_json_(is_json) { openlog(kIdentifier, LOG_PID, LOG_DAEMON); }
    void write(const LogEntry& entry) override {
        syslog(entry.level, "%s", line_of(entry, is_json_).c_str());
    }

  private:
    bool is_json_;
};

// Each fact is a field of the journal as well: RAMPART_SRC, RAMPART_RULE and so on.
class Journald final : public LogDestination {
  public:
    explicit Journald(bool is_json) : is_json_(is_json) {}
    void write(const LogEntry& entry) override {
        std::vector<std::string> fields{"MESSAGE=" + line_of(entry, is_json_),
                                        fmt::format("PRIORITY={}", entry.level),
                                        fmt::format("SYSLOG_IDENTIFIER={}", kIdentifier)};
        for (const auto& [name, value] : entry.fields.items())
            fields.push_back(field_name(name) + '=' +
                             (value.is_string() ? value.get<std::string>() : value.dump()));
        std::vector<iovec> parts;
        for (std::string& field : fields)
            parts.push_back({field.data(), field.size()});
        sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
    }

  private:
    static std::string field_name(const std::string& name) {
        std::string result = "RAMPART_";
        for (const char c : name)
            result += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        return result;
    }

    bool is_json_;
};

class LogFile final : public LogDestination {
  public:
    explicit LogFile(const RuleLogSettings& settings)
        : is_json_(settings.is_json), sink_(settings.path, settings.max_bytes, settings.files) {
        // JSON holds the time itself.
        sink_.set_pattern(is_json_ ? "%v" : "%Y-%m-%dT%H:%M:%S.%e%z %v");
    }
    void write(const LogEntry& entry) override {
        using std::chrono::system_clock;
        const system_clock::time_point time{std::chrono::duration_cast<system_clock::duration>(
            std::chrono::nanoseconds(entry.wall_ns))};
        const std::string line = line_of(entry, is_json_);
        sink_.log({time, spdlog::source_loc{}, kIdentifier, spdlog_level(entry.level), line});
        sink_.flush();
    }

  private:
    bool is_json_;
    spdlog::sinks::rotating_file_sink_st sink_;
};

std::unique_ptr<LogDestination> make(const RuleLogSettings& settings) {
    switch (settings.to) {
        case RuleLogSettings::To::Daemon:
            break;
        case RuleLogSettings::To::Syslog:
            return std::make_unique<Syslog>(settings.is_json);
        case RuleLogSettings::To::Journald:
            return std::make_unique<Journald>(settings.is_json);
        case RuleLogSettings::To::File:
            return std::make_unique<LogFile>(settings);
    }
    return std::make_unique<DaemonLog>(settings.is_json);
}

}  // namespace

Result<std::unique_ptr<LogDestination>> LogDestination::open(const RuleLogSettings& settings) {
    try {
        return make(settings);
    } catch (const std::exception& problem) {
        return failure(fmt::format("logging.rules: {}: {}", settings.path, problem.what()),
                       "the directory must exist, and rampartd must be allowed to write there");
    }
}

}  // namespace rampart
