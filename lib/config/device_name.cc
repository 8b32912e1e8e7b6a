#include "config/device_name.h"

#include <algorithm>

#include <fmt/format.h>

namespace rampart {

namespace {

constexpr std::string_view kVirtual = "vdev:";

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// "0000:3b:00.0", in lower case.
bool is_pci_address(std::string_view text) {
    constexpr std::string_view kForm = "hhhh:hh:hh.f";
    if (text.size() != kForm.size()) return false;
    for (size_t i = 0; i < text.size(); ++i) {
        const bool good = kForm[i] == 'h'   ? is_hex(text[i])
                          : kForm[i] == 'f' ? text[i] >= '0' && text[i] <= '7'
                                            : text[i] == kForm[i];
        if (!good) return false;
    }
    return true;
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

std::optional<DeviceName> parse_virtual(const Value& value, Diagnostics& diagnostics) {
    const std::string arguments = value.text().substr(kVirtual.size());
    const std::string name = arguments.substr(0, arguments.find(','));
    const bool is_name = !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
                         std::all_of(name.begin(), name.end(), [](char c) {
                             return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
                         });
    const bool is_printable =
        std::all_of(arguments.begin(), arguments.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (!is_name || !is_printable) {
        diagnostics.error("E005", value.location(),
                          fmt::format("{} names no virtual device", quoted(value.text())),
                          "for example \"vdev:net_tap0,iface=lan\"");
        return std::nullopt;
    }
    return DeviceName{arguments, name, true};
}

// YAML 1.1 reads 0000:01:00.0 as a number in base 60.
void warn_if_unquoted(const Value& value, Diagnostics& diagnostics) {
    const std::string& text = value.text();
    const bool is_number = text.find_first_not_of("0123456789:.") == std::string::npos;
    if (value.is_quoted() || !is_number) return;
    diagnostics.warning("W108", value.location(),
                        fmt::format("other YAML tools read {} as a number", text),
                        fmt::format("write \"{}\"", text));
}

}  // namespace

std::optional<DeviceName> parse_device_name(const Value& value, Diagnostics& diagnostics) {
    if (value.is_scalar() && value.text().starts_with(kVirtual)) {
        return parse_virtual(value, diagnostics);
    }
    const std::string address = lower(value.text());
    if (value.is_scalar() && is_pci_address(address)) {
        warn_if_unquoted(value, diagnostics);
        return DeviceName{address, address, false};
    }
    std::string hint = "a PCI address such as \"0000:3b:00.0\", or \"vdev:net_tap0,iface=x\"";
    if (is_pci_address("0000:" + address)) hint = fmt::format("write \"0000:{}\"", address);
    if (address.starts_with("net_")) hint = fmt::format("write \"vdev:{}\"", value.text());
    diagnostics.error("E005", value.location(),
                      fmt::format("{} is not a device", quoted(value.text())), std::move(hint));
    return std::nullopt;
}

}  // namespace rampart
