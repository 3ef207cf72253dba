// The clients that can be put to the drill; one file each. A new one is added here and in subject.cpp.
#pragma once

#include "drill/subject.hpp"

namespace holdfast::drill {

std::unique_ptr<subject> make_holdfast_subject(const subject_options&, holdfast::observer);
std::unique_ptr<subject> make_recipe_subject(const subject_options&, holdfast::observer);

}  // namespace holdfast::drill
