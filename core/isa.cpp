#include "isa.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace lamina {

const Kernels& portable_kernels(bool is_double);
#if defined(LAMINA_X86)
const Kernels& avx2_kernels(bool is_double);
const Kernels& avx512_kernels(bool is_double);
#endif

namespace {

struct Isa {
  const char* name;
  const Kernels& (*kernels)(bool is_double);
  bool (*usable)();
};

const Isa isas[] = {
    {"portable", portable_kernels, [] { return true; }},
#if defined(LAMINA_X86)
    {"avx2", avx2_kernels, [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }},
    {"avx512", avx512_kernels,
     [] {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("fma");
     }},
#endif
};

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string checked(const std::string& name, const std::string& where) {
  const std::vector<std::string> usable = usable_isas();
  if (std::find(usable.begin(), usable.end(), name) != usable.end()) return name;
  throw std::invalid_argument(where + " is '" + name + "'; this machine runs " + joined(usable));
}

}  // namespace

std::vector<std::string> usable_isas() {
  std::vector<std::string> names;
  for (const Isa& isa : isas) {
    if (isa.usable()) names.emplace_back(isa.name);
  }
  return names;
}

std::string best_isa() {
  const char* const wanted = std::getenv("LAMINA_ISA");
  if (wanted != nullptr && *wanted != '\0') return checked(wanted, "the environment variable LAMINA_ISA");
  return usable_isas().back();
}

const Kernels& kernels_of(const std::string& isa, bool is_double) {
  const std::string name = checked(isa, "isa");
  const Isa* const found = std::find_if(std::begin(isas), std::end(isas), [&](const Isa& i) { return i.name == name; });
  return found->kernels(is_double);
}

}  // namespace lamina
