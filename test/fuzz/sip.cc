// Fuzz target of the SIP helper with SDP; see helper_run.h. Choices: 1 translated, 2 over TCP,
// 4 IPv6.
#include "fuzz/helper_run.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rampart;
    if (size == 0) return 0;
    const bool is_six = data[0] & 4;
    test::HelperBed bed(helper_number::kSip, is_six ? "2001:db8::2" : "10.0.0.2", 5060,
                        is_six ? "2001:db8:f::1" : "192.0.2.1", 5060,
                        data[0] & 2 ? ip_protocol::kTcp : ip_protocol::kUdp);
    if (data[0] & 1) bed.translate_source(is_six ? "2001:db8:a::1" : "203.0.113.100", 61000);
    test::run_conversation(bed, helper_number::kSip, data + 1, size - 1);
    return 0;
}
