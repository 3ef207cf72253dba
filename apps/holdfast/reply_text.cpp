#include "reply_text.hpp"

#include <holdfast/detail/error_text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::cli {
namespace {

std::string quoted(std::string_view text) {
   std::string out = "\"";
   for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      switch (c) {
         case '"':
         case '\\': out += {'\\', c}; break;
         case '\n': out += "\\n"; break;
         case '\r': out += "\\r"; break;
         case '\t': out += "\\t"; break;
         case '\a': out += "\\a"; break;
         case '\b': out += "\\b"; break;
         default:
            if (byte >= 0x20 && byte < 0x7f)
               out += c;
            else
               out += fmt::format("\\x{:02x}", byte);
      }
   }
   return out += '"';
}

// Text of several lines that is not quoted: the lines and tabs stay, but nothing else that a terminal would act upon.
std::string plain(std::string_view text) {
   std::string out;
   while (!text.empty()) {
      const std::size_t end = std::min(text.find_first_of("\n\t"), text.size());
      const bool carriage = end < text.size() && text[end] == '\n' && text.substr(0, end).ends_with('\r');
      impl::append_printable(out, text.substr(0, end - carriage));
      out += text.substr(end - carriage, carriage + (end < text.size()));
      text.remove_prefix(std::min(end + 1, text.size()));
   }
   return out;
}

// What servers mean to be read by people (INFO, CLIENT LIST, ...) ends its own lines.
std::string with_newline(std::string text, kind k) {
   if (k != kind::verbatim || !text.ends_with('\n')) text += '\n';
   return text;
}

std::string_view when_empty(kind k) {
   switch (k) {
      case kind::map: return "(empty hash)";
      case kind::set: return "(empty set)";
      case kind::push: return "(empty push)";
      default: return "(empty array)";
   }
}

char mark_of(kind k) { return k == kind::map ? '#' : k == kind::set ? '~' : ')'; }

void format(std::string& out, value_view, const std::string& indent);

// The first element stands on the line that its parent began (but a map's value that needs several lines begins a new
// one); all others are indented below it.
void format_elements(std::string& out, value_view v, const std::string& indent) {
   const bool is_map = v.kind() == kind::map;
   const std::size_t count = is_map ? v.size() / 2 : v.size();
   const std::size_t digits = std::to_string(count).size();
   const std::string below = indent + std::string(digits + 2, ' ');
   std::size_t number = 0;
   bool is_value = false;
   for (const value_view element : v) {
      std::string text;
      format(text, element, below);
      if (is_value) {
         const bool takes_one_line = text.find('\n') == text.size() - 1;
         out.pop_back();
         out += takes_one_line ? " => " : " => \n" + below;
      } else {
         if (number != 0) out += indent;
         out += fmt::format("{:>{}}{} ", ++number, digits, mark_of(v.kind()));
      }
      out += text;
      is_value = is_map && !is_value;
   }
}

void format(std::string& out, value_view v, const std::string& indent) {
   switch (v.kind()) {
      case kind::nil: out += "(nil)\n"; return;
      case kind::string: out += quoted(v.text()) + "\n"; return;
      case kind::error: out += formatted_error(v.text()); return;
      case kind::integer: out += fmt::format("(integer) {}\n", v.integer()); return;
      case kind::real: out += fmt::format("(double) {}\n", plain(v.text())); return;
      case kind::boolean: out += v.boolean() ? "(true)\n" : "(false)\n"; return;
      case kind::status:
      case kind::verbatim:
      case kind::big_number: out += with_newline(plain(v.text()), v.kind()); return;
      default: break;
   }
   if (v.empty())
      out.append(when_empty(v.kind())) += '\n';
   else
      format_elements(out, v, indent);
}

void append_raw(std::string& out, value_view v) {
   switch (v.kind()) {
      case kind::nil: return;
      case kind::integer: out += std::to_string(v.integer()); return;
      case kind::boolean: out += v.boolean() ? "(true)" : "(false)"; return;
      case kind::error: out += std::string(v.text()) + "\n"; return;
      default: break;
   }
   if (!v.is_aggregate()) {
      out += v.text();
      return;
   }
   bool first = true;
   for (const value_view element : v) {
      if (!first) out += '\n';
      first = false;
      append_raw(out, element);
   }
}

}  // namespace

std::string formatted(value_view v) {
   std::string out;
   format(out, v, "");
   return out;
}

std::string raw(value_view v) {
   std::string out;
   append_raw(out, v);
   return with_newline(std::move(out), v.kind());
}

std::string formatted_error(std::string_view server_text) { return "(error) " + plain(server_text) + "\n"; }
std::string raw_error(std::string_view server_text) { return std::string(server_text) + "\n\n"; }

}  // namespace holdfast::cli
