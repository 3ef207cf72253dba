#include "drill/subject.hpp"

#include "drill/subjects.hpp"

#include <stdexcept>

namespace holdfast::drill {

std::unique_ptr<subject> make_subject(const subject_options& options, holdfast::observer observer) {
   if (options.client == "holdfast") return make_holdfast_subject(options, std::move(observer));
   if (options.client == "recipe") return make_recipe_subject(options, std::move(observer));
   throw std::invalid_argument("no client \"" + options.client + "\" can be drilled; there are: " + known_subjects());
}

std::string known_subjects() { return "holdfast, recipe"; }

}  // namespace holdfast::drill
