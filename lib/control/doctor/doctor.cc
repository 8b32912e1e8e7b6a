#include "control/doctor/doctor.h"

#include <algorithm>

#include <fmt/format.h>

#include "control/doctor/checks.h"
#include "control/eal_arguments.h"

namespace rampart {
namespace {

constexpr DoctorCheck kChecks[] = {
    {"cpu", check_cpu_features},      {"clock", check_clock},
    {"cores", check_cores},           {"isolation", check_isolation},
    {"hugepages", check_hugepages},   {"hugetlbfs", check_hugetlbfs},
    {"memlock", check_locked_memory}, {"iommu", check_iommu},
    {"device", check_devices},        {"numa", check_numa},
    {"queues", check_queues},         {"forwarding", check_forwarding},
};

std::string_view to_string(Health health) noexcept {
    switch (health) {
        case Health::Ok:
            return "ok";
        case Health::Warn:
            return "warn";
        case Health::Fail:
            return "fail";
    }
    return "";
}

size_t count(const std::vector<Finding>& findings, Health health) {
    return static_cast<size_t>(
        std::count_if(findings.begin(), findings.end(),
                      [health](const Finding& finding) { return finding.health == health; }));
}

}  // namespace

bool Demand::has_nics() const {
    return std::any_of(devices.begin(), devices.end(), [](const DeviceSettings& device) {
        return device.has_device() && !device.is_virtual;
    });
}

Demand demand_of(const Configuration& configuration, const FileTree& files) {
    const SystemSettings& system = configuration.system;
    const uint32_t max_flows = configuration.snapshot->conntrack.max;
    Demand demand;
    demand.has_configuration = true;
    demand.devices = system.devices;
    demand.hugepages = system.memory.hugepages;
    demand.memory_bytes = memory_wanted(system, max_flows);
    demand.is_routed = is_routed(system);
    demand.sleeps_when_idle = system.cores.sleep_when_idle;
    demand.eal = system.eal;
    MachineFacts machine;
    machine.cpus =
        parse_cpu_list(line_after(files.text("/proc/self/status"), "Cpus_allowed_list:"));
    if (machine.cpus.empty()) machine.cpus.push_back(0);
    const auto plan = plan_eal(system, max_flows, machine);
    if (plan) {
        demand.control_cpu = plan->control_cpu;
        demand.worker_cpus = plan->worker_cpus;
    } else {
        demand.cpu_problem = plan.error().message;
        demand.cpu_hint = plan.error().hint;
    }
    return demand;
}

std::span<const DoctorCheck> doctor_checks() noexcept {
    return kChecks;
}

std::vector<Finding> examine(const FileTree& files, const Demand& demand) {
    Examination examination(files, demand);
    for (const DoctorCheck& check : kChecks) {
        examination.check = check.name;
        check.run(examination);
    }
    return std::move(examination.findings);
}

bool has_failures(const std::vector<Finding>& findings) {
    return count(findings, Health::Fail) != 0;
}

std::string findings_to_text(const std::vector<Finding>& findings) {
    std::string text;
    for (const Finding& finding : findings) {
        text += fmt::format("{:<5} {:<11} {}\n", to_string(finding.health), finding.check,
                            finding.text);
        if (!finding.fix.empty()) text += fmt::format("{:<17} fix: {}\n", "", finding.fix);
    }
    return text + fmt::format("{} ok, {} warnings, {} failed\n", count(findings, Health::Ok),
                              count(findings, Health::Warn), count(findings, Health::Fail));
}

Json findings_to_json(const std::vector<Finding>& findings) {
    Json list = Json::array();
    for (const Finding& finding : findings)
        list.push_back({{"check", finding.check},
                        {"health", to_string(finding.health)},
                        {"text", finding.text},
                        {"fix", finding.fix}});
    return {{"ok", count(findings, Health::Ok)},
            {"warnings", count(findings, Health::Warn)},
            {"failed", count(findings, Health::Fail)},
            {"findings", std::move(list)}};
}

std::string failed_checks(const Configuration& configuration) {
    const FileTree files;
    std::string text;
    for (const Finding& finding : examine(files, demand_of(configuration, files))) {
        if (finding.health != Health::Fail) continue;
        text += fmt::format("    failed check {}: {}\n", finding.check, finding.text);
        if (!finding.fix.empty()) text += fmt::format("        fix: {}\n", finding.fix);
    }
    return text;
}

}  // namespace rampart
