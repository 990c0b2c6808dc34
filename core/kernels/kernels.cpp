// One build of the kernels: compiled once for each instruction set, with -DLAMINA_ISA_<name> and that set's flags.
#include "../task.hpp"
#include "matmul.hpp"
#include "move.hpp"

namespace lamina {

#define LAMINA_TEXT(x) #x
#define LAMINA_NAME(x) LAMINA_TEXT(x)
#define LAMINA_JOIN(a, b) a##b
#define LAMINA_EXPORT(isa) LAMINA_JOIN(isa, _kernels)

namespace LAMINA_ISA {

template <class T>
constexpr Kernels table{
    .isa = LAMINA_NAME(LAMINA_ISA),
    .element = sizeof(T),
    .map_rows = Table<T>::rows,
    .map_row_count = Table<T>::count,
    .map_pairs = Pairs<T>::rows,
    .map_pair_count = Pairs<T>::count,
    .panel = Tiling<T>::panel,
    .tile_rows = Tiling<T>::rows[Tiling<T>::vectors],
    .depth = Tiling<T>::depth,
    .group = Tiling<T>::group,
    .rows_together = Tiling<T>::rows_together,
    .load = load_rows<T>,
    .matmul = matmul<T>,
    .matmul_partial = matmul_partial<T>,
    .map = map<T>,
    .copy = copy<T>,
    .fill = fill<T>,
    .take = take<T>,
    .scatter_add = scatter_add<T>,
    .scatter_add_partial = scatter_add_partial<T>,
    .argmax = argmax<T>,
    .copy_block = copy_block<T>,
    .splat_block = splat_block<T>,
};

}  // namespace LAMINA_ISA

const Kernels& LAMINA_EXPORT(LAMINA_ISA)(bool is_double) {
  return is_double ? LAMINA_ISA::table<double> : LAMINA_ISA::table<float>;
}

}  // namespace lamina
