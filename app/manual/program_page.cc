#include "manual/program_page.h"

#include <fmt/format.h>

namespace rampart {

void add_options(Page& page, const CLI::App& app) {
    page.heading("Options");
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_description().empty() || option->get_group().empty()) continue;
        std::string names = option->get_name(false, true);
        for (size_t comma = 0; (comma = names.find(',', comma)) != names.npos; comma += 2)
            names.replace(comma, 1, ", ");
        const std::string value = option->get_expected_max() == 0 ? "" : option->get_type_name();
        std::string text = option->get_description() + '.';
        if (!option->get_default_str().empty())
            text += fmt::format(" Default: {}.", option->get_default_str());
        page.item(names, value, text);
    }
}

}  // namespace rampart
