// TFTP: the server answers a request from another port (RFC 1350, section 4).
//
// As Linux's nf_conntrack_tftp.c: the request is the first packet of its flow, and the answer comes
// back to where it came from.
#include "base/endian.h"
#include "conntrack/helpers/helpers.h"

namespace rampart {
namespace {

constexpr ExpectClass kClasses[] = {{"transfer", 1, 300}};
constexpr uint16_t kReadRequest = 1, kWriteRequest = 2;

HelperVerdict inspect(HelperInput& input, HelperHost& host) noexcept {
    if (input.payload.size() < 2) return HelperVerdict::accept();
    const uint16_t opcode = load_host16(input.payload.data());
    if (opcode != kReadRequest && opcode != kWriteRequest) return HelperVerdict::accept();

    Expectation expectation;
    expectation.tuple = input.reply;
    expectation.tuple.src_port = {};
    expectation.flags = expectation_flag::kAnySourcePort;
    expectation.deadline = host.now() + ticks_of_seconds(kClasses[0].timeout_s);
    expectation.direction = Direction::Reply;
    if (input.is_translated) {
        expectation.flags |= expectation_flag::kTranslated;
        expectation.translation.source = input.original.dst;
        expectation.translation.destination = input.original.src;
        expectation.translation.destination_port = input.original.src_port;
    }
    return HelperVerdict::of(host.expect({&expectation, 1}));
}

}  // namespace

const Helper kTftpHelper = {"tftp", helper_number::kTftp, false, true, true, kClasses, inspect};

}  // namespace rampart
