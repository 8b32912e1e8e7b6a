// Fuzz target of the PPTP helper; see helper_run.h. Choices: 1 translated.
#include "fuzz/helper_run.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rampart;
    if (size == 0) return 0;
    test::HelperBed bed(helper_number::kPptp, "10.0.0.2", 40000, "192.0.2.1", 1723);
    if (data[0] & 1) bed.translate_source("203.0.113.100", 61000);
    test::run_conversation(bed, helper_number::kPptp, data + 1, size - 1);
    return 0;
}
