// Python's view of the machine: only translates. Arrays come as buffers, errors leave as Python's own.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <mutex>
#include <optional>

#include "isa.hpp"
#include "machine.hpp"
#include "shuffle.hpp"

namespace nb = nanobind;

namespace lamina {
namespace {

// A caller's array: C-contiguous, of the expected type, held while in use.
class Buffer {
 public:
  Buffer(nb::handle array, const std::string& what, char format, bool writable) {
    const int flags = PyBUF_ND | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(array.ptr(), &view_, flags) != 0) {
      PyErr_Clear();
      throw nb::type_error(
          (what + " must be a C-contiguous" + (writable ? " writable" : "") + " array of " + type_name(format))
              .c_str());
    }
    if (!matches(format)) {
      const std::string got = view_.format == nullptr ? "bytes" : view_.format;
      PyBuffer_Release(&view_);
      throw nb::type_error(
          (what + " must be an array of " + type_name(format) + ", its buffer format is '" + got + "'").c_str());
    }
  }
  Buffer(Buffer&& other) noexcept : view_(other.view_) { other.view_.obj = nullptr; }
  Buffer& operator=(Buffer&&) = delete;
  ~Buffer() { PyBuffer_Release(&view_); }

  char* data() const { return static_cast<char*>(view_.buf); }
  i64 count() const { return view_.itemsize == 0 ? 0 : static_cast<i64>(view_.len / view_.itemsize); }
  i64 bytes() const { return static_cast<i64>(view_.len); }

 private:
  static const char* type_name(char format) { return format == 'f' ? "float32" : format == 'd' ? "float64" : "int64"; }
  bool matches(char format) const {
    if (view_.format == nullptr || view_.format[0] == '\0' || view_.format[1] != '\0') return false;
    const char got = view_.format[0];
    if (format == 'q') return view_.itemsize == 8 && (got == 'q' || got == 'l');
    return got == format;
  }
  Py_buffer view_{};
};

enum class Role { input, state, output };
const char* role_name(Role role) { return role == Role::input ? "input" : role == Role::state ? "state" : "output"; }

struct Named {
  Role role;
  const std::string* name;
  Buffer buffer;
  std::string what() const { return std::string(role_name(role)) + " '" + *name + "'"; }
};

[[noreturn]] void refuse(const std::string& what) { throw nb::value_error(what.c_str()); }

// A workspace with the arrays of one pass; calling it runs rows of that pass.
class Call {
 public:
  Call(Workspace& workspace, std::mutex& busy, nb::dict inputs, nb::dict states, nb::dict outputs, nb::object order,
       i64 rows)
      : workspace_(workspace), busy_(busy), rows_(rows) {
    const Program& program = workspace.program();
    arrays_.reserve(program.inputs.size() + program.states.size() + program.outputs.size());
    if (rows < 0) refuse("rows must not be negative, got " + std::to_string(rows));
    for (const auto& [name, per_row] : program.inputs) add_input(inputs, name, per_row);
    for (const auto& [name, least] : program.states) add_state(states, name, least);
    for (const auto& [name, shape] : program.outputs) add_output(outputs, name, shape);
    refuse_overlaps();
    if (!order.is_none()) {
      order_.emplace(order, "order", 'q', false);
      bound_.order = reinterpret_cast<const i64*>(order_->data());
    }
  }

  i64 run(i64 start, i64 stop, u64 step) {
    check_range(start, stop);
    nb::gil_scoped_release unlocked;
    const std::lock_guard<std::mutex> alone(busy_);
    try {
      return workspace_.run(bound_, start, stop, step, signal_arrived);
    } catch (const Interrupted&) {
      nb::gil_scoped_acquire locked;
      throw nb::python_error();
    }
  }

 private:
  static bool signal_arrived() {
    nb::gil_scoped_acquire locked;
    return PyErr_CheckSignals() != 0;
  }

  const Buffer& add(nb::dict arrays, Role role, const std::string& name) {
    PyObject* const key = PyUnicode_FromStringAndSize(name.data(), static_cast<Py_ssize_t>(name.size()));
    const nb::object owned = nb::steal(key);
    PyObject* const array = PyDict_GetItemWithError(arrays.ptr(), key);
    if (array == nullptr) refuse(std::string(role_name(role)) + " '" + name + "' is missing");
    const char format = workspace_.program().is_double ? 'd' : 'f';
    Buffer buffer(array, std::string(role_name(role)) + " '" + name + "'", format, role != Role::input);
    return arrays_.emplace_back(role, &name, std::move(buffer)).buffer;
  }
  [[noreturn]] void wrong_count(const std::string& expected) const {
    refuse(arrays_.back().what() + " has " + std::to_string(arrays_.back().buffer.count()) + " elements, expected " +
           expected);
  }
  void add_input(nb::dict arrays, const std::string& name, i64 per_row) {
    const Buffer& buffer = add(arrays, Role::input, name);
    if (buffer.count() / per_row != rows_ || buffer.count() % per_row != 0)
      wrong_count(std::to_string(rows_) + " rows of " + std::to_string(per_row));
    bound_.inputs.push_back(buffer.data());
  }
  void add_state(nb::dict arrays, const std::string& name, i64 least) {
    const Buffer& buffer = add(arrays, Role::state, name);
    if (buffer.count() < least) wrong_count("at least " + std::to_string(least));
    bound_.states.push_back(buffer.data());
  }
  void add_output(nb::dict arrays, const std::string& name, OutputShape shape) {
    const Buffer& buffer = add(arrays, Role::output, name);
    if (shape.per_row == 0 && buffer.count() != shape.fixed) wrong_count(std::to_string(shape.fixed));
    if (shape.per_row > 0) {
      if (buffer.count() % shape.per_row != 0) wrong_count("rows of " + std::to_string(shape.per_row));
      const i64 rows = buffer.count() / shape.per_row;
      if (rows < output_rows_) {
        output_rows_ = rows;
        shortest_ = name;
      }
    }
    bound_.outputs.push_back(buffer.data());
  }

  // What is written must not be anything else: neither another array nor what is read.
  void refuse_overlaps() const {
    for (std::size_t i = 0; i < arrays_.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (arrays_[i].role == Role::input && arrays_[j].role == Role::input) continue;
        const Buffer& a = arrays_[i].buffer;
        const Buffer& b = arrays_[j].buffer;
        if (a.data() < b.data() + b.bytes() && b.data() < a.data() + a.bytes())
          refuse(arrays_[i].what() + " and " + arrays_[j].what() + " share memory");
      }
    }
  }

  void check_range(i64 start, i64 stop) const {
    const i64 end = order_ ? order_->count() : rows_;
    if (start < 0 || start > stop || stop > end)
      refuse("rows " + std::to_string(start) + ".." + std::to_string(stop) + " are not within the pass of " +
             std::to_string(end) + " rows");
    if (stop - start > output_rows_)
      refuse("output '" + shortest_ + "' has " + std::to_string(output_rows_) + " rows, expected " +
             std::to_string(stop - start));
    if (!order_) return;
    u64 bad = 0;
    for (i64 i = start; i < stop; ++i) bad |= static_cast<u64>(bound_.order[i] < 0 || bound_.order[i] >= rows_);
    if (bad == 0) return;
    for (i64 i = start; i < stop; ++i) {
      if (bound_.order[i] < 0 || bound_.order[i] >= rows_)
        refuse("order[" + std::to_string(i) + "] is " + std::to_string(bound_.order[i]) + ", expected 0.." +
               std::to_string(rows_ - 1));
    }
  }

  Workspace& workspace_;
  std::mutex& busy_;
  const i64 rows_;
  std::vector<Named> arrays_;
  std::optional<Buffer> order_;
  Bound bound_;
  i64 output_rows_ = INT64_MAX;  // of the shortest output that has a part for each row
  std::string shortest_;
};

using SharedProgram = std::shared_ptr<const Program>;

struct PyProgram {
  SharedProgram program;
  explicit PyProgram(std::string_view text) : program(parse_text(text)) {}
  static SharedProgram parse_text(std::string_view text) {
    try {
      return std::make_shared<const Program>(parse(text));
    } catch (const ProgramError& error) {
      refuse(error.what());
    }
  }
  const char* dtype() const { return program->is_double ? "float64" : "float32"; }
  std::map<std::string, std::pair<i64, i64>> outputs() const {
    std::map<std::string, std::pair<i64, i64>> shapes;
    for (const auto& [name, shape] : program->outputs) shapes[name] = {shape.per_row, shape.fixed};
    return shapes;
  }
};

struct PyWorkspace {
  std::mutex busy;
  Workspace workspace;
  PyWorkspace(const PyProgram& program, i64 batch_size, int threads, const std::optional<std::string>& isa,
              bool profile)
      : workspace(program.program, checked(batch_size, "batch_size", i64{1} << 32),
                  static_cast<int>(checked(threads, "threads", 1024)), isa ? *isa : best_isa(), profile) {}
  static i64 checked(i64 number, const char* what, i64 most) {
    if (number < 1 || number > most)
      refuse(std::string(what) + " must be in 1.." + std::to_string(most) + ", got " + std::to_string(number));
    return number;
  }
};

std::map<std::string, std::vector<std::string>> op_names() {
  std::map<std::string, std::vector<std::string>> names;
  for (const OpName& op : map_ops()) names["map"].emplace_back(op.name);
  for (std::string_view name : instruction_names()) names["instructions"].emplace_back(name);
  return names;
}

}  // namespace
}  // namespace lamina

NB_MODULE(_core, m) {
  using namespace lamina;
  using namespace nb::literals;
  m.doc() = "The machine that runs Lamina's programs.";
  nb::set_leak_warnings(false);  // what a program still holds when it ends is no leak

  nb::class_<PyProgram>(m, "Program")
      .def(nb::init<std::string_view>(), "text"_a)
      .def_prop_ro("dtype", &PyProgram::dtype)
      .def_prop_ro("inputs", [](const PyProgram& p) { return p.program->inputs; })
      .def_prop_ro("states", [](const PyProgram& p) { return p.program->states; })
      .def_prop_ro("outputs", &PyProgram::outputs);

  nb::class_<Call>(m, "Call").def("__call__", &Call::run, "start_row"_a, "stop_row"_a, "step"_a);

  nb::class_<PyWorkspace>(m, "Workspace")
      .def(nb::init<const PyProgram&, i64, int, std::optional<std::string>, bool>(), "program"_a, "batch_size"_a,
           "threads"_a = 1, "isa"_a = nb::none(), "profile"_a = false)
      .def_prop_ro("batch_size", [](const PyWorkspace& w) { return w.workspace.batch(); })
      .def_prop_ro("threads", [](const PyWorkspace& w) { return w.workspace.threads(); })
      .def_prop_ro("isa", [](const PyWorkspace& w) { return w.workspace.isa(); })
      .def_prop_ro("seconds", [](const PyWorkspace& w) { return w.workspace.seconds(); })
      .def(
          "bind",
          [](PyWorkspace& w, nb::dict inputs, nb::dict states, nb::dict outputs, nb::object order, i64 rows) {
            return new Call(w.workspace, w.busy, inputs, states, outputs, order, rows);
          },
          "inputs"_a, "states"_a, "outputs"_a, "order"_a.none(), "rows"_a, nb::rv_policy::take_ownership,
          nb::keep_alive<0, 1>())
      .def(
          "run",
          [](PyWorkspace& w, nb::dict inputs, nb::dict states, nb::dict outputs, nb::object order, i64 rows,
             i64 start_row, i64 stop_row, u64 step) {
            return Call(w.workspace, w.busy, inputs, states, outputs, order, rows).run(start_row, stop_row, step);
          },
          "inputs"_a, "states"_a, "outputs"_a, "order"_a.none(), "rows"_a, "start_row"_a, "stop_row"_a, "step"_a);

  m.def(
      "shuffle",
      [](nb::object order, u64 seed) {
        const Buffer buffer(order, "order", 'q', true);
        const nb::gil_scoped_release unlocked;
        shuffle(reinterpret_cast<i64*>(buffer.data()), buffer.count(), seed);
      },
      "order"_a, "seed"_a);
  m.def("isa", &best_isa);
  m.def("isas", &usable_isas);
  m.def("ops", &op_names);
}
