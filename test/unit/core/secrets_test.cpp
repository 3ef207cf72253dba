// What a server repeats of a password is shown nowhere, in no spelling and in no part of it that tells it.
#include "core/secrets.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::secrets_test {
namespace {

std::string hidden(const std::string& password, std::string text) {
   secrets({"", password}).hide_in(text);
   return text;
}

TEST(secrets, a_password_is_hidden_wherever_it_stands) {
   EXPECT_EQ(hidden("hunter22", "ERR unknown command 'AUTH', with args beginning with: 'hunter22' "),
             "ERR unknown command 'AUTH', with args beginning with: '***' ");
   EXPECT_EQ(hidden("hunter22", "hunter22hunter22"), "******");
   EXPECT_EQ(hidden("hunter22", "hunter22"), "***");
   EXPECT_EQ(hidden("hunter22", "nothing of it"), "nothing of it");
   EXPECT_EQ(hidden("", "nothing to hide"), "nothing to hide");
}

TEST(secrets, a_password_is_hidden_in_each_spelling) {
   const std::string password = "a\"b\\c\r\nd\xff";
   for (const char* spelled :
        {"a\"b\\c\r\nd\xff", "a\\\"b\\\\c\\r\\nd\\xff", "a\"b\\c\\x0d\\x0ad\\xff", "a\"b\\c  d\xff"}) {
      EXPECT_EQ(hidden(password, std::string("said '") + spelled + "' to us"), "said '***' to us") << spelled;
   }
   for (const char* spelled : {"\xc3\xa4\nb", "\xc3\xa4\\x0ab", "\\xc3\\xa4\\nb", "\xc3\xa4 b"})
      EXPECT_EQ(hidden("\xc3\xa4\nb", std::string("said '") + spelled + "' to us"), "said '***' to us") << spelled;
}

TEST(secrets, a_part_of_a_password_at_a_cut_is_hidden) {
   EXPECT_EQ(hidden("hunter22", "args: 'hunt"), "args: '***");
   EXPECT_EQ(hidden("hunter22", "args: hu... and on"), "args: ***... and on");
   EXPECT_EQ(hidden("hunter22", "args: ...ter22' and on"), "args: ...***' and on");
   EXPECT_EQ(hidden("hunter22", "half of it: hunter"), "half of it: ***");
   EXPECT_EQ(hidden("hunter22", "the hunt goes on"), "the *** goes on");
   EXPECT_EQ(hidden("hunter22", "the hub goes on"), "the hub goes on");
}

TEST(secrets, a_short_password_is_hidden_as_a_word_only) {
   EXPECT_EQ(hidden("p", "HELLO 3 AUTH p 'p' a password"), "HELLO 3 AUTH *** '***' a password");
}

TEST(secrets, an_error_and_an_event_show_none) {
   const secrets s({"hunter22"});
   error e(errc::server_error);
   e.server_text = "ERR hunter22";
   e.causes = {"10.0.0.1:6379: ERR hunter22", "another"};
   s.hide_in(e);
   EXPECT_EQ(e.what().find("hunter22"), std::string::npos) << e.what();
   EXPECT_EQ(e.causes, (text_list{"10.0.0.1:6379: ERR ***", "another"}));
   any_event told = event::dial_failed{{"10.0.0.1", 6379}, "ERR hunter22"};
   s.hide_in(told);
   EXPECT_EQ(to_string(told), "could not connect to 10.0.0.1:6379: ERR ***");
}

TEST(secrets, with_a_nul_are_hidden_where_a_server_cut_them_there) {
   const std::string password = std::string("front") + '\0' + std::string("and a long end of it");
   const secrets hidden({password});
   std::string text = "ERR unknown command, with args beginning with: 'front' ";
   hidden.hide_in(text);
   EXPECT_EQ(text, "ERR unknown command, with args beginning with: '***' ");
   text = "WRONGPASS " + password;
   hidden.hide_in(text);
   EXPECT_EQ(text, "WRONGPASS ***");
}

TEST(secrets, long_one_that_a_server_cut_is_hidden_as_far_as_it_stands_there) {
   const std::string password = "a-token-of-many-characters-that-end" + std::string(300, 'x');
   const secrets hidden({password});
   std::string text = "ERR unknown command 'AUTH', with args beginning with: '" + password.substr(0, 20) + "'";
   hidden.hide_in(text);
   EXPECT_EQ(text, "ERR unknown command 'AUTH', with args beginning with: '***'");
}

TEST(secrets, of_the_last_commands_are_hidden_and_configured_ones_always) {
   secrets hidden({"configured"});
   for (int i = 0; i < 20; ++i) hidden.learn("password-" + std::to_string(i));
   std::string text = "configured password-19 password-12";
   hidden.hide_in(text);
   EXPECT_EQ(text, "*** *** ***");
}

}  // namespace
}  // namespace holdfast::secrets_test
