// The checks of `rampartctl doctor` against folders that look like sysfs and procfs.
#include "control/doctor/doctor.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "control/doctor/cpu_needs.h"

using namespace rampart;

namespace {

namespace fs = std::filesystem;

// A machine with one node, four CPUs, an IOMMU and a NIC with two ports, all as it should be.
class Machine {
  public:
    Machine() {
        static int number = 0;
        root_ = fs::temp_directory_path() /
                ("rampart-doctor-" + std::to_string(getpid()) + "-" + std::to_string(number++));
        std::string flags = "constant_tsc nonstop_tsc";
        for (const std::string_view feature : cpu_features_of_build())
            flags += " " + std::string(feature);
        write("/proc/cpuinfo", "processor\t: 0\nflags\t\t: " + flags + "\n\n");
        write("/proc/self/status", "CapEff:\t0000000000000000\nCpus_allowed_list:\t0-3\n");
        write("/proc/self/limits", "Limit  Soft  Hard\nMax locked memory  unlimited  unlimited\n");
        write("/proc/mounts", "proc /proc proc rw 0 0\n");
        write("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
        write("/sys/devices/system/cpu/isolated", "1-3\n");
        write("/sys/devices/system/cpu/nohz_full", "1-3\n");
        set_pages(2048, 2048);
        write("/sys/devices/system/node/node0/cpulist", "0-3\n");
        for (int cpu = 0; cpu < 4; ++cpu)
            fs::create_directories(
                at("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/node0"));
        add_nic("0000:3b:00.0", "vfio-pci", "7");
        add_nic("0000:3b:00.1", "vfio-pci", "8");
        fs::create_directories(at("/dev/net/tun"));
    }
    ~Machine() { fs::remove_all(root_); }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    void write(const std::string& path, const std::string& text) {
        fs::create_directories(fs::path(at(path)).parent_path());
        std::ofstream(at(path)) << text;
    }
    void link(const std::string& path, const std::string& target) {
        fs::create_directories(fs::path(at(path)).parent_path());
        fs::remove_all(at(path));
        fs::create_directory_symlink(target, at(path));
    }
    void set_pages(int all, int free, const std::string& size = "2048kB") {
        const std::string pool = "/sys/devices/system/node/node0/hugepages/hugepages-" + size + "/";
        write(pool + "nr_hugepages", std::to_string(all) + "\n");
        write(pool + "free_hugepages", std::to_string(free) + "\n");
    }
    void bind(const std::string& address, const std::string& driver) {
        link(nic(address) + "/driver", "../../drivers/" + driver);
    }
    void add_nic(const std::string& address, const std::string& driver, const std::string& group) {
        write(nic(address) + "/class", "0x020000\n");
        write(nic(address) + "/vendor", "0x8086\n");
        write(nic(address) + "/device", "0x1592\n");
        write(nic(address) + "/numa_node", "0\n");
        bind(address, driver);
        const std::string groups = "/sys/kernel/iommu_groups/" + group;
        fs::create_directories(at(groups + "/devices/" + address));
        link(nic(address) + "/iommu_group", at(groups));
        write("/dev/vfio/" + group, "");
    }
    static std::string nic(const std::string& address) { return "/sys/bus/pci/devices/" + address; }
    std::string at(const std::string& path) const { return root_.string() + path; }
    void remove(const std::string& path) { fs::remove_all(at(path)); }

    std::vector<Finding> examine(const std::string& more = kTwoNics) const {
        Diagnostics diagnostics;
        const auto configuration = load_configuration(
            "edge.yaml", "version: 1\nchains: { forward: { policy: drop } }\n" + more, diagnostics);
        INFO(diagnostics.to_text());
        REQUIRE(configuration);
        const FileTree files(root_.string());
        return rampart::examine(files, demand_of(*configuration, files));
    }
    // Of one check: "fail text | fix" lines.
    std::string says(const std::string& check, const std::string& more = kTwoNics) const {
        std::string text;
        for (const Finding& finding : examine(more)) {
            if (finding.check != check) continue;
            constexpr const char* kWords[] = {"ok ", "warn ", "fail "};
            text += kWords[static_cast<int>(finding.health)] + finding.text;
            if (!finding.fix.empty()) text += " | " + finding.fix;
            text += "\n";
        }
        return text;
    }

    static constexpr const char* kTwoNics =
        "interfaces:\n"
        "  wan: { device: \"0000:3b:00.0\", bridge: lan }\n"
        "  lan: { device: \"0000:3b:00.1\" }\n"
        "cores: { control: 0, workers: [1, 2] }\n";

  private:
    fs::path root_;
};

bool has(const std::string& text, const std::string& part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a machine as it should be passes every check") {
    const Machine machine;
    const auto findings = machine.examine();
    CHECK(findings.size() >= doctor_checks().size());
    for (const Finding& finding : findings) {
        INFO(finding.check << ": " << finding.text);
        CHECK(finding.health == Health::Ok);
        CHECK(finding.fix.empty());
        CHECK(finding.text.find('\n') == std::string::npos);
    }
    CHECK(!has_failures(findings));
    CHECK(findings_to_json(findings)["failed"] == 0);
}

TEST_CASE("an empty machine is told what it lacks, and every complaint has a fix") {
    const FileTree nothing("/nonexistent");
    for (const Finding& finding : examine(nothing, Demand{})) {
        INFO(finding.check << ": " << finding.text);
        if (finding.health != Health::Ok && finding.check != "cpu") CHECK(!finding.fix.empty());
    }
}

TEST_CASE("doctor: a CPU that lacks what the build was made for") {
    Machine machine;
    machine.write("/proc/cpuinfo", "flags\t: fpu\n");
    has(machine.says("cpu"), "fail lacks what this build was made for: sse4_2");
    machine.write("/proc/cpuinfo", "");
    has(machine.says("cpu"), "warn");
}

TEST_CASE("doctor: a clock that the kernel does not trust") {
    Machine machine;
    const std::string folder = "/sys/devices/system/clocksource/clocksource0/";
    machine.write(folder + "current_clocksource", "hpet\n");
    has(machine.says("clock"), "ok");
    machine.write("/proc/cpuinfo", "flags\t: sse4_2\n");
    machine.write(folder + "available_clocksource", "tsc hpet\n");
    has(machine.says("clock"), "| echo tsc > /sys/devices");
    machine.write(folder + "available_clocksource", "hpet\n");
    has(machine.says("clock"), "| dmesg");
}

TEST_CASE("doctor: cores that do not exist, or are shared") {
    Machine machine;
    const std::string ports =
        "interfaces: { a: { device: \"vdev:net_null0\", bridge: b }, "
        "b: { device: \"vdev:net_null1\" } }\n";
    has(machine.says("cores", ports + "cores: { workers: [9] }\n"),
        "fail cores.workers: CPU 9 does not exist");
    has(machine.says("cores", ports + "cores: { workers: [1, 1] }\n"), "several workers share");
    has(machine.says("cores", ports + "cores: { control: 1, workers: [1] }\n"),
        "the control thread shares");
    machine.write("/sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "1-2\n");
    has(machine.says("cores"), "1 and 2 are threads of one core");
}

TEST_CASE("doctor: workers' CPUs that others use") {
    Machine machine;
    machine.write("/proc/irq/24/effective_affinity_list", "2\n");
    has(machine.says("isolation"), "warn 1 interrupts go to the workers' CPU 2");
    machine.write("/sys/devices/system/cpu/nohz_full", "(null)\n");
    has(machine.says("isolation"), "the kernel's tick interrupts the workers' CPU 1-2");
    machine.write("/sys/devices/system/cpu/isolated", "2\n");
    has(machine.says("isolation"), "isolcpus=managed_irq,domain,1-2 nohz_full=1-2");
    has(machine.says("isolation",
                     std::string("interfaces: { a: { device: \"vdev:net_null0\", bridge: b }, b: { "
                                 "device: \"vdev:net_null1\" } }\ncores: { idle: sleep }\n")),
        "ok not needed");
}

TEST_CASE("doctor: pages of 1 GiB count") {
    Machine machine;
    machine.set_pages(0, 0);
    machine.set_pages(2, 1, "1048576kB");
    has(machine.says("hugepages"),
        "1024 MiB free (node 0: 0 of 0 pages of 2 MiB free, node 0: 1 of 2 pages of 1 GiB free)");
    has(machine.says("hugepages"), "ok");
    // What is missing is reserved in pages of 2 MiB, beside those of 1 GiB.
    const std::string size = std::string(Machine::kTwoNics) + "memory: { size: 1280M }\n";
    has(machine.says("hugepages", size), "| sysctl -w vm.nr_hugepages=");
}

TEST_CASE("doctor: hugepages by node, and how many to reserve") {
    Machine machine;
    machine.set_pages(64, 16);
    const std::string nics = machine.says("hugepages");
    has(nics, "32 MiB free (node 0: 16 of 64 pages of 2 MiB free)");
    has(nics, "fail");
    const std::string size = std::string(Machine::kTwoNics) + "memory: { size: 256M }\n";
    has(machine.says("hugepages", size), "| sysctl -w vm.nr_hugepages=176");
    const std::string virtual_ports =
        "interfaces: { a: { device: \"vdev:net_null0\", bridge: b }, b: { device: "
        "\"vdev:net_null1\" } }\n";
    has(machine.says("hugepages", virtual_ports), "warn");
    has(machine.says("hugepages", virtual_ports + "memory: { hugepages: always }\n"), "fail");
    has(machine.says("hugepages", virtual_ports + "memory: { hugepages: never }\n"), "ok");
    has(machine.says("hugepages",
                     std::string(Machine::kTwoNics) + "memory: { hugepages: never }\n"),
        "fail the configuration says never");
}

TEST_CASE("doctor: a hugetlbfs matters only when EAL is told to use one") {
    Machine machine;
    has(machine.says("hugetlbfs"), "ok not mounted, and not needed");
    const std::string wants = std::string(Machine::kTwoNics) + "eal: [\"--huge-dir=/mnt/huge\"]\n";
    has(machine.says("hugetlbfs", wants), "fail --huge-dir");
    machine.write("/proc/mounts", "none /mnt/huge hugetlbfs rw 0 0\n");
    has(machine.says("hugetlbfs", wants), "may not be written");
    machine.write("/mnt/huge/page", "");
    has(machine.says("hugetlbfs", wants), "ok mounted at /mnt/huge");
}

TEST_CASE("doctor: memory that may not be locked") {
    Machine machine;
    machine.write("/proc/self/limits", "Max locked memory         8388608     8388608    bytes\n");
    has(machine.says("memlock"), "fail 8 MiB may be locked, but vfio locks all");
    machine.write("/proc/self/status", "CapEff:\t0000000000004000\nCpus_allowed_list:\t0-3\n");
    has(machine.says("memlock"), "ok any amount may be locked (CAP_IPC_LOCK)");
}

TEST_CASE("doctor: no IOMMU, and the mode that works without one") {
    Machine machine;
    machine.remove("/sys/kernel/iommu_groups");
    for (const char* address : {"0000:3b:00.0", "0000:3b:00.1"})
        machine.remove(Machine::nic(address) + "/iommu_group");
    has(machine.says("iommu"), "fail off");
    has(machine.says("device"), "has no IOMMU group");
    machine.write("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
    has(machine.says("iommu"), "warn off, and vfio works without one");
    has(machine.says("device"), "ok wan: 0000:3b:00.0 is bound to vfio-pci without an IOMMU");
}

TEST_CASE("doctor: a device that is not there is guessed from those that are") {
    Machine machine;
    machine.remove(Machine::nic("0000:3b:00.0"));
    has(machine.says("device"),
        "fail wan: this machine has no device 0000:3b:00.0; did you mean '0000:3b:00.1'?");
    machine.remove(Machine::nic("0000:3b:00.1"));
    has(machine.says("device"), "it has no NIC on PCI");
}

TEST_CASE("doctor: NICs in the kernel's hands") {
    Machine machine;
    machine.bind("0000:3b:00.0", "ice");
    fs::create_directories(machine.at(Machine::nic("0000:3b:00.0") + "/net/eth0"));
    has(machine.says("device"),
        "fail wan: 0000:3b:00.0 is bound to the kernel's ice, as eth0 | "
        "modprobe vfio-pci && driverctl set-override 0000:3b:00.0 vfio-pci");
    machine.write("/proc/net/route", "Iface\tDestination\neth0\t00000000\t010200C0\n");
    has(machine.says("device"), "eth0, which carries the default route");
    machine.bind("0000:3b:00.0", "mlx5_core");
    has(machine.says("device"), "ok wan: 0000:3b:00.0 stays with the kernel's mlx5_core");
    machine.bind("0000:3b:00.0", "uio_pci_generic");
    has(machine.says("device"), "warn wan");
    machine.write(Machine::nic("0000:3b:00.0") + "/class", "0x010000\n");
    has(machine.says("device"), "is no network device");
}

TEST_CASE("doctor: an IOMMU group that is shared with the kernel") {
    Machine machine;
    machine.add_nic("0000:3b:00.2", "ice", "9");
    fs::create_directories(machine.at("/sys/kernel/iommu_groups/7/devices/0000:3b:00.2"));
    has(machine.says("device"),
        "0000:3b:00.0 shares IOMMU group 7 with 0000:3b:00.2, which the kernel's ice uses");
}

TEST_CASE("doctor: interfaces that virtual ports join") {
    Machine machine;
    const std::string ports =
        "interfaces: { a: { device: \"vdev:net_af_packet0,iface=eth1\", bridge: b }, b: { device: "
        "\"vdev:net_tap0,iface=new\" } }\n";
    machine.write("/sys/class/net/eth2/mtu", "1500\n");
    has(machine.says("device", ports),
        "fail a: there is no interface eth1 here; did you mean 'eth2'");
    machine.write("/sys/class/net/eth1/mtu", "1500\n");
    has(machine.says("device", ports), "ok a: eth1 is there");
    has(machine.says("device", ports), "ok b");
}

TEST_CASE("doctor: workers that are far from a NIC") {
    Machine machine;
    machine.write(Machine::nic("0000:3b:00.1") + "/numa_node", "1\n");
    machine.write("/sys/devices/system/node/node1/cpulist", "4-7\n");
    has(machine.says("numa"),
        "warn lan: 0000:3b:00.1 is on node 1, the workers' CPU 1-2 is not | "
        "choose cores.workers among CPU 4-7");
}

TEST_CASE("doctor: NICs with too few queues for the workers") {
    Machine machine;
    machine.write(Machine::nic("0000:3b:00.1") + "/device", "0x10d3\n");
    has(machine.says("queues"), "warn lan: an Intel 82574 (e1000e) has one receive queue");
    has(machine.says("queues"), "ok wan");
    has(machine.says("queues",
                     "interfaces: { a: { device: \"vdev:net_null0\", bridge: b, queues: 1 "
                     "}, b: { device: \"vdev:net_null1\" } }\ncores: { workers: [1, 2] "
                     "}\n"),
        "warn a: 1 queues for 2 workers");
}

TEST_CASE("doctor: a kernel that would forward by itself") {
    Machine machine;
    const std::string routed =
        "interfaces: { wan: { device: \"0000:3b:00.0\", address: 192.0.2.1/24 } }\n";
    has(machine.says("forwarding"), "ok the kernel has no part");
    has(machine.says("forwarding", routed), "ok the kernel forwards nothing");
    machine.write("/proc/sys/net/ipv4/ip_forward", "1\n");
    machine.write("/proc/sys/net/ipv6/conf/all/forwarding", "1\n");
    machine.write("/proc/sys/net/ipv4/conf/all/rp_filter", "1\n");
    has(machine.says("forwarding", routed), "sysctl -w net.ipv4.ip_forward=0");
    has(machine.says("forwarding", routed), "sysctl -w net.ipv6.conf.all.forwarding=0");
    has(machine.says("forwarding", routed), "sysctl -w net.ipv4.conf.all.rp_filter=2");
    machine.remove("/dev/net");
    has(machine.says("forwarding", routed), "fail routed ports need TAP");
}

TEST_CASE("lists of CPUs are read and written as the kernel does") {
    CHECK(parse_cpu_list("0-2,7") == std::vector<unsigned>{0, 1, 2, 7});
    CHECK(parse_cpu_list("").empty());
    CHECK(parse_cpu_list("(null)").empty());
    CHECK(parse_cpu_list("3-1").empty());
    CHECK(parse_cpu_list("0-4294967295").empty());
    CHECK(format_cpu_list({0, 1, 2, 7, 9, 10}) == "0-2,7,9-10");
}
