// Doctor: whether this machine is fit for a configuration, before DPDK is asked.
//
// A check looks at one thing in sysfs and procfs and says what it found: one line, and when
// something is wrong a command that mends it. It changes nothing, and neither needs nor asks a
// daemon. `rampartctl doctor` prints all of it; rampartd prints what failed when it cannot start.
// The checks are listed in doctor.cc. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/loader.h"
#include "control/doctor/file_tree.h"
#include "control/json.h"

namespace rampart {

enum class Health : uint8_t { Ok, Warn, Fail };

struct Finding {
    std::string check;  // "hugepages"
    Health health;
    std::string text;  // what there is, one line
    std::string fix;   // a command; empty when nothing is wrong, or nothing helps
};

// What a configuration asks of the machine. Without one, checks say what they can.
struct Demand {
    bool has_configuration = false;
    std::vector<DeviceSettings> devices;
    Hugepages hugepages = Hugepages::Auto;
    uint64_t memory_bytes = 0;
    unsigned control_cpu = 0;
    std::vector<unsigned> worker_cpus;
    std::string cpu_problem;  // why they cannot be placed
    std::string cpu_hint;
    bool is_routed = false;
    bool sleeps_when_idle = false;
    std::vector<std::string> eal;

    bool has_nics() const;
};

// `files`: where to look for the CPUs that this process may use.
Demand demand_of(const Configuration& configuration, const FileTree& files);

class Examination {
  public:
    Examination(const FileTree& tree, const Demand& wanted) : files(tree), demand(wanted) {}

    void ok(std::string text) { add(Health::Ok, std::move(text), {}); }
    void warn(std::string text, std::string fix) {
        add(Health::Warn, std::move(text), std::move(fix));
    }
    void fail(std::string text, std::string fix) {
        add(Health::Fail, std::move(text), std::move(fix));
    }

    const FileTree& files;
    const Demand& demand;
    std::string_view check;  // the one that runs
    std::vector<Finding> findings;

  private:
    void add(Health health, std::string text, std::string fix) {
        findings.push_back({std::string(check), health, std::move(text), std::move(fix)});
    }
};

struct DoctorCheck {
    std::string_view name;
    void (*run)(Examination& examination);
};

std::span<const DoctorCheck> doctor_checks() noexcept;
std::vector<Finding> examine(const FileTree& files, const Demand& demand);

bool has_failures(const std::vector<Finding>& findings);
std::string findings_to_text(const std::vector<Finding>& findings);
Json findings_to_json(const std::vector<Finding>& findings);

// What rampartd says when it cannot start: the checks that failed, or an empty text.
std::string failed_checks(const Configuration& configuration);

}  // namespace rampart
