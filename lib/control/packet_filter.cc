#include "control/packet_filter.h"

#include <pcap/pcap.h>
#include <rte_bpf.h>
#include <rte_malloc.h>

#include "base/diagnostics.h"

// rte_bpf_convert() has no stable ABI yet in DPDK 22.11.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace rampart {
namespace {

constexpr int kSnapLength = 65535;

// pcap's program, freed with it.
struct PcapProgram {
    PcapProgram() : handle(pcap_open_dead(DLT_EN10MB, kSnapLength)) {}
    ~PcapProgram() {
        if (is_compiled) pcap_freecode(&code);
        if (handle != nullptr) pcap_close(handle);
    }
    PcapProgram(const PcapProgram&) = delete;
    PcapProgram& operator=(const PcapProgram&) = delete;

    pcap_t* handle;
    bpf_program code{};
    bool is_compiled = false;
};

// rte_bpf_convert() of DPDK 22.11 takes the index register of loads from its bit for operands,
// which such loads do not have: only those of half-words, by luck, get X. Without this, `icmp[0] ==
// 8` would look at the wrong byte. Its X is register 7.
void mend_indexed_loads(rte_bpf_prm& program) {
    constexpr uint8_t kModeAndClass = 0xe7;
    ebpf_insn* instructions = const_cast<ebpf_insn*>(program.ins);
    for (uint32_t i = 0; i < program.nb_ins; ++i)
        if ((instructions[i].code & kModeAndClass) == (BPF_LD | BPF_IND))
            instructions[i].src_reg = EBPF_REG_7;
}

Result<rte_bpf*> compile_program(const std::string& expression) {
    PcapProgram program;
    if (program.handle == nullptr) return failure("no memory for the filter");
    if (pcap_compile(program.handle, &program.code, expression.c_str(), /*optimize=*/1,
                     PCAP_NETMASK_UNKNOWN) != 0)
        return failure(
            rampart::quoted(expression) + " is no filter: " + pcap_geterr(program.handle),
            "as for tcpdump: 'host 10.0.0.1 and tcp port 22'");
    program.is_compiled = true;
    rte_bpf_prm* converted = rte_bpf_convert(&program.code);
    if (converted == nullptr)
        return failure("the filter cannot be run by the workers", "use a simpler one");
    mend_indexed_loads(*converted);
    rte_bpf* loaded = rte_bpf_load(converted);
    rte_free(converted);
    if (loaded == nullptr)
        return failure("the filter cannot be run by the workers", "use a simpler one");
    return loaded;
}

}  // namespace

Result<std::unique_ptr<PacketFilter>> PacketFilter::compile(const std::string& expression) {
    rte_bpf* program = nullptr;
    if (!expression.empty()) {
        const auto compiled = compile_program(expression);
        if (!compiled) return tl::unexpected<Error>(compiled.error());
        program = *compiled;
    }
    return std::unique_ptr<PacketFilter>(new PacketFilter(program));
}

PacketFilter::~PacketFilter() {
    rte_bpf_destroy(program_);
}

}  // namespace rampart
