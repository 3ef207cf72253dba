#include <holdfast/error.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace holdfast::error_text_test {
namespace {

std::string printable(std::string_view text) {
   std::string out;
   impl::append_printable(out, text);
   return out;
}

TEST(Printable, LeavesTextInAnyScriptAsItIs) {
   EXPECT_EQ(printable("plain"), "plain");
   EXPECT_EQ(printable("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\xa0"),
             "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\xa0");
   EXPECT_EQ(printable("\xf4\x8f\xbf\xbf"), "\xf4\x8f\xbf\xbf");
}

TEST(Printable, EscapesEveryControlCharacter) {
   EXPECT_EQ(printable("a\r\nb\x1b[2J\x7f"), "a\\x0d\\x0ab\\x1b[2J\\x7f");
   EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
   EXPECT_EQ(printable("\xc2\x9b"
                       "2J"),
             "\\xc2\\x9b2J")
      << "U+009B begins a terminal's command, too";
   EXPECT_EQ(printable("\xc2\x80"), "\\xc2\\x80");
}

TEST(Printable, EscapesWhatIsNoUtf8ByteByByte) {
   EXPECT_EQ(printable("\xff"), "\\xff");
   EXPECT_EQ(printable("\x9b"
                       "2J"),
             "\\x9b2J");
   EXPECT_EQ(printable("\xc3"), "\\xc3");
   EXPECT_EQ(printable("\xc3("), "\\xc3(");
   EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");
   EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
   EXPECT_EQ(printable("\xe0\x80\xaf"), "\\xe0\\x80\\xaf") << "overlong";
   EXPECT_EQ(printable("\xf0\x80\x80\xaf"), "\\xf0\\x80\\x80\\xaf") << "overlong";
   EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
   EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond the last character";
}

TEST(printable, quoted_is_ascii_with_quotes_and_line_ends_escaped) {
   std::string out;
   impl::append_printable(out, "\"a\" \\ \r\n\x1b\x7f \xc3\xa4 \xff", true);
   EXPECT_EQ(out, R"(\"a\" \\ \r\n\x1b\x7f \xc3\xa4 \xff)");
}

TEST(ErrorLine, IsOneLineOfUtf8WhateverTheServerSaid) {
   error e(errc::server_error, outcome::not_executed);
   e.server_text = "ERR \xff\n\x1b[31m";
   e.causes = {"one\ntwo"};
   const std::string line = e.what();
   EXPECT_EQ(line.find_first_of("\n\x1b\xff"), std::string::npos) << line;
   EXPECT_NE(line.find("ERR \\xff\\x0a\\x1b[31m"), std::string::npos) << line;
}

TEST(ErrorLine, TellsWhatHappenedWhetherItRanWhereHowOftenAndAfterWhatTime) {
   error e(errc::connection_lost, outcome::unknown);
   e.where = {"10.0.0.1", 6379};
   e.attempts = 2;
   e.elapsed = std::chrono::milliseconds(1500);
   e.causes = {"reset"};
   EXPECT_EQ(e.what(), "connection lost; outcome unknown at 10.0.0.1:6379, sent 2 times, after 1500 ms (reset)");
}

TEST(ErrorCategory, HasWordsForWhatIsNoErrorOfOurs) {
   EXPECT_STREQ(error_category().name(), "holdfast");
   EXPECT_EQ(error_category().message(0), "unknown error");
   EXPECT_EQ(error_category().message(9999), "unknown error");
}

}  // namespace
}  // namespace holdfast::error_text_test
