// The instruction sets this machine can run, best last.
#pragma once

#include <string>
#include <vector>

#include "task.hpp"

namespace lamina {

std::vector<std::string> usable_isas();
std::string best_isa();  // LAMINA_ISA in the environment overrides the processor's own answer
const Kernels& kernels_of(const std::string& isa, bool is_double);

}  // namespace lamina
