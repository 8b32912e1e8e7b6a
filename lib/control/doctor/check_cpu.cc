// CPU, clock, cores: what the workers run on.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/join.h"
#include "control/doctor/checks.h"
#include "control/doctor/cpu_needs.h"

namespace rampart {
namespace {

constexpr std::string_view kClock = "/sys/devices/system/clocksource/clocksource0/";

bool has_word(std::string_view words, std::string_view word) {
    return fmt::format(" {} ", words).find(fmt::format(" {} ", word)) != std::string::npos;
}

std::string_view cpu_flags(std::string_view cpuinfo) {
    std::string_view flags = line_after(cpuinfo, "flags");
    if (flags.starts_with(':')) flags.remove_prefix(1);
    return flags;
}

std::vector<unsigned> workers_not_in(const Examination& examination, std::string_view path) {
    const std::vector<unsigned> set = parse_cpu_list(examination.files.text(path));
    std::set<unsigned> missing;
    for (const unsigned cpu : examination.demand.worker_cpus)
        if (std::find(set.begin(), set.end(), cpu) == set.end()) missing.insert(cpu);
    return {missing.begin(), missing.end()};
}

// Interrupts that end on a worker's CPU, by CPU.
std::map<unsigned, unsigned> interrupts_of_workers(const Examination& examination) {
    std::map<unsigned, unsigned> counts;
    const std::vector<unsigned>& workers = examination.demand.worker_cpus;
    for (const std::string& irq : examination.files.names("/proc/irq")) {
        const std::string path = fmt::format("/proc/irq/{}/effective_affinity_list", irq);
        for (const unsigned cpu : parse_cpu_list(examination.files.text(path)))
            if (std::find(workers.begin(), workers.end(), cpu) != workers.end()) ++counts[cpu];
    }
    return counts;
}

}  // namespace

void check_cpu_features(Examination& examination) {
    const std::string cpuinfo = examination.files.text("/proc/cpuinfo");
    const std::string_view flags = cpu_flags(cpuinfo);
    std::vector<std::string> missing;
    for (const std::string_view feature : cpu_features_of_build())
        if (!has_word(flags, feature)) missing.emplace_back(feature);
    if (flags.empty())
        return examination.warn("/proc/cpuinfo does not say what the CPU can do", "");
    if (missing.empty())
        return examination.ok(
            fmt::format("has all {} features this build may use", cpu_features_of_build().size()));
    examination.fail(fmt::format("lacks what this build was made for: {}", join(missing, ", ")),
                     "install the package, which runs on every x86-64 with SSE 4.2, or build with "
                     "`meson setup build -Dcpu=generic`");
}

void check_clock(Examination& examination) {
    const std::string current = examination.files.text(std::string(kClock) + "current_clocksource");
    const std::string available =
        examination.files.text(std::string(kClock) + "available_clocksource");
    const std::string cpuinfo = examination.files.text("/proc/cpuinfo");
    const std::string_view flags = cpu_flags(cpuinfo);
    const bool is_steady = has_word(flags, "constant_tsc") && has_word(flags, "nonstop_tsc");
    if (current == "tsc") return examination.ok("the kernel trusts the time stamp counter (tsc)");
    if (is_steady)
        return examination.ok(fmt::format(
            "the kernel uses {}, but the time stamp counter is constant and never stops",
            current.empty() ? "another clock" : current));
    const bool can_switch = has_word(available, "tsc");
    examination.warn(
        fmt::format("the kernel uses {} and does not vouch for the time stamp counter, which "
                    "all timeouts are measured with",
                    current.empty() ? "another clock" : current),
        can_switch ? fmt::format("echo tsc > {}current_clocksource", kClock)
                   : "dmesg | grep -i -e tsc -e clocksource   # why; in a guest: give it the "
                     "host's invariant TSC");
}

void check_cores(Examination& examination) {
    const Demand& demand = examination.demand;
    if (!demand.has_configuration)
        return examination.ok(fmt::format(
            "CPUs that may be used: {}",
            line_after(examination.files.text("/proc/self/status"), "Cpus_allowed_list:")));
    if (!demand.cpu_problem.empty()) return examination.fail(demand.cpu_problem, demand.cpu_hint);
    const std::set<unsigned> distinct(demand.worker_cpus.begin(), demand.worker_cpus.end());
    const std::string where =
        fmt::format("control on CPU {}, {} worker{} on CPU {}", demand.control_cpu,
                    demand.worker_cpus.size(), demand.worker_cpus.size() == 1 ? "" : "s",
                    format_cpu_list({distinct.begin(), distinct.end()}));
    if (distinct.size() < demand.worker_cpus.size())
        return examination.warn(where + ": several workers share a CPU",
                                "lower cores.workers, or name one CPU for each of them");
    if (distinct.contains(demand.control_cpu))
        return examination.warn(where + ": the control thread shares one with a worker",
                                "give the control thread another CPU: cores: { control: N }");
    for (const unsigned cpu : distinct) {
        const auto siblings = parse_cpu_list(examination.files.text(
            fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu)));
        for (const unsigned sibling : siblings)
            if (sibling > cpu && distinct.contains(sibling))
                return examination.warn(
                    fmt::format("{}: {} and {} are threads of one core", where, cpu, sibling),
                    "name CPUs of different cores in cores.workers; `lscpu -e` shows them");
    }
    examination.ok(where);
}

void check_isolation(Examination& examination) {
    const Demand& demand = examination.demand;
    if (!demand.has_configuration || demand.worker_cpus.empty())
        return examination.ok("isolated CPUs: " +
                              (examination.files.text("/sys/devices/system/cpu/isolated").empty()
                                   ? "none"
                                   : examination.files.text("/sys/devices/system/cpu/isolated")));
    if (demand.sleeps_when_idle)
        return examination.ok("not needed: workers sleep when there is nothing to do");
    const auto shared = workers_not_in(examination, "/sys/devices/system/cpu/isolated");
    const auto ticking = workers_not_in(examination, "/sys/devices/system/cpu/nohz_full");
    const std::set<unsigned> distinct(demand.worker_cpus.begin(), demand.worker_cpus.end());
    const std::string all = format_cpu_list({distinct.begin(), distinct.end()});
    const std::string command_line = fmt::format(
        "add to the kernel's command line: isolcpus=managed_irq,domain,{} nohz_full={} "
        "rcu_nocbs={}",
        all, all, all);
    if (!shared.empty())
        return examination.warn(fmt::format("other programs may run on the workers' CPU {}: bursts "
                                            "of loss are possible",
                                            format_cpu_list(shared)),
                                command_line);
    if (!ticking.empty())
        return examination.warn(fmt::format("the kernel's tick interrupts the workers' CPU {}",
                                            format_cpu_list(ticking)),
                                command_line);
    const auto interrupts = interrupts_of_workers(examination);
    if (!interrupts.empty())
        return examination.warn(
            fmt::format("{} interrupts go to the workers' CPU {}", interrupts.begin()->second,
                        interrupts.begin()->first),
            fmt::format("grep -l -w {} /proc/irq/*/effective_affinity_list   # and write another "
                        "CPU to their smp_affinity_list",
                        interrupts.begin()->first));
    examination.ok(fmt::format("the workers' CPU {} belongs to them alone", all));
}

}  // namespace rampart
