#include "rules/masked_mark.h"

#include <fmt/format.h>

#include "base/scalar.h"
#include "rules/words.h"

namespace rampart {

namespace {

void report(const Value& value, std::string hint, ParseContext& context) {
    context.diagnostics.error("E005", value.location(),
                              fmt::format("{} is not a mark", quoted(value.text())),
                              std::move(hint));
}

constexpr std::string_view kHint = "write 0x10 or 0x10/0xff; the mask must cover the mark";

}  // namespace

std::optional<MaskedMark> parse_masked_mark(std::string_view text) {
    const size_t slash = text.find('/');
    const auto value = parse_hex_or_decimal(text.substr(0, slash));
    if (!value) return std::nullopt;
    MaskedMark mark{*value};
    if (slash != text.npos) {
        const auto mask = parse_hex_or_decimal(text.substr(slash + 1));
        if (!mask) return std::nullopt;
        mark.mask = *mask;
    }
    if ((mark.value & ~mark.mask) != 0) return std::nullopt;
    return mark;
}

std::string print_masked_mark(const MaskedMark& mark) {
    if (mark.mask == 0xffffffff) return fmt::format("{:#x}", mark.value);
    return fmt::format("{:#x}/{:#x}", mark.value, mark.mask);
}

Arguments parse_masked_marks(const Value& value, ParseContext& context) {
    MaskedMarks marks;
    bool good = true;
    for (const Value* item : scalars_of(value, "a mark", context)) {
        if (const auto mark = parse_masked_mark(item->text())) {
            marks.marks.push_back(*mark);
        } else {
            report(*item, std::string(kHint), context);
            good = false;
        }
    }
    if (!good || marks.marks.empty()) return {};
    return Arguments::make(std::move(marks));
}

std::string print_masked_marks(const Arguments& arguments, const Names&) {
    std::vector<std::string> words;
    for (const MaskedMark& mark : arguments.as<MaskedMarks>().marks)
        words.push_back(print_masked_mark(mark));
    return print_words(words);
}

Arguments parse_mark_setting(const Value& value, std::string_view source, ParseContext& context) {
    if (!value.is_scalar()) {
        context.diagnostics.error("E005", value.location(),
                                  fmt::format("expected a mark, found {}", value.kind_name()));
        return {};
    }
    MarkSetting setting;
    std::string_view text = value.text();
    if (text == source || text.starts_with(std::string(source) + "/")) {
        setting.copies = true;
        text.remove_prefix(source.size());
        if (text.empty()) return Arguments::make(setting);
        const auto mask = parse_hex_or_decimal(text.substr(1));
        if (mask) setting.mark.mask = *mask;
        if (mask) return Arguments::make(setting);
    } else if (const auto mark = parse_masked_mark(text)) {
        setting.mark = *mark;
        return Arguments::make(setting);
    }
    report(value, fmt::format("{}, or {} to copy that", kHint, source), context);
    return {};
}

std::string print_mark_setting(const Arguments& arguments, std::string_view source) {
    const MarkSetting& setting = arguments.as<MarkSetting>();
    if (!setting.copies) return print_masked_mark(setting.mark);
    if (setting.mark.mask == 0xffffffff) return std::string(source);
    return fmt::format("{}/{:#x}", source, setting.mark.mask);
}

}  // namespace rampart
