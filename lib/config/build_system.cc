#include <algorithm>

#include <fmt/format.h>

#include "base/scalar.h"
#include "config/build.h"
#include "config/schema.h"
#include "config/section.h"

namespace rampart {

namespace {

constexpr size_t kMaxSocketPath = 107;  // sizeof(sockaddr_un::sun_path) - 1

void build_workers(const Section& section, CoreSettings& cores, Diagnostics& diagnostics) {
    const Value* workers = section.find("workers");
    if (workers == nullptr) return;
    const SchemaKey* limits = find_schema_key("cores", "workers");
    if (workers->is_scalar()) {
        const auto count = section.number("workers");
        cores.worker_count = static_cast<unsigned>(count.value_or(0));
        return;
    }
    const auto cpus = section.words("workers");
    if (cpus.empty() || cpus.size() > limits->max) {
        diagnostics.error("E005", workers->location(),
                          fmt::format("'workers' takes 1 to {} CPUs", limits->max));
        return;
    }
    const uint64_t max_cpu = find_schema_key("cores", "control")->max;
    for (const Value* word : cpus) {
        const auto cpu = parse_decimal(word->text(), max_cpu);
        if (!cpu) {
            diagnostics.error(
                "E005", word->location(),
                fmt::format("{} is not the number of a CPU (0-{})", quoted(word->text()), max_cpu));
            continue;
        }
        cores.workers.push_back(static_cast<unsigned>(*cpu));
    }
}

void build_cores(const Value& document, CoreSettings& cores, Diagnostics& diagnostics) {
    const Section section(document.find("cores"), "cores", "'cores'", diagnostics);
    if (const auto control = section.number("control")) {
        cores.control = static_cast<unsigned>(*control);
    }
    build_workers(section, cores, diagnostics);
    cores.sleep_when_idle = section.choice("idle", {"poll", "sleep"}) == size_t{1};
}

void build_memory(const Value& document, MemorySettings& memory, Diagnostics& diagnostics) {
    const Section section(document.find("memory"), "memory", "'memory'", diagnostics);
    constexpr Hugepages kChoices[] = {Hugepages::Auto, Hugepages::Always, Hugepages::Never};
    if (const auto choice = section.choice("hugepages", {"auto", "always", "never"})) {
        memory.hugepages = kChoices[*choice];
        memory.location = section.find("hugepages")->location();
    }
    memory.size_bytes = section.size_bytes("size").value_or(0);
    memory.mbufs = static_cast<uint32_t>(section.number("mbufs").value_or(0));
}

std::optional<uint32_t> parse_mode(std::string_view text) {
    if (text.size() < 3 || text.size() > 4) return std::nullopt;
    if (text.size() == 4 && text[0] != '0') return std::nullopt;
    uint32_t mode = 0;
    for (const char c : text) {
        if (c < '0' || c > '7') return std::nullopt;
        mode = mode << 3 | static_cast<uint32_t>(c - '0');
    }
    return mode;
}

void build_control(const Value& document, ControlSettings& control, Diagnostics& diagnostics) {
    const Section section(document.find("control"), "control", "'control'", diagnostics);
    if (const std::string* socket = section.text("socket")) {
        if (!socket->starts_with('/') || socket->size() > kMaxSocketPath) {
            diagnostics.error(
                "E005", section.find("socket")->location(),
                fmt::format("'socket' takes an absolute path of at most {} bytes", kMaxSocketPath));
        }
        control.socket = *socket;
    }
    if (const std::string* mode = section.text("mode")) {
        const auto parsed = parse_mode(*mode);
        if (!parsed) {
            diagnostics.error("E005", section.find("mode")->location(),
                              fmt::format("{} is not a file mode", quoted(*mode)),
                              "write three octal digits in quotes, such as \"0660\"");
        }
        control.mode = parsed.value_or(control.mode);
    }
    if (const std::string* group = section.text("group")) control.group = *group;
    if (const auto confine = section.choice("confine", {"full", "capabilities", "none"}))
        control.confine = static_cast<Confine>(*confine);
    if (const std::string* state = section.text("state")) {
        if (!state->starts_with('/'))
            diagnostics.error("E005", section.find("state")->location(),
                              "'state' takes an absolute path");
        control.state = *state;
    }
}

}  // namespace

void build_system(const Value& document, SystemSettings& system, Diagnostics& diagnostics) {
    build_cores(document, system.cores, diagnostics);
    build_memory(document, system.memory, diagnostics);
    build_control(document, system.control, diagnostics);
    const Value* eal = document.find("eal");
    if (eal == nullptr) return;
    const bool is_good =
        eal->is_list() && std::all_of(eal->items().begin(), eal->items().end(),
                                      [](const Value& v) { return v.is_scalar(); });
    if (!is_good) {
        diagnostics.error("E005", eal->location(), "'eal' takes a list of arguments");
        return;
    }
    for (const Value& argument : eal->items())
        system.eal.push_back(argument.text());
}

}  // namespace rampart
