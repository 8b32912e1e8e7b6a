#include "control/flow_export/ipfix_encoder.h"

#include <fixbuf/public.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace rampart {

namespace {

using namespace ipfix_parts;

constexpr uint16_t kInternalTemplate = 1000;
constexpr uint16_t kFirstTemplate = 256;

// Bits of an element: in which templates it is; all of them must be asked for. None: in every one.
constexpr uint32_t kIf4 = 1, kIf6 = 2, kIfPorts = 4, kIfIcmp4 = 8, kIfIcmp6 = 16, kIfNat4 = 32,
                   kIfNat6 = 64, kIfNatPorts = 128, kIfEnd = 256, kIfNat44 = 512,
                   kNotSent = 1u << 31;

// Of Netfilter, private enterprise 21373: what its own exporter (ulogd) sends.
constexpr uint32_t kNetfilter = 21373;
constexpr uint16_t kNetfilterMark = 4;

struct Element {
    const char* name;
    uint16_t bytes;
    uint32_t when;
};

// As IpfixRecord has them.
constexpr Element kElements[] = {
    {"observationTimeMilliseconds", 8, 0},
    {"flowStartMilliseconds", 8, 0},
    {"flowEndMilliseconds", 8, kIfEnd},
    {"packetDeltaCount", 8, kIfEnd},
    {"octetDeltaCount", 8, kIfEnd},
    {"reversePacketDeltaCount", 8, kIfEnd},
    {"reverseOctetDeltaCount", 8, kIfEnd},
    {"flowId", 8, 0},
    {"sourceIPv6Address", 16, kIf6},
    {"destinationIPv6Address", 16, kIf6},
    {"postNATSourceIPv6Address", 16, kIfNat6},
    {"postNATDestinationIPv6Address", 16, kIfNat6},
    {"sourceIPv4Address", 4, kIf4},
    {"destinationIPv4Address", 4, kIf4},
    {"postNATSourceIPv4Address", 4, kIfNat4},
    {"postNATDestinationIPv4Address", 4, kIfNat4},
    {"netfilterMark", 4, 0},
    {"sourceTransportPort", 2, kIfPorts},
    {"destinationTransportPort", 2, kIfPorts},
    {"postNAPTSourceTransportPort", 2, kIfNatPorts},
    {"postNAPTDestinationTransportPort", 2, kIfNatPorts},
    {"icmpTypeCodeIPv4", 2, kIfIcmp4},
    {"protocolIdentifier", 1, 0},
    {"biflowDirection", 1, 0},
    {"flowEndReason", 1, kIfEnd},
    {"firewallEvent", 1, 0},
    {"natEvent", 1, kIfNat44},
    {"paddingOctets", 5, kNotSent},
};

// The type and code of ICMPv6 lie where those of ICMP do.
constexpr Element kIcmp6{"icmpTypeCodeIPv6", 2, kIfIcmp6};

uint32_t wanted_elements(unsigned parts) noexcept {
    const bool is_6 = parts & kIpv6, is_icmp = parts & kIcmp, has_nat = parts & kNat;
    uint32_t wanted = is_6 ? kIf6 : kIf4;
    if (is_icmp)
        wanted |= is_6 ? kIfIcmp6 : kIfIcmp4;
    else
        wanted |= kIfPorts;
    if (has_nat) wanted |= is_6 ? kIfNat6 : kIfNat4 | kIfNat44;
    if (has_nat && !is_icmp) wanted |= kIfNatPorts;
    if (parts & kEnd) wanted |= kIfEnd;
    return wanted;
}

struct ErrorCloser {
    void operator()(GError* error) const { g_error_free(error); }
};
using LibraryError = std::unique_ptr<GError, ErrorCloser>;

}  // namespace

// Its templates say how records lie in memory (for ICMPv6 there is one of its own), and what is
// sent of them: one for each combination of parts.
struct IpfixEncoder::Library {
    fbInfoModel_t* model = fbInfoModelAlloc();
    fbSession_t* session = fbSessionAlloc(model);
    fbExporter_t* exporter = nullptr;
    fBuf_t* buffer = nullptr;
    std::array<bool, kCombinations> is_sent{};

    Library() {
        fbInfoElement_t mark{};
        mark.ref.name = "netfilterMark";
        mark.ent = kNetfilter;
        mark.num = kNetfilterMark;
        mark.len = 4;
        mark.flags = FB_IE_F_ENDIAN | FB_IE_IDENTIFIER;
        fbInfoModelAddElement(model, &mark);
    }
    ~Library() {
        // It frees the session and the exporter.
        if (buffer != nullptr)
            fBufFree(buffer);
        else
            fbSessionFree(session);
        fbInfoModelFree(model);
    }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    bool add_template(uint16_t id, bool is_internal, uint32_t wanted, bool is_icmp6,
                      GError** error) {
        fbTemplate_t* made = fbTemplateAlloc(model);
        for (const Element& each : kElements) {
            const bool is_icmp = each.when == kIfIcmp4;
            const Element& element = is_icmp && is_icmp6 ? kIcmp6 : each;
            fbInfoElementSpec_t spec{const_cast<char*>(element.name), element.bytes,
                                     is_internal ? 0 : element.when};
            if (!fbTemplateAppendSpec(made, &spec, wanted, error)) return false;
        }
        return fbSessionAddTemplate(session, is_internal, id, made, error) != 0;
    }
};

Result<std::unique_ptr<IpfixEncoder>> IpfixEncoder::create(uint32_t domain, bool with_new,
                                                           bool with_end, Sink sink) {
    auto library = std::make_unique<Library>();
    GError* error = nullptr;
    fbSessionSetDomain(library->session, domain);
    bool is_good = library->add_template(kInternalTemplate, true, 0, false, &error) &&
                   library->add_template(kInternalTemplate + 1, true, 0, true, &error);
    for (unsigned parts = 0; is_good && parts < kCombinations; ++parts) {
        if (!(parts & kEnd ? with_end : with_new)) continue;
        library->is_sent[parts] = true;
        is_good = library->add_template(static_cast<uint16_t>(kFirstTemplate + parts), false,
                                        wanted_elements(parts), parts & kIpv6, &error);
    }
    if (!is_good) {
        const LibraryError owned(error);
        return failure(fmt::format("IPFIX: {}", owned != nullptr ? owned->message : "no template"));
    }
    std::unique_ptr<IpfixEncoder> encoder(new IpfixEncoder(std::move(library), std::move(sink)));
    Library& made = *encoder->library_;
    made.exporter = fbExporterAllocBuffer(encoder->message_.data(), kMessageBytes);
    made.buffer = fBufAllocForExport(made.session, made.exporter);
    fBufSetAutomaticMode(made.buffer, FALSE);
    return encoder;
}

IpfixEncoder::IpfixEncoder(std::unique_ptr<Library> library, Sink sink)
    : library_(std::move(library)), sink_(std::move(sink)) {}

IpfixEncoder::~IpfixEncoder() = default;

template <typename Write>
bool IpfixEncoder::put(Write write) {
    for (const bool is_retry : {false, true}) {
        GError* error = nullptr;
        if (write(&error)) {
            is_empty_ = false;
            return true;
        }
        const LibraryError owned(error);
        const bool is_full =
            owned != nullptr && g_error_matches(owned.get(), FB_ERROR_DOMAIN, FB_ERROR_EOM);
        if (is_full && !is_retry) {
            flush();
            continue;
        }
        spdlog::error("IPFIX: {}", owned != nullptr ? owned->message : "a record was not written");
        break;
    }
    return false;
}

void IpfixEncoder::add_templates() {
    for (unsigned parts = 0; parts < kCombinations; ++parts) {
        if (!library_->is_sent[parts]) continue;
        put([&](GError** error) {
            return fbSessionExportTemplate(library_->session,
                                           static_cast<uint16_t>(kFirstTemplate + parts), error);
        });
    }
}

void IpfixEncoder::add(const FlowEvent& event) {
    const unsigned parts = ipfix_parts_of(event);
    if (!library_->is_sent[parts]) return;
    IpfixRecord record = ipfix_record(event);
    const auto internal = static_cast<uint16_t>(kInternalTemplate + (parts & kIpv6 ? 1 : 0));
    const bool is_put = put([&](GError** error) {
        fBuf_t* buffer = library_->buffer;
        return fBufSetInternalTemplate(buffer, internal, error) &&
               fBufSetExportTemplate(buffer, static_cast<uint16_t>(kFirstTemplate + parts),
                                     error) &&
               fBufAppend(buffer, reinterpret_cast<uint8_t*>(&record), sizeof record, error);
    });
    if (is_put) ++records_;
}

void IpfixEncoder::flush() {
    if (is_empty_) return;
    is_empty_ = true;
    const uint32_t records = std::exchange(records_, 0);
    GError* error = nullptr;
    if (!fBufEmit(library_->buffer, &error)) {
        const LibraryError owned(error);
        spdlog::error("IPFIX: {}", owned != nullptr ? owned->message : "a message was not made");
        return;
    }
    sink_({message_.data(), fbExporterGetMsgLen(library_->exporter)}, records);
}

}  // namespace rampart
