// plant(): which boxes go together into a tree.
//
// Boxes that leave an address free have copies under every bit of it, so boxes are parted by which
// of their addresses are specific, when that leaves less to do for a packet. The ways to part them
// are tried on a sample. Control thread, while an index is compiled.
#pragma once

#include <vector>

#include "rules/classifier/boxes.h"
#include "rules/classifier/cut_tree.h"

namespace rampart {

// At most four trees; none for no boxes.
std::vector<CutTree> plant(const std::vector<Box<2>>& boxes, const Attributes& attributes);
std::vector<CutTree> plant(const std::vector<Box<8>>& boxes, const Attributes& attributes);

}  // namespace rampart
