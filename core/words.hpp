// One line of a Program as words, each read as what the format expects there.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "program.hpp"

namespace lamina {

constexpr i64 most_elements = i64{1} << 40;
constexpr i64 most_ids = 1 << 20;

using Words = std::vector<std::string_view>;

inline Words split(std::string_view text, char separator) {
  Words words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0 || separator != ' ') words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

inline std::string quoted(std::string_view word) { return "'" + std::string(word) + "'"; }

class Line {
 public:
  Line(int number, std::string_view text) : number_(number) {
    const std::size_t comment = text.find('#');
    if (comment != std::string_view::npos) {
      label_ = text.substr(std::min(text.find_first_not_of("# ", comment), text.size()));
      text = text.substr(0, comment);
    }
    words_ = split(text, ' ');
  }

  int number() const { return number_; }
  const std::string& label() const { return label_; }
  bool empty() const { return words_.empty(); }
  bool done() const { return next_ == words_.size(); }

  [[noreturn]] void fail(const std::string& what) const { throw ProgramError(number_, what); }

  std::string_view word(const char* expected) {
    if (done()) fail(std::string("expected ") + expected + ", the line ends");
    return words_[next_++];
  }
  void end() const {
    if (!done()) fail("unexpected " + quoted(words_[next_]));
  }

  template <class Number>
  Number number_of(std::string_view word, const char* expected) const {
    Number value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size())
      fail(std::string("expected ") + expected + ", got " + quoted(word));
    return value;
  }
  i64 count_of(std::string_view word, const char* expected) const {
    const i64 value = number_of<i64>(word, expected);
    if (value < 0 || value > most_elements) fail(std::string(expected) + " must be in 0..2^40, got " + quoted(word));
    return value;
  }
  i64 count(const char* expected) { return count_of(word(expected), expected); }
  int id_of(std::string_view word, const char* expected) const {
    const i64 value = number_of<i64>(word, expected);
    if (value < 0 || value >= most_ids) fail(std::string(expected) + " must be in 0..2^20, got " + quoted(word));
    return static_cast<int>(value);
  }
  int id(const char* expected) { return id_of(word(expected), expected); }

  double real_of(std::string_view word) const {
    const std::string text(word);
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || end != text.c_str() + text.size())
      fail("expected a number as Python's float.hex() writes it, got " + quoted(word));
    return value;
  }
  std::optional<double> constant_of(std::string_view word) const {
    if (!word.starts_with("const:")) return std::nullopt;
    return real_of(word.substr(6));
  }

  // The value of `key=value`, which must come next.
  std::string_view key(std::string_view name) {
    const std::string expected = std::string(name) + "=…";
    const std::string_view text = word(expected.c_str());
    if (!text.starts_with(name) || text.size() <= name.size() || text[name.size()] != '=')
      fail("expected " + expected + ", got " + quoted(text));
    return text.substr(name.size() + 1);
  }
  i64 positive(std::string_view name) {
    const i64 value = count_of(key(name), "a size");
    if (value < 1) fail(std::string(name) + " must be at least 1");
    return value;
  }
  Extent extent_of(std::string_view word) const {
    if (word == "B") return {1, 0};
    const bool rows = word.starts_with("B*");
    const i64 value = count_of(rows ? word.substr(2) : word, "a size");
    if (value < 1) fail("a size must be at least 1, got " + quoted(word));
    return rows ? Extent{value, 0} : Extent{0, value};
  }
  std::array<i64, 2> strides(std::string_view name) {
    const Words words = split(key(name), ',');
    if (words.size() != 2) fail(std::string(name) + " needs <row stride>,<column stride>");
    return {count_of(words[0], "a stride"), count_of(words[1], "a stride")};
  }

 private:
  int number_;
  std::string label_;
  Words words_;
  std::size_t next_ = 0;
};

}  // namespace lamina
