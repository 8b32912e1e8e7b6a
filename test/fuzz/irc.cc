// Fuzz target of the IRC helper; see helper_run.h. Choices: 1 translated, 4 the stream begins as
// the input says.
#include "fuzz/helper_run.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rampart;
    if (size == 0) return 0;
    test::HelperBed bed(helper_number::kIrc, "10.0.0.2", 40000, "192.0.2.1", 6667);
    if (data[0] & 1) bed.translate_source("203.0.113.100", 61000);
    if ((data[0] & 4) == 0) bed.client("NICK x\r\n");
    test::run_conversation(bed, helper_number::kIrc, data + 1, size - 1);
    return 0;
}
