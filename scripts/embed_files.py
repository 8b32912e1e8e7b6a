"""Makes a C++ source of files that are to be part of a program: embed_files.py OUT FILE...

It defines status_page_files() of lib/control/monitoring/status_page.h. index.html is served as "/".
"""
import pathlib
import sys

CONTENT_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
BYTES_PER_LINE = 24

out, *files = map(pathlib.Path, sys.argv[1:])
arrays, table = [], []
for number, path in enumerate(files):
    data = path.read_bytes()
    lines = [",".join(map(str, data[at:at + BYTES_PER_LINE])) for at in range(0, len(data), BYTES_PER_LINE)]
    arrays.append(f"constexpr unsigned char kFile{number}[] = {{\n" + ",\n".join(lines) + "};\n")
    where = "/" if path.name == "index.html" else "/" + path.name
    table.append(f'    {{"{where}", "{CONTENT_TYPES[path.suffix]}; charset=utf-8", text_of(kFile{number})}},\n')
out.write_text(f"""// Made by scripts/embed_files.py.
#include "control/monitoring/status_page.h"

namespace rampart {{
namespace {{

{"".join(arrays)}
template <size_t size>
std::string_view text_of(const unsigned char (&bytes)[size]) {{
    return {{reinterpret_cast<const char*>(bytes), size}};
}}

const PageFile kFiles[] = {{
{"".join(table)}}};

}}  // namespace

std::span<const PageFile> status_page_files() noexcept {{
    return kFiles;
}}

}}  // namespace rampart
""")
