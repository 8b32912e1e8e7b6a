#include "support/fragment_frame.h"

#include <algorithm>
#include <stdexcept>

namespace rampart::test {
namespace {

unsigned get16(const Bytes& bytes, size_t at) {
    return bytes[at] * 256u + bytes[at + 1];
}

void put16(Bytes& bytes, size_t at, unsigned value) {
    bytes[at] = static_cast<uint8_t>(value >> 8);
    bytes[at + 1] = static_cast<uint8_t>(value);
}

Bytes part(const Bytes& bytes, size_t from, size_t to) {
    return Bytes(bytes.begin() + static_cast<ptrdiff_t>(from),
                 bytes.begin() + static_cast<ptrdiff_t>(to));
}

// Where the IP header begins, its kind, and where the fragmentable part begins.
struct Shape {
    size_t ip = 14;
    bool is_v4 = true;
    size_t payload = 0;
    size_t announcing = 0;  // IPv6: the byte that announces what begins at `payload`
};

Shape shape_of(const Bytes& frame) {
    Shape shape;
    if (get16(frame, 12) == 0x8100) shape.ip = 18;
    shape.is_v4 = frame[shape.ip] >> 4 == 4;
    shape.payload = shape.ip + (shape.is_v4 ? (frame[shape.ip] & 15) * 4u : 40u);
    shape.announcing = shape.ip + 6;
    if (!shape.is_v4 && frame[shape.announcing] == 0) {  // hop-by-hop options stay in front
        shape.announcing = shape.payload;
        shape.payload += (frame[shape.payload + 1] + 1u) * 8u;
    }
    return shape;
}

void set_checksum4(Bytes& frame, size_t ip) {
    put16(frame, ip + 10, 0);
    put16(frame, ip + 10, plain_checksum(part(frame, ip, ip + (frame[ip] & 15) * 4u)));
}

}  // namespace

uint32_t ip_length_of(const Bytes& frame) {
    const Shape shape = shape_of(frame);
    return shape.is_v4 ? get16(frame, shape.ip + 2) : get16(frame, shape.ip + 4) + 40;
}

Bytes payload_of(const Bytes& frame) {
    const Shape shape = shape_of(frame);
    return part(frame, shape.payload, shape.ip + ip_length_of(frame));
}

Bytes fragment_frame(const Bytes& frame, const PieceSpec& piece) {
    const Shape shape = shape_of(frame);
    const Bytes payload = payload_of(frame);
    const bool more = piece.more.value_or(piece.offset + piece.length < payload.size());
    Bytes out = part(frame, 0, shape.payload);
    if (!shape.is_v4) {
        const uint8_t next = out[shape.announcing];
        out[shape.announcing] = 44;
        const Bytes header = {next, 0, static_cast<uint8_t>(piece.offset >> 8),
                              static_cast<uint8_t>((piece.offset & 0xf8) | more)};
        out.insert(out.end(), header.begin(), header.end());
        for (int shift = 24; shift >= 0; shift -= 8)
            out.push_back(static_cast<uint8_t>(piece.id >> shift));
    }
    for (uint32_t i = 0; i < piece.length; ++i) {
        const size_t at = piece.offset + i;
        out.push_back(piece.fill.value_or(at < payload.size() ? payload[at] : 0));
    }
    if (shape.is_v4) {
        const unsigned flags = get16(out, shape.ip + 6) & 0x4000;
        put16(out, shape.ip + 2, static_cast<unsigned>(out.size() - shape.ip));
        put16(out, shape.ip + 4, piece.id);
        put16(out, shape.ip + 6, flags | (more ? 0x2000u : 0u) | piece.offset / 8);
        set_checksum4(out, shape.ip);
    } else {
        put16(out, shape.ip + 4, static_cast<unsigned>(out.size() - shape.ip - 40));
    }
    return out;
}

PieceSpec parse_piece(const std::vector<std::string>& words) {
    PieceSpec piece;
    const size_t plus = words.empty() ? std::string::npos : words[0].find('+');
    if (plus == std::string::npos) throw std::runtime_error("piece takes OFFSET+LENGTH");
    piece.offset = static_cast<uint32_t>(std::stoul(words[0].substr(0, plus)));
    piece.length = static_cast<uint32_t>(std::stoul(words[0].substr(plus + 1)));
    for (size_t i = 1; i < words.size(); ++i) {
        if (words[i] == "more")
            piece.more = true;
        else if (words[i] == "last")
            piece.more = false;
        else if (words[i] == "id" && i + 1 < words.size())
            piece.id = static_cast<uint32_t>(std::stoul(words[++i]));
        else if (words[i] == "fill" && i + 1 < words.size())
            piece.fill = static_cast<uint8_t>(std::stoul(words[++i], nullptr, 16));
        else
            throw std::runtime_error("unknown word '" + words[i] + "' after piece");
    }
    return piece;
}

Bytes joined_payload(const std::vector<Bytes>& frames) {
    Bytes joined;
    for (size_t i = 0; i < frames.size(); ++i) {
        const Bytes& frame = frames[i];
        Shape shape = shape_of(frame);
        unsigned word = 0;
        size_t begin = shape.payload;
        if (shape.is_v4) {
            word = get16(frame, shape.ip + 6);
            word = (word & 0x1fff) * 8 | (word >> 13 & 1);
            const Bytes header = part(frame, shape.ip, shape.payload);
            if (plain_checksum(header) != 0) return {};
        } else {
            if (frame[shape.announcing] != 44) return {};
            word = get16(frame, shape.payload + 2);
            begin += 8;
        }
        if ((word & ~7u) != joined.size() || (word & 1) != (i + 1 < frames.size())) return {};
        const Bytes piece = part(frame, begin, shape.ip + ip_length_of(frame));
        joined.insert(joined.end(), piece.begin(), piece.end());
    }
    return joined;
}

}  // namespace rampart::test
