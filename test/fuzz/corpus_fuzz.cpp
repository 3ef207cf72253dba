// What fuzzing has found worth keeping, replayed: every input of test/fuzz/corpus, those that once failed among them.
#include "fuzz/target.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace holdfast::fuzz {
namespace {

using target = void (*)(std::string_view);

void replay(const char* name, target play) {
   std::vector<std::filesystem::path> files;
   for (const auto& entry : std::filesystem::directory_iterator(std::string("test/fuzz/corpus/") + name)) {
      files.push_back(entry.path());
   }
   EXPECT_GE(files.size(), 10U) << "where is the corpus of " << name << "?";
   for (const auto& file : files) {
      std::ifstream in(file, std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(in), {}};
      EXPECT_NO_THROW(play(bytes)) << file;
   }
}

TEST(Corpus, OfTheReaderBreaksNoPromise) { replay("resp", resp); }
TEST(Corpus, OfTheUrisBreaksNoPromise) { replay("uri", uri); }
TEST(Corpus, OfTheSentinelsBreaksNoPromise) { replay("sentinel", sentinel); }
TEST(Corpus, OfTheEngineBreaksNoPromise) { replay("engine", engine); }

}  // namespace
}  // namespace holdfast::fuzz
